"""A capture to numbers: measures, identities, experiments, projections."""

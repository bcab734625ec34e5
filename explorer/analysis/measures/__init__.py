"""Numbers about captures and vectors, each with its definition and source."""

from explorer.analysis.measures.distances import head_distance, head_points
from explorer.analysis.measures.heads import MEASURES, compute_all
from explorer.analysis.measures.measure import Measure
from explorer.analysis.measures.norms import norm_weights
from explorer.analysis.measures.patterns import best_offset, pattern_match

__all__ = [
    "MEASURES",
    "Measure",
    "best_offset",
    "compute_all",
    "head_distance",
    "head_points",
    "norm_weights",
    "pattern_match",
]

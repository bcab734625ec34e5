"""The projection compared with scikit-learn's PCA, on a text's own vectors."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.errors import MaxError
from explorer.analysis.measures.blocks import Progress
from explorer.analysis.projection import project
from explorer.records import CapturedText, FloatArray, Identity, Place

_COMPONENT, _SHARE = 1e-6, 1e-9
_COMPARED = 3  # components, as many as a figure shows at most
_FLAT = 1e-9  # a component with a smaller share of the variance is rounding
FLAT = "the text’s vectors are one point, or no numbers: there is nothing to spread out"


def projections(cap: CapturedText, progress: Progress) -> dict[str, Identity]:
    """Components and explained shares of every layer's residual stream, in all stacks."""
    components, shares = MaxError(), MaxError()
    names = [name for name in cap.stacks if name != "cross"]  # its states are the decoder's
    for number, name in enumerate(names):
        hidden = cap.stack(name).hidden
        for state, vectors in enumerate(hidden):
            progress(f"projecting vectors, {name} state {state}", (number + state / len(hidden)) / len(names))
            _compare(vectors, Place(name, state=state), components, shares)
    return {"pca": components.identity("pca", _COMPONENT, FLAT), "variance": shares.identity("variance", _SHARE, FLAT)}


def _compare(vectors: FloatArray, place: Place, components: MaxError, shares: MaxError) -> None:
    """One layer's vectors [N, D], projected both ways; a single vector and NaNs have no components."""
    if len(vectors) < 2 or not np.isfinite(vectors).all():
        return
    from sklearn.decomposition import PCA  # slow to import

    n = min(vectors.shape)
    theirs = PCA(n, svd_solver="full").fit(vectors.astype(np.float64))
    ours = project(vectors, n)
    spread = theirs.explained_variance_ratio_[:_COMPARED] > _FLAT
    axes = np.asarray(ours.components)[:_COMPARED][spread]
    for axis, expected in zip(axes, theirs.components_[:_COMPARED][spread], strict=True):
        sign = 1.0 if float(axis @ expected) >= 0 else -1.0
        components.update(float(np.abs(sign * axis - expected).max()), place)
    if spread.any():
        shares.update(max(0.0, float(ours.explained_variance.sum()) - 1), place)

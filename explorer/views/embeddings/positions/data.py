"""Where position enters a model to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.records import EmbeddingSum, Positions
from explorer.records.table import Table
from explorer.saving.formats import versions


def positions_table(shown: Positions, given: EmbeddingSum) -> Table:
    """A row a number: of each token the parts of its sum, then how the model tells positions.

    ``what`` is "norm: …" (a part's length), "along the sum: …" (what it adds to the sum's),
    "sum", "given" (to the first block), "error"; "position, dimension" for added vectors,
    "radians a token: …" for rotations, "bias" for a head and a distance.
    """
    rows: list[list[object]] = []
    for token, label in enumerate(given.labels):
        along = given.along_the_sum(token).tolist()
        for place, part in enumerate(given.parts):
            length = float((given.vectors[place, token] ** 2).sum() ** 0.5)
            rows.append([f"norm: {part}", label, token, length])
            rows.append([f"along the sum: {part}", label, token, along[place]])
        rows.append(["sum", label, token, float((given.total[token] ** 2).sum() ** 0.5)])
        rows.append(["given", label, token, float((given.given[token] ** 2).sum() ** 0.5)])
        rows.append(["error", label, token, float(given.error[token])])
    if shown.vectors is not None:
        for position, vector in enumerate(shown.vectors.tolist()):
            rows += [["position, dimension", position, i, value] for i, value in enumerate(vector)]
    for rotation in shown.rotations:
        what = f"radians a token: {rotation.layers}"
        rows += [[what, "pair", i, value] for i, value in enumerate(rotation.frequencies.tolist())]
    if shown.bias is not None:
        reach = shown.bias.shape[1] // 2
        for head, biases in enumerate(shown.bias.tolist()):
            rows += [["bias", head, i - reach, value] for i, value in enumerate(biases)]
    return Table.of(["what", "of", "number", "value"], rows)


def positions_json(
    shown: Positions, given: EmbeddingSum, token: int, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """How the model tells positions, and each token's sum at its entrance.

    "parts" has, of each part of the sum, its length and what it adds along the sum, a value a
    token; "vectors" [n, D], "rotations" and "bias" [H, 2n−1] are null where there are none.
    """
    tokens = range(len(given.labels))
    along = np.array([given.along_the_sum(one) for one in tokens])  # [N, P]
    lengths = np.linalg.norm(given.vectors, axis=2)  # [P, N]
    return {
        "kind": "positions",
        "model": shown.model,
        "told_by": shown.kind,
        "said": shown.said,
        "tokens": list(given.labels),
        "token": token,
        "parts": {
            part: {"length": lengths[place].tolist(), "along_the_sum": along[:, place].tolist()}
            for place, part in enumerate(given.parts)
        },
        "after": list(given.after),
        "sum": np.linalg.norm(given.total, axis=1).tolist(),
        "given": np.linalg.norm(given.given, axis=1).tolist(),
        "error": given.error.tolist(),
        "vectors": None if shown.vectors is None else shown.vectors.tolist(),
        "rotations": [
            {"layers": one.layers, "theta": one.theta, "radians_a_token": one.frequencies.tolist()}
            for one in shown.rotations
        ],
        "bias": None if shown.bias is None else shown.bias.tolist(),
        "settings": dict(settings or {}),
        "versions": versions(),
    }

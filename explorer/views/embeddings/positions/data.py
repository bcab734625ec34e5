"""Where position enters a model to files."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.figures.style import model_stem
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.embeddings.positions import PositionsSettings
from explorer.views.embeddings.positions.compute import WordPositions
from explorer.views.embeddings.study import source_of


def table(record: WordPositions, _settings: PositionsSettings | None = None) -> Table:
    """A row a number: of each token the parts of its sum, then how the model tells positions.

    ``what`` is "norm: …" (a part's length), "along the sum: …" (what it adds to the sum's),
    "sum", "given" (to the first block), "error"; "position, dimension" for added vectors,
    "radians a token: …" for rotations, "bias" for a head and a distance.
    """
    shown, given = record.positions, record.embedding_sum
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


def data(record: WordPositions, _settings: PositionsSettings | None = None) -> dict[str, Any]:
    """How the model tells positions, and each token's sum at its entrance.

    "parts" has, of each part of the sum, its length and what it adds along the sum, a value a
    token; "vectors" [n, D], "rotations" and "bias" [H, 2n−1] are null where there are none.
    """
    shown, given = record.positions, record.embedding_sum
    tokens = range(len(given.labels))
    along = np.array([given.along_the_sum(one) for one in tokens])  # [N, P]
    lengths = np.linalg.norm(given.vectors, axis=2)  # [P, N]
    return {
        "scheme": shown.kind,
        "description": shown.description,
        "tokens": list(given.labels),
        "token": record.token,
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
    }


def stem(record: WordPositions, _settings: PositionsSettings) -> str:
    """A file name that says which model it is."""
    return f"{model_stem(record.positions.model)}-positions"


def source(record: WordPositions) -> Source:
    """The model."""
    return source_of(record.study)

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
    "sum", "given" (the input of the first block), "error"; "position, dimension" for added vectors,
    "radians a token: …" for rotations, "bias" for a head and a distance.
    """
    positions, embeddings = record.positions, record.embedding_sum
    rows: list[list[object]] = []
    for token, label in enumerate(embeddings.labels):
        along = embeddings.along_the_sum(token).tolist()
        for place, part in enumerate(embeddings.parts):
            length = float((embeddings.vectors[place, token] ** 2).sum() ** 0.5)
            rows.append([f"norm: {part}", label, token, length])
            rows.append([f"along the sum: {part}", label, token, along[place]])
        rows.append(["sum", label, token, float((embeddings.total[token] ** 2).sum() ** 0.5)])
        rows.append(["given", label, token, float((embeddings.block_input[token] ** 2).sum() ** 0.5)])
        rows.append(["error", label, token, float(embeddings.error[token])])
    if positions.vectors is not None:
        for position, vector in enumerate(positions.vectors.tolist()):
            rows += [["position, dimension", position, i, value] for i, value in enumerate(vector)]
    for rotation in positions.rotations:
        what = f"radians a token: {rotation.layers}"
        rows += [[what, "pair", i, value] for i, value in enumerate(rotation.frequencies.tolist())]
    if positions.bias is not None:
        reach = positions.bias.shape[1] // 2
        for head, biases in enumerate(positions.bias.tolist()):
            rows += [["bias", head, i - reach, value] for i, value in enumerate(biases)]
    return Table.of(["what", "of", "number", "value"], rows)


def data(record: WordPositions, _settings: PositionsSettings | None = None) -> dict[str, Any]:
    """How the model tells positions, and the sum that each token's embedding is.

    "parts" has, of each part of the sum, its length and what it adds along the sum, a value a
    token; "vectors" [n, D], "rotations" and "bias" [H, 2n−1] are null where there are none.
    """
    positions, embeddings = record.positions, record.embedding_sum
    tokens = range(len(embeddings.labels))
    along = np.array([embeddings.along_the_sum(one) for one in tokens])  # [N, P]
    lengths = np.linalg.norm(embeddings.vectors, axis=2)  # [P, N]
    return {
        "scheme": positions.kind,
        "description": positions.description,
        "tokens": list(embeddings.labels),
        "token": record.token,
        "parts": {
            part: {"length": lengths[place].tolist(), "along_the_sum": along[:, place].tolist()}
            for place, part in enumerate(embeddings.parts)
        },
        "after": list(embeddings.after),
        "sum": np.linalg.norm(embeddings.total, axis=1).tolist(),
        "given": np.linalg.norm(embeddings.block_input, axis=1).tolist(),
        "error": embeddings.error.tolist(),
        "vectors": None if positions.vectors is None else positions.vectors.tolist(),
        "rotations": [
            {"layers": one.layers, "theta": one.theta, "radians_a_token": one.frequencies.tolist()}
            for one in positions.rotations
        ],
        "bias": None if positions.bias is None else positions.bias.tolist(),
    }


def stem(record: WordPositions, _settings: PositionsSettings) -> str:
    """A file name that says which model it is."""
    return f"{model_stem(record.positions.model)}-positions"


def source(record: WordPositions) -> Source:
    """The model."""
    return source_of(record.study)

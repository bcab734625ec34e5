"""Where position enters a model to CSV."""

from __future__ import annotations

from explorer.records import Entrance, Positions
from explorer.tables import Table


def positions_table(shown: Positions, given: Entrance) -> Table:
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

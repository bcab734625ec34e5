"""The words read from a vector to CSV."""

from __future__ import annotations

from explorer.records import Meaning
from explorer.tables import Table


def meaning_table(shown: Meaning) -> Table:
    """A row a word: those nearest to the static vector, then those read at each layer.

    ``value`` is a cosine where ``read by`` is "static", and a probability otherwise. At each
    layer the word's own token comes last, and before it what follows in the sentence where the
    head says what comes next (its probability is left out unless it is among the first).
    """
    nearest, reading = shown.nearest, shown.reading
    rows: list[list[object]] = [
        ["", "static", rank + 1, label, index, value]
        for rank, (label, index, value) in enumerate(
            zip(nearest.labels, nearest.ids.tolist(), nearest.cosines.tolist(), strict=True)
        )
    ]
    for layer, labels in enumerate(reading.labels):
        rows += [
            [layer, reading.head, rank + 1, label, index, value]
            for rank, (label, index, value) in enumerate(
                zip(labels, reading.ids[layer].tolist(), reading.values[layer].tolist(),
                    strict=True)
            )
        ]  # fmt: skip
        if reading.following_ranks is not None:
            rank = int(reading.following_ranks[layer])
            rows.append([layer, f"{reading.head}: following", rank, reading.following, "", ""])
        own = int(reading.own_ranks[layer]), reading.own, reading.own_id
        rows.append([layer, f"{reading.head}: own", *own, float(reading.own_values[layer])])
    return Table.of(["layer", "read by", "rank", "token", "id", "value"], rows)

"""The words read from a vector to files."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import Meaning
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.embeddings.meaning import MeaningSettings


def table(meaning: Meaning, _settings: MeaningSettings | None = None) -> Table:
    """A row a word: those nearest to the static vector, then those read at each layer.

    ``value`` is a cosine where ``read by`` is "static", and a probability otherwise. At each
    layer the word's own token comes last, and before it what follows in the sentence where the
    head predicts what comes next (its probability is left out unless it is among the first).
    """
    nearest, reading = meaning.nearest, meaning.reading
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
                zip(labels, reading.ids[layer].tolist(), reading.values[layer].tolist(), strict=True)
            )
        ]
        if reading.following_ranks is not None:
            rank = int(reading.following_ranks[layer])
            rows.append([layer, f"{reading.head}: following", rank, reading.following, "", ""])
        own = int(reading.own_ranks[layer]), reading.own, reading.own_id
        rows.append([layer, f"{reading.head}: own", *own, float(reading.own_values[layer])])
    return Table.of(["layer", "read by", "rank", "token", "id", "value"], rows)


def data(meaning: Meaning, _settings: MeaningSettings | None = None) -> dict[str, Any]:
    """The words nearest to the static vector, and those read at each layer, first ranks first.

    A value is a cosine where "read_by" is "static", and a probability otherwise.
    """
    nearest, reading = meaning.nearest, meaning.reading
    return {
        "word": meaning.word,
        "place": meaning.place,
        "nearest": [
            {"rank": rank, "token": label, "id": index, "cosine": value}
            for rank, (label, index, value) in enumerate(
                zip(nearest.labels, nearest.ids.tolist(), nearest.cosines.tolist(), strict=True), 1
            )
        ],
        "read_by": reading.head,
        "among": reading.n_words,
        "words": [
            {"layer": layer, "rank": rank, "token": label, "id": index, "value": value}
            for layer, labels in enumerate(reading.labels)
            for rank, (label, index, value) in enumerate(
                zip(labels, reading.ids[layer].tolist(), reading.values[layer].tolist(), strict=True), 1
            )
        ],
        "own": {
            "token": reading.own,
            "id": reading.own_id,
            "ranks": reading.own_ranks.tolist(),
            "values": reading.own_values.tolist(),
        },
        "following": None
        if reading.following_ranks is None
        else {"token": reading.following, "ranks": reading.following_ranks.tolist()},
        "remarks": list(meaning.remarks),
    }


def stem(meaning: Meaning, _settings: MeaningSettings) -> str:
    """A file name that says which word it is."""
    return f"{model_stem(meaning.model)}-{meaning.word}-meaning"


def source(meaning: Meaning) -> Source:
    """The model that reads the word."""
    return Source(meaning.model, meaning.revision)

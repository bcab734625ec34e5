"""The pull of a head to files."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from explorer.figures.style import model_stem
from explorer.records import Arrow, FloatArray, WordStudy
from explorer.records.table import Table
from explorer.views.embeddings.pull import PullSettings
from explorer.views.embeddings.pull.compute import WordPull, pull_rows
from explorer.views.embeddings.study import sentences_of


def data(record: WordPull, _settings: PullSettings | None = None) -> dict[str, Any]:
    """The arrows, strongest first; a head of null is all of them."""
    study, pulled, plane = record.study, record.pulled, record.plane
    return {
        **sentences_of(study),
        "sentence": pulled.occurrence.sentence,
        "occurrence": pulled.occurrence.occurrence,
        "layer": pulled.layer,
        "head": pulled.head,
        "tokens": list(pulled.labels),
        "weights": pulled.weights.tolist(),
        "arrows": [asdict(arrow) for arrow in plane.arrows],
        "sum": asdict(plane.total),
        "attention": asdict(plane.attention),
        "drawn_times": record.times,
        "heads": [
            {"head": head, "length": length, "in_plane": seen}
            for head, (length, seen) in enumerate(zip(plane.heads.tolist(), plane.heads_seen.tolist(), strict=True))
        ],
        "points": _points(study, plane.points),
        "static": _points(study, plane.static),
        "explained_variance": plane.explained_variance.tolist(),
        "fit": plane.fit,
    }


def _points(study: WordStudy, points: FloatArray) -> list[dict[str, Any]]:
    return [
        {"sentence": o.sentence, "occurrence": o.occurrence, "sense": o.sense, "x": x, "y": y}
        for o, (x, y) in zip(study.occurrences, points.tolist(), strict=True)
    ]


def table(record: WordPull, _settings: PullSettings | None = None) -> Table:
    """The arrows, a row each, strongest first, then their sum."""
    names = [field.name for field in fields(Arrow)]
    return Table.of(names, ([row.get(name) for name in names] for row in pull_rows(record.plane)))


def stem(record: WordPull, _settings: PullSettings) -> str:
    """A file name that says which head pulls which occurrence."""
    pulled = record.pulled
    head = "all-heads" if pulled.head is None else f"head{pulled.head}"
    where = f"sentence{pulled.occurrence.sentence + 1}-layer{pulled.layer}"
    return f"{model_stem(record.study.model)}-{record.study.word}-{where}-{head}-pull"

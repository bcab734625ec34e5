"""The pull of a head to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer.records import FloatArray, Pull, PullPlane, WordStudy
from explorer.saving.formats import versions


def pull_json(
    study: WordStudy, pulled: Pull, plane: PullPlane, times: int = 1, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arrows, strongest first, with all that made them; a head of null is all of them.

    Args:
        study: the word's vectors.
        pulled: what pulls it.
        plane: the same in two dimensions.
        times: how many times their length the picture draws the arrows.
        settings: what else was chosen (device, dtype, …).
    """
    occurrence = pulled.occurrence
    return {
        "kind": "pull",
        "model": pulled.model,
        "revision": pulled.revision,
        "word": study.word,
        "sentences": [{"text": text, "sense": sense} for sense, text in study.sentences],
        "sentence": occurrence.sentence,
        "occurrence": occurrence.occurrence,
        "text": occurrence.text,
        "layer": pulled.layer,
        "head": pulled.head,
        "tokens": list(pulled.labels),
        "weights": pulled.weights.tolist(),
        "arrows": [asdict(arrow) for arrow in plane.arrows],
        "sum": asdict(plane.total),
        "attention": asdict(plane.attention),
        "drawn_times": times,
        "heads": [
            {"head": head, "length": length, "in_plane": seen}
            for head, (length, seen) in enumerate(zip(plane.heads.tolist(), plane.heads_seen.tolist(), strict=True))
        ],
        "points": _points(study, plane.points),
        "static": _points(study, plane.static),
        "explained_variance": plane.explained_variance.tolist(),
        "fit": plane.fit,
        "settings": dict(settings or {}),
        "versions": versions(),
    }


def _points(study: WordStudy, points: FloatArray) -> list[dict[str, Any]]:
    return [
        {"sentence": o.sentence, "occurrence": o.occurrence, "sense": o.sense, "x": x, "y": y}
        for o, (x, y) in zip(study.occurrences, points.tolist(), strict=True)
    ]

"""A word's vectors in several sentences to files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.analysis.measures.by_layer import SEPARATION
from explorer.analysis.measures.verdict import where_senses_separate
from explorer.figures.style import model_stem
from explorer.records import WordProjection, WordStudy
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.embeddings.balance import set_notes
from explorer.views.embeddings.embeddings.compute import Plane, check_layer, fit_in_words, separations
from explorer.views.embeddings.embeddings.distances import word_distances
from explorer.views.embeddings.layers.compute import layer_columns
from explorer.views.embeddings.page import PlaneSettings
from explorer.views.embeddings.study import sentences_of, source_of


def data(record: Plane, _settings: PlaneSettings | None = None) -> dict[str, Any]:
    """A word's contextual and static points at each layer in the file, and the measures of all.

    Measures are under the names of ``layer_columns``, a value a layer 0…L, NaN where undefined;
    "verdict" says in words where the senses separate, and "notes" what speaks against comparing
    them, as that the word's position differs. A third axis is "z". "scree" is the share of the
    variance of every component there is, "distances" are mean ones of each kind of pair;
    "anchors" the anchor words and "others" the other tokens, where there are such.
    """
    study, shown, parts, measured = record.study, record.in_files, record.parts, record.measures()
    return {
        **sentences_of(study),
        "layers": [one.layer for one in shown],
        "basis": shown[0].switches.basis,
        "fit": _fit(study, shown),
        "points": [
            {"sentence": o.sentence, "occurrence": o.occurrence, "sense": o.sense, "layer": one.layer, **_place(point)}
            for one in shown
            for o, point in zip(study.occurrences, one.points.tolist(), strict=True)
        ],
        "static": [
            {"sentence": o.sentence, "occurrence": o.occurrence, "layer": one.layer, **_place(point)}
            for one in shown
            for o, point in zip(study.occurrences, one.static.tolist(), strict=True)
        ],
        **({"anchors": _anchor_points(study, shown)} if study.anchors else {}),
        "explained_variance": {str(one.layer): one.explained_variance.tolist() for one in shown},
        "separation": separations(study),
        "measures": {name: values.tolist() for name, values in layer_columns(measured).items() if name != SEPARATION},
        "verdict": where_senses_separate(measured),
        "notes": set_notes(study),
        **({"others": _other_points(study, shown)} if parts.others else {}),
        "scree": {str(one.layer): one.scree.tolist() for one in shown},
        "distances": [row for one in shown for row in _distances(study, one)],
    }


def _place(point: Sequence[float]) -> dict[str, float]:
    return dict(zip("xyz", point, strict=False))


def _anchor_points(study: WordStudy, shown: Sequence[WordProjection]) -> list[dict[str, str | int | float]]:
    return [
        {"word": anchor.word, "kind": kind, "layer": one.layer, **_place(point)}
        for one in shown
        for kind, points in (("contextual", one.anchors), ("static", one.static_anchors))
        for anchor, point in zip(study.anchors, points.tolist(), strict=len(points) > 0)
    ]


def _other_points(study: WordStudy, shown: Sequence[WordProjection]) -> list[dict[str, Any]]:
    sample = study.sample
    return [
        {"token": label, "sentence": sentence, "layer": one.layer, **_place(point)}
        for one in shown
        if len(one.others)  # t-SNE places none
        for label, sentence, point in zip(sample.labels, sample.sentences.tolist(), one.others.tolist(), strict=True)
    ]


def _distances(study: WordStudy, shown: WordProjection) -> list[dict[str, Any]]:
    found = word_distances(study, shown)
    values_by_pair = zip(found.pairs, found.cosine, found.euclidean, found.drawn, strict=True)
    return [
        {"layer": shown.layer, "pair": pair, "cosine": cosine, "euclidean": apart, "drawn": drawn}
        for pair, cosine, apart, drawn in values_by_pair
    ]


def table(record: Plane, _settings: PlaneSettings | None = None) -> Table:
    """A row a point of the layers in the file; a third axis is the column z.

    An anchor word has no sentence and no sense; its word stands in the column text, as does that
    of the sentences' other tokens.
    """
    study, shown = record.study, record.in_files
    axes = ["x", "y", "z"][: shown[0].switches.axes]
    rows: list[list[Any]] = []
    for one in shown:
        for kind, points in (("contextual", one.points), ("static", one.static)):
            rows += [
                [kind, o.sentence, o.occurrence, o.sense, one.layer, *point, o.text]
                for o, point in zip(study.occurrences, points.tolist(), strict=True)
            ]
        for kind, points in (("anchor", one.anchors), ("anchor static", one.static_anchors)):
            rows += [
                [kind, "", "", "", one.layer, *point, anchor.word]
                for anchor, point in zip(study.anchors, points.tolist(), strict=len(points) > 0)
            ]
        for other in _other_points(study, [one]) if record.parts.others else ():
            place = [other[axis] for axis in axes]
            rows.append(["other token", other["sentence"], "", "", one.layer, *place, other["token"]])
    header = ["kind", "sentence", "occurrence", "sense", "layer", *axes, "text"]
    return Table.of(header, rows)


def stem(record: Plane, _settings: PlaneSettings) -> str:
    """A file name that says which word and layer it is."""
    return f"{model_stem(record.study.model)}-{record.study.word}-layer{record.shown.layer}"


def source(record: Plane) -> Source:
    """The model of the study."""
    return source_of(record.study)


def _fit(study: WordStudy, shown: Sequence[WordProjection]) -> str:
    """What the bases were fitted on, and what a reader must know of it."""
    fit, of_layers = shown[0].fit, shown[0].switches.basis == "layer"
    if of_layers and len(shown) > 1:
        fit = fit_in_words(study, "each layer", shown[0].switches)
    if of_layers:
        warnings = [f"layer {one.layer}: {warning}" for one in shown for warning in one.warnings]
    else:
        warnings = list(shown[0].warnings)
    return "; ".join([fit, *study.remarks, *warnings])


def telling_layer(study: WordStudy, layers: Sequence[int] | None = None) -> tuple[int, str]:
    """The layer to draw when there is room for one, and why it was chosen.

    It is the one of ``layers`` (None: of all) where the senses separate most, or the middle one
    where that is undefined.

    Raises:
        ValueError: a layer the model does not have.
    """
    values = separations(study)
    candidates = list(range(len(values))) if layers is None else layers
    for layer in candidates:
        check_layer(study, layer)
    defined = [(value, layer) for layer in candidates if (value := values[layer]) is not None]
    if not defined:
        return candidates[len(candidates) // 2], "the middle one"
    best, layer = max(defined, key=lambda pair: (pair[0], -pair[1]))
    return layer, f"where the senses separate most (separation {best:.2f})"

"""Captions of a word study's plane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from explorer.figures.style import model_label
from explorer.records import PLAIN_PARTS, PlaneParts, WordProjection, WordStudy

_HIDES = 0.1  # of a layer's variance; axes that keep less hide it


def word_caption(
    study: WordStudy, shown: WordProjection, parts: PlaneParts = PLAIN_PARTS, outside: int = 0, remedy: str = ""
) -> str:
    """What a reader could paste under the figure.

    ``outside`` is how many of the other tokens lie outside the frame, ``remedy`` how to see them.
    """
    sentences = [_fit_line(study, shown), *_option_lines(study, shown, parts)]
    if shown.separation is not None:
        sentences.append(f"Separation by sense (silhouette, cosine, full space): {shown.separation:.2f}.")
    if outside:
        where = f": {remedy}" if remedy else " the frame"
        sentences.append(f"{outside} of the other tokens lie outside{where}.")
    sentences += [f"Note: {warning}." for warning in shown.warnings]
    sentences += [f"{remark[0].upper()}{remark[1:]}." for remark in study.remarks]
    return " ".join(sentences)


def _fit_line(study: WordStudy, shown: WordProjection) -> str:
    """What the axes are fitted on, and what they keep."""
    where = f"{shown.fit} in {model_label(study.model)}"
    if shown.switches.method == "tsne":
        return f"{where}."
    what = "plane" if shown.switches.axes == 2 else "picture"
    kept = f"the {what} keeps {shown.explained_variance.sum():.0%} of the variance"
    if shown.switches.basis == "layer" and not shown.switches.drop_first:
        return f"{where}; {kept}."
    of_layer = "" if shown.kept is None else f", and {shown.kept:.0%} of this layer's"
    return f"{where}; {kept} of those{of_layer}."


def _option_lines(study: WordStudy, shown: WordProjection, parts: PlaneParts) -> list[str]:
    """The switches that are on, a sentence each."""
    lines = []
    if shown.switches.method == "pca" and shown.switches.basis == "layer" and shown.layer > 0:
        lines.append("Axes' signs, which are free, agree with the layer before.")
    if parts.arrows:
        lines.append("Arrows lead from the static vector to each occurrence.")
    if parts.paths and shown.switches.basis != "layer":
        lines.append("Lines are each occurrence's way through all layers.")
    placed = [
        *(["anchors"] if parts.anchors and study.anchors else []),
        *(["other tokens of the sentences"] if parts.others and study.sample.labels else []),
    ]
    if placed:
        line = " and ".join(placed)
        tsne = shown.switches.method == "tsne"
        how = "left out: t-SNE can place none" if tsne else "placed in the same basis, not fitted"
        lines.append(f"{line[0].upper()}{line[1:]} are {how}.")
    return lines


def facts_line(study: WordStudy, by_layer: Mapping[int, float | None], shown: WordProjection) -> str:
    """How well the senses separate, and whether the axes hide that layer."""
    line = separation_line(study, by_layer, shown.layer)
    if shown.kept is None or shown.kept >= _HIDES:
        return line
    other = "" if shown.switches.normalise == "unit" else " unit length or"
    return f"{line} · these axes keep {shown.kept:.0%} of this layer: try{other} axes of each layer"


def separation_line(study: WordStudy, by_layer: Mapping[int, float | None], layer: int) -> str:
    """The separation by sense at a layer, and of several layers the largest."""
    defined = [(value, number) for number, value in by_layer.items() if value is not None]
    here = by_layer[layer]
    if here is None:
        counts = Counter(o.sense for o in study.occurrences if o.sense)
        if len(counts) > 1 and min(counts.values()) > 1:
            return f"separation by sense: none, all vectors are equal at layer {layer}"
        return "separation by sense: needs two senses with two sentences each"
    if len(by_layer) == 1:
        return f"separation by sense {here:.2f}"
    most, where = max(defined)
    return f"separation by sense {here:.2f} · most at layer {where} ({most:.2f})"

"""A word's static and contextual vectors in a plane, or in three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from explorer.analysis.projection import METHODS
from explorer.figures.figure_style import Draw
from explorer.figures.style import model_stem
from explorer.records import PlaneOptions, PlaneParts, WordProjection, WordStudy
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.embeddings.embeddings.compute import check_layer, projections_of
from explorer.views.embeddings.embeddings.data import plane_json, plane_table
from explorer.views.embeddings.embeddings.figure import plane_picture
from explorer.views.embeddings.embeddings.scree_figure import scree_picture
from explorer.views.embeddings.layers.compute import word_layers_of
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, one_of, study_request, study_settings

# What the plane is fitted on, and how; the pull of a head is drawn in it as well.
FIT: dict[str, Value] = {"basis": "layer", "normalise": "none", "method": "pca", "axes": 2, "drop_first": False}
PARTS: dict[str, Value] = {"arrows": True, "paths": False, "anchors_shown": True, "others": False}
# ``layers``: those whose points a file holds, as "0,3,6" or "all"; empty: what is seen.
DEFAULTS: dict[str, Value] = {**WORD, **FIT, **PARTS, "layers": ""}


def switches_of(state: State) -> PlaneOptions:
    """What the plane is fitted on; t-SNE is of one layer.

    Raises:
        ValueError: an unknown method, or another number of axes than 2 or 3.
    """
    tsne = one_of(state, "method", METHODS) == "tsne"
    return PlaneOptions(
        basis="layer" if tsne else str(state["basis"]),
        normalise=str(state["normalise"]),
        method=str(state["method"]),
        axes=int(one_of(state, "axes", ("2", "3"))),
        drop_first=bool(state["drop_first"]),
    )


def parts_of(state: State) -> PlaneParts:
    """What the plane shows."""
    return PlaneParts(
        arrows=bool(state["arrows"]),
        paths=bool(state["paths"]),
        anchors=bool(state["anchors_shown"]),
        others=bool(state["others"]),
    )


def planes_of(session: Session, state: State) -> tuple[WordProjection, ...]:
    """The layers that one figure can show: all of them, or of t-SNE the one.

    Raises:
        ValueError: an unusable sentence, word, layer or switch, or nothing left to fit.
        ModelError: the model cannot be loaded.
    """
    request, layer = study_request(state), int(state["layer"])
    check_layer(study_of(session, request), layer)
    return projections_of(session, request, switches_of(state), layer)


def drawn(session: Session, state: State) -> tuple[WordStudy, WordProjection]:
    """The word and its layer on the screen.

    Raises:
        ValueError: an unusable sentence, word, layer or switch, or nothing left to fit.
        ModelError: the model cannot be loaded.
    """
    planes = planes_of(session, state)
    shown = next(one for one in planes if one.layer == int(state["layer"]))
    return study_of(session, study_request(state)), shown


def layers_in(given: str) -> tuple[int, ...]:
    """Layers such as "0,3,6", each once.

    Raises:
        ValueError: no list of layers.
    """
    try:
        return tuple(dict.fromkeys(int(part) for part in given.split(",")))
    except ValueError:
        raise ValueError(f"layers {given} is no list of layers: write for example 0,3,6") from None


def _in_files(
    state: State, planes: Sequence[WordProjection], shown: WordProjection, parts: PlaneParts
) -> Sequence[WordProjection]:
    """The layers whose points a file holds."""
    chosen = str(state["layers"])
    if chosen in ("", "all"):
        through_all = parts.paths and shown.switches.basis != "layer"
        return planes if chosen or through_all else (shown,)
    found = {one.layer: one for one in planes}
    wanted = layers_in(chosen)
    if missing := [layer for layer in wanted if layer not in found]:
        raise ValueError(f"layer {missing[0]} is out of range: layers are {planes[0].layer} to {planes[-1].layer}")
    return [found[layer] for layer in wanted]


def make(session: Session, state: State) -> Exhibit:
    """The plane as it is saved: its layer, or those that ``layers`` or paths name."""
    request, (study, shown) = study_request(state), drawn(session, state)
    planes, parts = planes_of(session, state), parts_of(state)
    seen = _in_files(state, planes, shown, parts)

    def result() -> dict[str, Any]:
        settings = {**asdict(shown.switches), **asdict(parts), **study_settings(session, state)}
        return plane_json(study, seen, parts, settings, word_layers_of(session, request))

    figures: dict[str, Draw] = {"plane": lambda look: plane_picture(study, planes, shown.layer, look.theme, parts)}
    if shown.basis is not None:  # t-SNE explains no variance
        figures["scree"] = lambda look: scree_picture(study, shown, look.theme)
    return KIND.exhibit(
        state,
        f"{model_stem(study.model)}-{study.word}-layer{shown.layer}",
        result=result,
        table=lambda: plane_table(study, seen, parts.others),
        figures=figures,
    )


KIND: Kind = Kind("embeddings", "the plane", "/embeddings", "plane", DEFAULTS, make, ("plane", "scree"))

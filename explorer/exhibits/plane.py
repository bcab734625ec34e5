"""A word's static and contextual vectors in a plane, or in three dimensions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from explorer.exhibits.exhibit import Exhibit, Kind
from explorer.exhibits.state import WORD, one_of, study_request, study_settings
from explorer.export.embeddings import plane_json, plane_table
from explorer.figures.look import Draw
from explorer.figures.plane import plane_picture
from explorer.figures.scree import scree_picture
from explorer.figures.style import model_stem
from explorer.links import State, Value
from explorer.projection import METHODS
from explorer.records import PlaneParts, PlaneSwitches, WordProjection, WordStudy
from explorer.session import Session
from explorer.views.words import check_layer

# What the plane is fitted on, and how; the pull of a head is drawn in it as well.
FIT: dict[str, Value] = {
    "basis": "layer", "normalise": "none", "method": "pca", "axes": 2, "drop_first": False,
}  # fmt: skip
PARTS: dict[str, Value] = {
    "arrows": True, "paths": False, "anchors_shown": True, "others": False,
}  # fmt: skip
DEFAULTS = {**WORD, **FIT, **PARTS}


def switches_of(state: State) -> PlaneSwitches:
    """What the plane is fitted on; t-SNE is of one layer.

    Raises:
        ValueError: an unknown method, or another number of axes than 2 or 3.
    """
    tsne = one_of(state, "method", METHODS) == "tsne"
    return PlaneSwitches(
        basis="layer" if tsne else str(state["basis"]),
        normalise=str(state["normalise"]),
        method=str(state["method"]),
        axes=int(one_of(state, "axes", ("2", "3"))),
        drop_first=bool(state["drop_first"]),
    )


def parts_of(state: State) -> PlaneParts:
    """What the plane shows."""
    return PlaneParts(
        arrows=bool(state["arrows"]), paths=bool(state["paths"]),
        anchors=bool(state["anchors_shown"]), others=bool(state["others"]),
    )  # fmt: skip


def planes_of(session: Session, state: State) -> tuple[WordProjection, ...]:
    """The layers that one figure can show: all of them, or of t-SNE the one.

    Raises:
        ValueError: an unusable sentence, word, layer or switch, or nothing left to fit.
        ModelError: the model cannot be loaded.
    """
    request, layer = study_request(state), int(state["layer"])
    check_layer(session.study(request), layer)
    return session.planes(request, switches_of(state), layer)


def drawn(session: Session, state: State) -> tuple[WordStudy, WordProjection]:
    """The word and its layer on the screen.

    Raises:
        ValueError: an unusable sentence, word, layer or switch, or nothing left to fit.
        ModelError: the model cannot be loaded.
    """
    planes = planes_of(session, state)
    shown = next(one for one in planes if one.layer == int(state["layer"]))
    return session.study(study_request(state)), shown


def make(session: Session, state: State) -> Exhibit:
    """The plane as it is saved: its layer, or all of them where paths lead through all."""
    request, (study, shown) = study_request(state), drawn(session, state)
    planes, parts = planes_of(session, state), parts_of(state)
    seen = planes if parts.paths and shown.switches.basis != "layer" else (shown,)

    def result() -> dict[str, Any]:
        settings = {**asdict(shown.switches), **asdict(parts), **study_settings(session, state)}
        return plane_json(study, seen, parts, settings, session.word_layers(request))

    figures: dict[str, Draw] = {
        "plane": lambda look: plane_picture(study, planes, shown.layer, look.theme, parts)
    }
    if shown.basis is not None:  # t-SNE explains no variance
        figures["scree"] = lambda look: scree_picture(study, shown, look.theme)
    return Exhibit(
        kind=KIND.name,
        link=KIND.link(state),
        state=state,
        stem=f"{model_stem(study.model)}-{study.word}-layer{shown.layer}",
        result=result,
        table=lambda: plane_table(study, seen, parts.others),
        figures=figures,
    )


KIND = Kind("embeddings", "the plane", "/embeddings", "plane", DEFAULTS, make, ("plane", "scree"))

"""A word's measures by layer: where its senses part, and what chance gives."""

from __future__ import annotations

from explorer.figures.style import model_stem
from explorer.records import WordLayers, WordStudy
from explorer.session.session import Session
from explorer.session.settings import State
from explorer.views.embeddings.embeddings.compute import check_layer
from explorer.views.embeddings.layers.compute import layers_table, word_layers_of
from explorer.views.embeddings.layers.data import by_layer_json
from explorer.views.embeddings.layers.figure import layers_picture
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, study_request, study_settings

DEFAULTS = {**WORD}


def drawn(session: Session, state: State) -> tuple[WordStudy, WordLayers]:
    """The word and its measures.

    Raises:
        ValueError: an unusable sentence, word or layer.
        ModelError: the model cannot be loaded.
    """
    request = study_request(state)
    study = study_of(session, request)
    check_layer(study, int(state["layer"]))
    return study, word_layers_of(session, request)


def make(session: Session, state: State) -> Exhibit:
    """The measures as they are saved."""
    study, layers = drawn(session, state)
    layer = int(state["layer"])
    return KIND.exhibit(
        state,
        f"{model_stem(layers.model)}-{layers.word}-by-layer",
        result=lambda: by_layer_json(study, layers, layer, study_settings(session, state)),
        table=lambda: layers_table(layers),
        figures={"layers": lambda look: layers_picture(layers, look.theme, layer)},
    )


KIND = Kind("by_layer", "the measures by layer", "/embeddings", "layers", DEFAULTS, make, ("layers",))

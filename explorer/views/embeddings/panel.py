"""The Embeddings page: one word across sentences, static versus contextual.

the form, Run (embeddings_sentences.py)
    ─> embeddings-request (the part of a state that all views share), remarks
    ─> what is seen of it: embeddings_bar.py and, by its mode, the plane (embeddings_plane.py),
       the measures by layer (embeddings_layers.py), the matrix of occurrences
       (embeddings_similarity.py), the words it is read as (embeddings_meaning.py), a head's pull
       (embeddings_pull.py), positions (embeddings_positions.py)
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update

from explorer.app.address import Shown
from explorer.session.jobs import Jobs
from explorer.session.links import State as Settings
from explorer.session.links import Value
from explorer.session.session import Session
from explorer.views.embeddings import bar_panel as embeddings_bar
from explorer.views.embeddings import sentences_panel as embeddings_sentences
from explorer.views.embeddings.balance import set_notes
from explorer.views.embeddings.embeddings import options_panel as embeddings_switches
from explorer.views.embeddings.embeddings import panel as embeddings_plane
from explorer.views.embeddings.layers import panel as embeddings_layers
from explorer.views.embeddings.meaning import panel as embeddings_meaning
from explorer.views.embeddings.positions import panel as embeddings_positions
from explorer.views.embeddings.pull import panel as embeddings_pull
from explorer.views.embeddings.sentences_panel import in_fields
from explorer.views.embeddings.similarity import panel as embeddings_similarity
from explorer.views.panel import running
from explorer.views.panel.running import Run
from explorer.views.state import study_request

PATH, NAME, TITLE = "/embeddings", "embeddings", "Embeddings"
SHOWN = {
    embeddings_plane.MODE: Shown("embeddings-view", ("embeddings",)),
    embeddings_layers.MODE: Shown("embeddings-layers-view", ("by_layer",)),
    embeddings_similarity.MODE: Shown("embeddings-similarity-view", ("similarity",)),
    embeddings_meaning.MODE: Shown("embeddings-meaning-view", ("meaning",)),
    embeddings_pull.MODE: Shown("embeddings-pull-view", ("pull",)),
    embeddings_positions.MODE: Shown("embeddings-positions-view", ("positions",)),
}
ADDRESS = {
    "mode": "embeddings-mode",
    "layer": "embeddings-layer",
    **embeddings_sentences.ADDRESS,
    **embeddings_switches.ADDRESS,
    **embeddings_similarity.ADDRESS,
    **embeddings_meaning.ADDRESS,
    **embeddings_pull.ADDRESS,
    **embeddings_positions.ADDRESS,
}
AROUND: dict[str, Value] = {}

__all__ = ["ADDRESS", "AROUND", "NAME", "PATH", "SHOWN", "TITLE", "in_fields", "layout", "register"]


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="embeddings-view"),
        html.Section([embeddings_sentences.layout(), html.Div(id="embeddings-remarks")], className="panel form"),
        html.Section(
            [
                embeddings_bar.layout(),
                embeddings_plane.layout(),
                embeddings_layers.layout(),
                embeddings_similarity.layout(),
                embeddings_meaning.layout(),
                embeddings_pull.layout(),
                embeddings_positions.layout(),
            ],
            className="panel",
        ),
    ]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""

    def prepare(model: str, *fields: Any) -> Run:
        request = embeddings_sentences.request_from(model, *fields)
        return Run(request, lambda tell: session.study(study_request(request), tell))

    running.register(app, jobs, "embeddings", PATH, embeddings_sentences.TRIGGERS, embeddings_sentences.FORM, prepare)

    @app.callback(Output("embeddings-remarks", "children"), Input("embeddings-request", "data"))
    def show_remarks(request: Settings | None) -> Any:
        if request is None:
            return no_update
        shown = session.study(study_request(request))
        return running.remark_line([*shown.remarks, *set_notes(shown)])

    embeddings_sentences.register(app)
    embeddings_bar.register(app, session)
    embeddings_plane.register(app, session)
    embeddings_meaning.register(app, session, jobs)
    embeddings_pull.register(app, session)
    embeddings_positions.register(app, session, jobs)
    embeddings_layers.register(app, session, jobs)
    embeddings_similarity.register(app, session, jobs)

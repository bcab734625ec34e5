"""The Embeddings page: one word across sentences, static versus contextual.

the form, Run (embeddings_sentences.py)
    ─> embeddings-request, remarks ─> what is seen of it: embeddings_bar.py and, by its mode,
       the plane (embeddings_plane.py), the measures by layer (embeddings_layers.py), the matrix
       of occurrences (embeddings_similarity.py)
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update

from explorer.jobs import Jobs
from explorer.links import Value
from explorer.pages import (
    embeddings_bar,
    embeddings_layers,
    embeddings_meaning,
    embeddings_plane,
    embeddings_positions,
    embeddings_pull,
    embeddings_sentences,
    embeddings_similarity,
    running,
)
from explorer.pages.address import Shown
from explorer.pages.embeddings_request import request_of, study
from explorer.pages.running import Run
from explorer.session import Session
from explorer.views.balance import set_notes

PATH, NAME, TITLE = "/embeddings", "embeddings", "Embeddings"
SHOWN: dict[str, Shown] = {}
ADDRESS: dict[str, str] = {}
AROUND: dict[str, Value] = {}


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="embeddings-view"),
        html.Section(
            [embeddings_sentences.layout(), html.Div(id="embeddings-remarks")],
            className="panel form",
        ),
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
        return Run(request, lambda tell: session.study(request_of(request), tell))

    running.register(
        app, jobs, "embeddings", PATH, embeddings_sentences.TRIGGERS, embeddings_sentences.FORM,
        prepare,
    )  # fmt: skip

    @app.callback(Output("embeddings-remarks", "children"), Input("embeddings-request", "data"))
    def show_remarks(request: dict[str, Any] | None) -> Any:
        if request is None:
            return no_update
        shown = study(session, request)
        return running.remark_line([*shown.remarks, *set_notes(shown)])

    embeddings_sentences.register(app)
    embeddings_bar.register(app, session)
    embeddings_plane.register(app, session)
    embeddings_meaning.register(app, session, jobs)
    embeddings_pull.register(app, session)
    embeddings_positions.register(app, session, jobs)
    embeddings_layers.register(app, session, jobs)
    embeddings_similarity.register(app, session, jobs)

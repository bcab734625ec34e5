"""The Embeddings page: one word across sentences, static versus contextual.

the form, Run (sentences_panel.py) ─> embeddings-request (the settings that all views share), remarks
embeddings-request ─> the bar (bar_panel.py) and the view that embeddings-mode chooses, each in its
                      folder's panel.py
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html, no_update

from explorer.session.jobs import Jobs
from explorer.session.requests import WordRequest
from explorer.session.session import Session
from explorer.views.embeddings import bar_panel as embeddings_bar
from explorer.views.embeddings import sentences_panel as embeddings_sentences
from explorer.views.embeddings.balance import set_notes
from explorer.views.embeddings.page import PAGE
from explorer.views.embeddings.sentences_panel import in_fields
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import panels_of

__all__ = ["PAGE", "in_fields", "layout", "register"]


def layout() -> list[Any]:
    """The page's components."""
    return [
        html.Section([embeddings_sentences.layout(), html.Div(id="embeddings-remarks")], className="panel form"),
        html.Section([embeddings_bar.layout(), *(panel.layout() for panel in panels_of(PAGE))], className="panel"),
    ]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""

    def prepare(model: str, *fields: Any) -> Run:
        request = embeddings_sentences.request_from(model, *fields)
        return Run(request, lambda tell: study_of(session, WordRequest.of(request).study, tell))

    running.register(
        app, jobs, PAGE.name, PAGE.path, embeddings_sentences.TRIGGERS, embeddings_sentences.FORM, prepare
    )

    @app.callback(Output("embeddings-remarks", "children"), Input("embeddings-request", "data"))
    def show_remarks(request: dict[str, Any] | None) -> Any:
        if request is None:
            return no_update
        shown = study_of(session, WordRequest.of(request).study)
        return running.remark_line([*shown.remarks, *set_notes(shown)])

    embeddings_sentences.register(app)
    embeddings_bar.register(app, session)
    for panel in panels_of(PAGE):
        panel.register(app, session, jobs)

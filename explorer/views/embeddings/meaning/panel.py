"""What the word means now, on the Embeddings page: the words that its vectors are read as.

embeddings-request ─> embeddings-meaning-place               what can be chosen
embeddings-mode, embeddings-request, embeddings-meaning-place, -by ─> embeddings-meaning-job
    ─> embeddings-meaning-request, embeddings-layer, theme ─>
           embeddings-meaning-graph, caption, embeddings-meaning-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.meaning import VIEW, MeaningSettings
from explorer.views.embeddings.meaning.compute import compute, places
from explorer.views.embeddings.meaning.figure import meaning_caption, meaning_figure, panel_height
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import graph, labelled, options_of, segments, select
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the words read at each layer appear here"
_BY = {"head": "the model’s head", "static": "static vectors"}


def layout() -> Any:
    """The view's components."""
    return part(
        VIEW,
        *running.stores("embeddings-meaning"),
        html.Div(_controls(), className="controls"),
        html.Div(id="embeddings-meaning-message"),
        html.Div(graph("embeddings-meaning-graph", _MESSAGE), className="scrolling"),
        html.P(id="embeddings-meaning-caption", className="caption"),
    )


def _controls() -> list[Any]:
    place = select("embeddings-meaning-place", "0", 300, searchable=True, limit=100)
    why = (
        "The model's own language-model head, where the checkpoint has one; or the words whose static "
        "vectors are nearest"
    )
    return [
        labelled("read at", "Which vector is read: that of one sentence, or the mean of a sense", place),
        html.Div([html.B("by"), segments("embeddings-meaning-by", "head", _BY)], className="selector", title=why),
    ]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    @app.callback(
        Output("embeddings-meaning-place", "data"),
        Output("embeddings-meaning-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-meaning-place", "value"),
    )
    def offer_places(request: dict[str, Any] | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study_of(session, MeaningSettings.of(request).study))
        return options_of(named), chosen if chosen in named else "0"

    def read(mode: str, request: dict[str, Any] | None, place: str, by: str) -> Run | None:
        if mode != VIEW.name or request is None:
            return None
        request = {**request, "meaning_of": place, "read_by": by}
        settings = MeaningSettings.of(request)
        return Run(request, lambda progress: compute(session, settings, progress))

    inputs = [
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-meaning-place", "value"),
        Input("embeddings-meaning-by", "value"),
    ]
    running.follow(app, jobs, "embeddings-meaning", inputs, [], read)

    @draws(
        app,
        VIEW,
        ["embeddings-meaning-graph"],
        [Input("embeddings-meaning-request", "data"), Input("embeddings-layer", "value"), Input("theme", "data")],
        [Output("embeddings-meaning-graph", "style"), Output("embeddings-meaning-caption", "children")],
        _MESSAGE,
    )
    def draw_meaning(request: dict[str, Any] | None, layer: int, theme: str) -> Drawing | None:
        if request is None:
            return None
        settings = MeaningSettings.of({**request, "layer": layer})
        record = compute(session, settings)
        also = [{"minHeight": f"{panel_height(record)}px"}, meaning_caption(record)]
        return Drawing([meaning_figure(record, theme, layer)], settings, also)

"""What the word means now, on the Embeddings page: the words that its vectors are read as.

embeddings-request ─> embeddings-meaning-place               what can be chosen
embeddings-mode, embeddings-request, embeddings-meaning-place, -by ─> embeddings-meaning-job
    ─> embeddings-meaning-request, embeddings-layer, theme ─>
           embeddings-meaning-graph, caption, embeddings-meaning-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.embeddings.meaning import view as meaning
from explorer.views.embeddings.meaning.compute import meaning_of, places
from explorer.views.embeddings.meaning.figure import meaning_caption, meaning_figure, panel_height
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, labelled
from explorer.views.panel.running import Run
from explorer.views.state import study_request

MODE = "meaning"
ADDRESS = {"meaning_of": "embeddings-meaning-place", "read_by": "embeddings-meaning-by"}
_BY = {"head": "the model’s head", "static": "static vectors"}


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("embeddings-meaning"),
            dcc.Store(id="embeddings-meaning-state"),
            _controls(),
            html.Div(id="embeddings-meaning-message"),
            html.Div(
                dcc.Graph(
                    id="embeddings-meaning-graph",
                    responsive=True,
                    className="graph",
                    config=STILL,
                    figure=blank_figure("the words read at each layer appear here"),
                ),
                className="scrolling",
            ),
            html.P(id="embeddings-meaning-caption", className="caption"),
        ],
        id="embeddings-meaning-part",
        className="part hidden",
    )


def _controls() -> Any:
    place = dmc.Select(
        id="embeddings-meaning-place",
        value="0",
        data=[],
        size="xs",
        w=300,
        searchable=True,
        allowDeselect=False,
        limit=100,
    )
    by = dmc.SegmentedControl(
        id="embeddings-meaning-by",
        value="head",
        size="xs",
        data=[{"value": value, "label": label} for value, label in _BY.items()],
    )
    return html.Div(
        [
            labelled("read at", "Which vector is read: that of one sentence, or the mean of a sense", place),
            html.Div(
                [html.B("by"), by],
                className="selector",
                title="The model's own language-model head, where the checkpoint has one; or the "
                "words whose static vectors are nearest",
            ),
        ],
        className="controls",
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    @app.callback(
        Output("embeddings-meaning-place", "data"),
        Output("embeddings-meaning-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-meaning-place", "value"),
    )
    def offer_places(request: Settings | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study_of(session, study_request(request)))
        data = [{"value": value, "label": label} for value, label in named.items()]
        return data, chosen if chosen in named else "0"

    def read(mode: str, request: Settings | None, place: str, by: str) -> Run | None:
        if mode != MODE or request is None:
            return None
        wanted = {**request, "mode": MODE, "meaning_of": place, "read_by": by}
        study = study_request(request)
        chosen = meaning.members_of(study_of(session, study), wanted)
        return Run(wanted, lambda tell: meaning_of(session, study, chosen, by == "head", tell))

    asked = [
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-meaning-place", "value"),
        Input("embeddings-meaning-by", "value"),
    ]
    running.follow(app, jobs, "embeddings-meaning", asked, [], read)

    @app.callback(
        Output("embeddings-meaning-graph", "figure"),
        Output("embeddings-meaning-graph", "style"),
        Output("embeddings-meaning-caption", "children"),
        Output("embeddings-meaning-state", "data"),
        Input("embeddings-meaning-request", "data"),
        Input("embeddings-layer", "value"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
    )
    def show_meaning(wanted: Settings | None, layer: int, theme: str, mode: str) -> Any:
        if wanted is None or mode != MODE:
            return (no_update,) * 4
        state = {**wanted, "layer": layer}
        try:
            shown = meaning.drawn(session, state)
        except (ValueError, ModelError) as error:
            return no_update, no_update, running.error_line(str(error)), no_update
        style = {"minHeight": f"{panel_height(shown)}px"}
        return meaning_figure(shown, theme, layer), style, meaning_caption(shown), state

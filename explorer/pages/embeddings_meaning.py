"""What the word means now, on the Embeddings page: the words that its vectors are read as.

embeddings-mode ─> embeddings-meaning                        shown or not
embeddings-request ─> embeddings-meaning-place               what can be chosen
embeddings-mode, embeddings-request, embeddings-meaning-place, -by ─> embeddings-meaning-job
    ─> embeddings-meaning-request, embeddings-layer, theme ─>
           embeddings-meaning-graph, caption, embeddings-meaning-view (what is saved)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.export.meaning import meaning_table
from explorer.figures.meaning import meaning_caption, meaning_figure, panel_height
from explorer.figures.style import blank_figure, model_stem
from explorer.jobs import Jobs
from explorer.pages import running
from explorer.pages.embeddings_request import request_of, study
from explorer.pages.fields import STILL
from explorer.pages.running import Run
from explorer.records import Meaning
from explorer.session import Session
from explorer.views.meaning import members, places

MODE = "meaning"
_BY = {"head": "the model’s head", "static": "static vectors"}


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("embeddings-meaning"),
            dcc.Store(id="embeddings-meaning-view"),
            _controls(),
            html.Div(id="embeddings-meaning-message"),
            html.Div(
                dcc.Graph(
                    id="embeddings-meaning-graph", responsive=True, className="graph",
                    config=STILL,
                    figure=blank_figure("the words read at each layer appear here"),
                ),
                className="scrolling",
            ),
            html.P(id="embeddings-meaning-caption", className="caption"),
        ],
        id="embeddings-meaning",
        className="part hidden",
    )  # fmt: skip


def _controls() -> Any:
    place = dmc.Select(
        id="embeddings-meaning-place", value="0", data=[], size="xs", w=300, searchable=True,
        allowDeselect=False, limit=100,
    )  # fmt: skip
    by = dmc.SegmentedControl(
        id="embeddings-meaning-by", value="head", size="xs",
        data=[{"value": value, "label": label} for value, label in _BY.items()],
    )  # fmt: skip
    return html.Div(
        [
            html.Label(
                ["read at", place], className="selector",
                title="Which vector is read: that of one sentence, or the mean of a sense",
            ),
            html.Div(
                [html.B("by"), by], className="selector",
                title="The model's own language-model head, where the checkpoint has one; or the "
                "words whose static vectors are nearest",
            ),
        ],
        className="controls",
    )  # fmt: skip


def shown_meaning(session: Session, view: dict[str, Any]) -> Meaning:
    """What is on the screen, out of what the browser keeps in ``embeddings-meaning-view``.

    Raises:
        ValueError: an unusable sentence or word.
        ModelError: the model is gone and cannot be loaded again.
    """
    chosen = members(study(session, view["request"]), view["place"])
    return session.meaning(request_of(view["request"]), chosen, view["by"] == "head")


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of the words on the screen, from ``embeddings-meaning-view``."""
    shown = shown_meaning(session, view)
    model = model_stem(shown.model)
    return f"{model}-{shown.word}-meaning.csv", meaning_table(shown).csv()


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("meaning", "show"),
        Output("embeddings-meaning", "className"),
        Input("embeddings-mode", "value"),
    )

    @app.callback(
        Output("embeddings-meaning-place", "data"),
        Output("embeddings-meaning-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-meaning-place", "value"),
    )
    def offer_places(request: dict[str, Any] | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study(session, request))
        data = [{"value": value, "label": label} for value, label in named.items()]
        return data, chosen if chosen in named else "0"

    def read(mode: str, request: dict[str, Any] | None, place: str, by: str) -> Run | None:
        if mode != MODE or request is None:
            return None
        chosen = members(study(session, request), place)
        wanted = {"request": request, "place": place, "by": by}
        return Run(
            wanted,
            lambda tell: session.meaning(request_of(request), chosen, by == "head", tell),
        )

    asked = [
        Input("embeddings-mode", "value"), Input("embeddings-request", "data"),
        Input("embeddings-meaning-place", "value"), Input("embeddings-meaning-by", "value"),
    ]  # fmt: skip
    running.follow(app, jobs, "embeddings-meaning", asked, [], read)

    @app.callback(
        Output("embeddings-meaning-graph", "figure"),
        Output("embeddings-meaning-graph", "style"),
        Output("embeddings-meaning-caption", "children"),
        Output("embeddings-meaning-view", "data"),
        Input("embeddings-meaning-request", "data"),
        Input("embeddings-layer", "value"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
    )
    def show_meaning(view: dict[str, Any] | None, layer: int, theme: str, mode: str) -> Any:
        if view is None or mode != MODE:
            return (no_update,) * 4
        shown = shown_meaning(session, view)
        style = {"minHeight": f"{panel_height(shown)}px"}
        return meaning_figure(shown, theme, layer), style, meaning_caption(shown), view

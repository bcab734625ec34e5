"""The Embeddings page's matrix of occurrences, and the senses their vectors propose.

embeddings-mode, embeddings-request, embeddings-layer ─> embeddings-similarity-job  (grouping)
    ─> embeddings-similarity-request, embeddings-similarity-values, theme ─>
           embeddings-similarity-graph, proposals, caption, embeddings-similarity-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, Proposals, WordSimilarity, WordStudy
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.embeddings.similarity import view as similarity
from explorer.views.embeddings.similarity.compute import proposals_in_words, word_similarity_of
from explorer.views.embeddings.similarity.figure import excerpt, similarity_caption, similarity_figure
from explorer.views.embeddings.similarity.view import CORRECTED, RAW
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, labelled
from explorer.views.panel.running import Run
from explorer.views.state import study_request

MODE = "similarity"
ADDRESS = {"values": "embeddings-similarity-values"}
_MESSAGE = "every two occurrences appear here"
_TYPICAL = 2  # sentences shown of each proposal


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("embeddings-similarity"),
            dcc.Store(id="embeddings-similarity-state"),
            html.Div(
                labelled(
                    "values",
                    "The cosine as it is, or minus that of random words at this layer, so "
                    "that 0 is as alike as any two words",
                    dmc.SegmentedControl(
                        id="embeddings-similarity-values",
                        value=RAW,
                        size="xs",
                        data=[{"value": RAW, "label": "cosine"}, {"value": CORRECTED, "label": "minus anisotropy"}],
                    ),
                ),
                className="controls",
            ),
            html.Div(id="embeddings-similarity-message"),
            html.Div(
                [
                    dcc.Graph(
                        id="embeddings-similarity-graph",
                        responsive=True,
                        className="graph",
                        config=STILL,
                        figure=blank_figure(_MESSAGE),
                    ),
                    html.Div(id="embeddings-similarity-proposals", className="proposals"),
                ],
                className="beside",
            ),
            html.P(id="embeddings-similarity-caption", className="caption"),
        ],
        id="embeddings-similarity-part",
        className="part hidden",
    )


def proposed(study: WordStudy, shown: WordSimilarity) -> Any:
    """What the vectors alone propose, each group with its most typical sentences."""
    found = shown.proposals
    groups = [] if found is None else [_group(study, found, n) for n in range(len(found.typical))]
    return [html.H3("Proposed senses"), html.P(proposals_in_words(found)), *groups]


def _group(study: WordStudy, found: Proposals, number: int) -> Any:
    members = [study.occurrences[place] for place in found.typical[number]]
    counts = {sense: sum(o.sense == sense for o in members) for sense in (o.sense for o in members)}
    given = ", ".join(f"{count} {sense or 'no sense given'}" for sense, count in counts.items())
    lines = [html.Li(f"{o.sentence + 1}: {excerpt(o, 90)}", dir="auto") for o in members[:_TYPICAL]]
    return html.Section([html.B(f"proposal {number + 1}"), html.Span(f" {given}; most typical:"), html.Ul(lines)])


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    def compare(mode: str, request: Settings | None, layer: int) -> Run | None:
        if mode != MODE or request is None:
            return None
        study = study_request(request)
        return Run(
            {**request, "layer": layer, "mode": MODE}, lambda tell: word_similarity_of(session, study, layer, tell)
        )

    opened = [
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-layer", "value"),
    ]
    running.follow(app, jobs, "embeddings-similarity", opened, [], compare)

    @app.callback(
        Output("embeddings-similarity-graph", "figure"),
        Output("embeddings-similarity-proposals", "children"),
        Output("embeddings-similarity-caption", "children"),
        Output("embeddings-similarity-state", "data"),
        Input("embeddings-similarity-request", "data"),
        Input("embeddings-similarity-values", "value"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
    )
    def show_similarity(wanted: Settings | None, values: str, theme: str, mode: str) -> Any:
        if wanted is None or mode != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "embeddings-mode"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 3
        state = wanted | {"values": values}
        try:
            study, shown, corrected = similarity.drawn(session, state)
        except (ValueError, ModelError) as error:
            return no_update, no_update, running.error_line(str(error)), no_update
        return (
            similarity_figure(study, shown, corrected, theme),
            proposed(study, shown),
            similarity_caption(study, shown, corrected),
            state,
        )

"""The Embeddings page's matrix of occurrences, and the senses their vectors propose.

embeddings-mode, embeddings-request, embeddings-layer ─> embeddings-similarity-job  (grouping)
    ─> embeddings-similarity-request, embeddings-similarity-values, theme ─>
           embeddings-similarity-graph, proposals, caption, embeddings-similarity-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html

from explorer.records import Proposals, WordSimilarity, WordStudy
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.similarity import CORRECTED, RAW, VIEW, SimilaritySettings
from explorer.views.embeddings.similarity.compute import compute, proposals_in_words
from explorer.views.embeddings.similarity.figure import excerpt, similarity_caption, similarity_figure
from explorer.views.panel import running
from explorer.views.panel.fields import graph, labelled, segments
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, fits_ranges, part

_MESSAGE = "every two occurrences appear here"
_TYPICAL = 2  # sentences of each proposal


def layout() -> Any:
    """The view's components."""
    values = segments("embeddings-similarity-values", RAW, {RAW: "cosine", CORRECTED: "minus anisotropy"})
    why = "The cosine as it is, or minus that of random words at this layer, so that 0 is as alike as any two words"
    return part(
        VIEW,
        *running.stores("embeddings-similarity"),
        html.Div(labelled("values", why, values), className="controls"),
        html.Div(id="embeddings-similarity-message"),
        html.Div(
            [
                graph("embeddings-similarity-graph", _MESSAGE),
                html.Div(id="embeddings-similarity-proposals", className="proposals"),
            ],
            className="beside",
        ),
        html.P(id="embeddings-similarity-caption", className="caption"),
    )


def proposed(study: WordStudy, similarity: WordSimilarity) -> Any:
    """What the vectors alone propose, each group with its most typical sentences."""
    found = similarity.proposals
    groups = [] if found is None else [_group(study, found, n) for n in range(len(found.typical))]
    return [html.H3("Proposed senses"), html.P(proposals_in_words(found)), *groups]


def _group(study: WordStudy, found: Proposals, number: int) -> Any:
    members = [study.occurrences[place] for place in found.typical[number]]
    counts = {sense: sum(o.sense == sense for o in members) for sense in (o.sense for o in members)}
    labelled_as = ", ".join(f"{count} {sense or 'no sense given'}" for sense, count in counts.items())
    lines = [html.Li(f"{o.sentence + 1}: {excerpt(o, 90)}", dir="auto") for o in members[:_TYPICAL]]
    return html.Section(
        [html.B(f"proposal {number + 1}"), html.Span(f" {labelled_as}; most typical:"), html.Ul(lines)]
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    fits_ranges(app, "embeddings-similarity-graph")

    def compare(mode: str, request: dict[str, Any] | None, layer: int) -> Run | None:
        if mode != VIEW.name or request is None:
            return None
        request = {**request, "layer": layer}
        settings = SimilaritySettings.of(request)
        return Run(request, lambda progress: compute(session, settings, progress))

    inputs = [
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-layer", "value"),
    ]
    running.follow(app, jobs, "embeddings-similarity", inputs, [], compare)

    @draws(
        app,
        VIEW,
        ["embeddings-similarity-graph"],
        [
            Input("embeddings-similarity-request", "data"),
            Input("embeddings-similarity-values", "value"),
            Input("theme", "data"),
        ],
        [Output("embeddings-similarity-proposals", "children"), Output("embeddings-similarity-caption", "children")],
        _MESSAGE,
    )
    def draw_similarity(request: dict[str, Any] | None, values: str, theme: str) -> Drawing | None:
        if request is None:
            return None
        settings = SimilaritySettings.of({**request, "values": values}).check()
        record = compute(session, settings)
        of = record.study, record.similarity
        also = [proposed(*of), similarity_caption(*of, record.corrected)]
        return Drawing([similarity_figure(*of, record.corrected, theme)], settings, also)

"""The pull of a head: what each token adds to the word, as arrows, a table and a bar a head.

embeddings-mode, -request ─> embeddings-pull-place, -head                   what can be chosen
embeddings-mode, -request, -layer, -plane-switches, ─> embeddings-pull-graph, -heads, -table,
the fields, theme                                       caption, message, -view (its state)
a clicked bar (in the browser) ─> embeddings-pull-head

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from explorer.records import ModelError, PlaneOptions, WordStudy
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.embeddings.compute import plane_options
from explorer.views.embeddings.pull import ALL, SEEN, TRUE, VIEW, PullSettings
from explorer.views.embeddings.pull.compute import compute, pull_rows, sentence_of
from explorer.views.embeddings.pull.figure import heads_figure, pull_caption, pull_figure
from explorer.views.embeddings.study import study_of
from explorer.views.panel.fields import ZOOMABLE, graph, labelled, options_of, segments, select
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the head’s pull appears here"
# Field, header, help, number format.
_COLUMNS = (
    ("label", "token", "Whose arrow it is", None),
    ("weight", "A", "Attention weight on the token; of all heads their mean", ".3f"),
    ("value_norm", "‖vW‖", "‖v W_O‖: length of what the token gives a head that looks at it", ".3~g"),
    ("length", "length", "Length of its arrow A·v·W_O in the full space", ".3~g"),
    ("seen", "seen", "The share of that length which this plane shows", ".0%"),
    ("cosine", "cos", "Cosine of its arrow with the sum, full space", ".2f"),
    ("share", "of sum", "Its part of the sum, along it, full space; together 100%", ".0%"),
)


def layout() -> Any:
    """The view's components."""
    heads = graph("embeddings-pull-heads", "", style="bars")
    return part(
        VIEW,
        html.Div(_controls(), className="controls"),
        html.Div(
            [graph("embeddings-pull-graph", _MESSAGE, ZOOMABLE), html.Aside([heads, _table()])], className="pulling"
        ),
        html.P(id="embeddings-pull-caption", className="caption"),
    )


def _controls() -> list[Any]:
    lengths = {SEEN: "to be seen", TRUE: "true length"}
    why = "At their true length, or longer where that is too short to see; the title gives the factor"
    return [
        labelled(
            "sentence",
            "Which occurrence of the word is pulled",
            select("embeddings-pull-place", "0", 240, searchable=True),
        ),
        labelled("head", PullSettings.help_of("head"), select("embeddings-pull-head", ALL, 110)),
        labelled("arrows", why, segments("embeddings-pull-length", SEEN, lengths)),
    ]


def _table() -> Any:
    columns: list[dict[str, Any]] = []
    for field, name, why, form in _COLUMNS:
        own = {"flex": 2, "minWidth": 78} if form is None else {"valueFormatter": {"function": _formatted(form)}}
        columns.append({"field": field, "headerName": name, "headerTooltip": why} | own)
        if form is not None:
            columns[-1]["type"] = "rightAligned"
    default = {"sortable": True, "resizable": True, "flex": 1, "minWidth": 46, "sortingOrder": ["desc", "asc", None]}
    return dag.AgGrid(
        id="embeddings-pull-table",
        columnDefs=columns,
        rowData=[],
        defaultColDef=default,
        dashGridOptions=_grid_options([]),
    )


def _formatted(form: str) -> str:
    return f"params.value == null ? '–' : d3.format('{form}')(params.value)"


def _grid_options(last: list[dict[str, Any]]) -> dict[str, Any]:
    heights = {"rowHeight": 26, "headerHeight": 30}
    return {**heights, "tooltipShowDelay": 300, "animateRows": False, "pinnedBottomRowData": last}


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("embeddings_pull", "pickHead"),
        Output("embeddings-pull-head", "value", allow_duplicate=True),
        Input("embeddings-pull-heads", "clickData"),
    )
    _register_figures(app, session)

    @app.callback(
        Output("embeddings-pull-place", "data"),
        Output("embeddings-pull-place", "value"),
        Output("embeddings-pull-head", "data"),
        Output("embeddings-pull-head", "value"),
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-pull-place", "value"),
        State("embeddings-pull-head", "value"),
    )
    def offer(mode: str, request: dict[str, Any] | None, place: str, head: str) -> Any:
        if mode != VIEW.name or request is None:
            return (no_update,) * 4
        try:
            settings = PullSettings.of(request)
            study = study_of(session, settings.study)
            n_heads = sentence_of(session, study, settings).stack().n_heads
        except (ValueError, ModelError):  # draw_pull reports it
            return (no_update,) * 4
        places = choices(study)
        heads = {ALL: "all heads"} | {str(n): str(n) for n in range(n_heads)}
        return (
            options_of(places),
            place if place in places else "0",
            options_of(heads),
            head if head in heads else ALL,
        )


def _register_figures(app: Dash, session: Session) -> None:
    @draws(
        app,
        VIEW,
        ["embeddings-pull-graph", "embeddings-pull-heads"],
        [
            Input("embeddings-request", "data"),
            Input("embeddings-plane-switches", "data"),
            Input("embeddings-layer", "value"),
            Input("embeddings-pull-place", "value"),
            Input("embeddings-pull-head", "value"),
            Input("embeddings-pull-length", "value"),
            Input("theme", "data"),
        ],
        [
            Output("embeddings-pull-table", "rowData"),
            Output("embeddings-pull-table", "dashGridOptions"),
            Output("embeddings-pull-caption", "children"),
        ],
        _MESSAGE,
    )
    def draw_pull(
        request: dict[str, Any] | None, options: Any, layer: int, place: str, head: str, length: str, theme: str
    ) -> Drawing | None:
        if request is None or options is None:
            return None
        fit = {name: options[name] for name in ("basis", "normalise", "method", "axes", "drop_first")}
        own = {"layer": layer, "pull_on": int(place), "head": head, "arrow_length": length}
        settings = PullSettings.of({**request, **fit, **own}).check()
        record = compute(session, settings)
        study, pulled, plane = record.study, record.pulled, record.plane
        *rows, total = pull_rows(plane)
        return Drawing(
            [pull_figure(study, pulled, plane, record.times, theme), heads_figure(pulled, plane, theme)],
            settings,
            [rows, _grid_options([total]), pull_caption(study, pulled, plane, record.times)],
            [*_layer_remarks(layer, pulled.layer), *_plane_remarks(plane_options(settings))],
        )


def choices(study: WordStudy) -> dict[str, str]:
    """The label of each occurrence: sentence number, sense, text."""
    return {str(place): f"{o.sentence + 1} · {o.sense} · {o.text}" for place, o in enumerate(study.occurrences)}


def _layer_remarks(requested: int, layer: int) -> list[str]:
    if requested <= layer:
        return []
    return [f"layer {requested} is the model’s result, which no attention reads: layer {layer} is shown"]


def _plane_remarks(options: PlaneOptions) -> list[str]:
    """Options of the plane view that do not apply to arrows."""
    unusable = ["t-SNE"] if options.method == "tsne" else []
    if options.normalise == "unit":
        unusable.append("unit length")
    if not unusable:
        return []
    instead = "PCA" if options.method == "tsne" else "the vectors as they are"
    return [
        f"the plane view shows {' and '.join(unusable)}, where a difference of vectors has no "
        f"place: arrows are drawn on {instead}"
    ]

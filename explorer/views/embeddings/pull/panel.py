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
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, PlaneOptions, WordStudy
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.embeddings.compute import options_of
from explorer.views.embeddings.pull import ALL, SEEN, TRUE, VIEW, PullSettings
from explorer.views.embeddings.pull.compute import compute, pull_rows, sentence_of
from explorer.views.embeddings.pull.figure import heads_figure, pull_caption, pull_figure
from explorer.views.embeddings.study import study_of
from explorer.views.panel.fields import STILL, ZOOMABLE, labelled
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the head’s pull appears here"
# Field, header, what it says, how it is written.
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
    return part(
        VIEW,
        _controls(),
        html.Div(
            [
                dcc.Graph(
                    id="embeddings-pull-graph",
                    config=ZOOMABLE,
                    responsive=True,
                    className="graph",
                    figure=blank_figure(_MESSAGE),
                ),
                html.Aside(
                    [
                        dcc.Graph(
                            id="embeddings-pull-heads",
                            responsive=True,
                            className="bars",
                            config=STILL,
                            figure=blank_figure(""),
                        ),
                        _table(),
                    ]
                ),
            ],
            className="pulling",
        ),
        html.P(id="embeddings-pull-caption", className="caption"),
    )


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "sentence",
                "Which occurrence of the word is pulled",
                dmc.Select(
                    id="embeddings-pull-place",
                    value="0",
                    data=[],
                    size="xs",
                    w=240,
                    allowDeselect=False,
                    searchable=True,
                ),
            ),
            labelled(
                "head",
                "One head of the layer, or all of them with the output bias",
                dmc.Select(id="embeddings-pull-head", value=ALL, data=[], size="xs", w=110, allowDeselect=False),
            ),
            labelled(
                "arrows",
                "At their true length beside the points, or longer where that is too "
                "short to see; the title says how many times",
                dmc.SegmentedControl(
                    id="embeddings-pull-length",
                    value=SEEN,
                    size="xs",
                    data=[{"value": SEEN, "label": "to be seen"}, {"value": TRUE, "label": "true length"}],
                ),
            ),
        ],
        className="controls",
    )


def _table() -> Any:
    columns = [
        {"field": field, "headerName": name, "headerTooltip": why}
        | (
            {"valueFormatter": {"function": _formatted(form)}, "type": "rightAligned"}
            if form
            else {"flex": 2, "minWidth": 78}
        )
        for field, name, why, form in _COLUMNS
    ]
    return dag.AgGrid(
        id="embeddings-pull-table",
        columnDefs=columns,
        rowData=[],
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "flex": 1,
            "minWidth": 46,
            "sortingOrder": ["desc", "asc", None],
        },
        dashGridOptions=_grid_options([]),
    )


def _formatted(form: str) -> str:
    return f"params.value == null ? '–' : d3.format('{form}')(params.value)"


def _grid_options(last: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rowHeight": 26,
        "headerHeight": 30,
        "tooltipShowDelay": 300,
        "animateRows": False,
        "pinnedBottomRowData": last,
    }


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_browser_side(app)
    _register_picture(app, session)

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
            read = sentence_of(session, study, settings)
        except (ValueError, ModelError):  # draw_pull says what is wrong
            return (no_update,) * 4
        places = choices(study)
        heads = [{"value": ALL, "label": "all heads"}]
        heads += [{"value": str(n), "label": str(n)} for n in range(read.stack().n_heads)]
        return places, _offered(place, places), heads, _offered(head, heads)


def _register_picture(app: Dash, session: Session) -> None:
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
            [*_on_layer(layer, pulled.layer), *_on_plane(options_of(settings))],
        )


def _offered(chosen: str, offered: list[dict[str, str]]) -> str:
    """What was chosen where it is there; the first otherwise."""
    values = [one["value"] for one in offered]
    return chosen if chosen in values else values[0]


def choices(of: WordStudy) -> list[dict[str, str]]:
    """The study's occurrences, to choose one: number, sense, and how its sentence begins."""
    return [
        {"value": str(place), "label": f"{o.sentence + 1} · {o.sense} · {o.text}"}
        for place, o in enumerate(of.occurrences)
    ]


def _on_layer(asked: int, layer: int) -> list[str]:
    if asked <= layer:
        return []
    return [f"layer {asked} is the model’s result, which no attention reads: layer {layer} is shown"]


def _on_plane(options: PlaneOptions) -> list[str]:
    """What the plane view shows otherwise than arrows can be."""
    asked = [
        *(["t-SNE"] if options.method == "tsne" else []),
        *(["unit length"] if options.normalise == "unit" else []),
    ]
    if not asked:
        return []
    instead = "PCA" if options.method == "tsne" else "the vectors as they are"
    return [
        f"the plane view shows {' and '.join(asked)}, where a difference of vectors has no "
        f"place: arrows are drawn on {instead}"
    ]


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("embeddings_pull", "pickHead"),
        Output("embeddings-pull-head", "value", allow_duplicate=True),
        Input("embeddings-pull-heads", "clickData"),
    )

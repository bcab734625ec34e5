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
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, PlaneOptions, WordStudy
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.embeddings.embeddings import view as plane
from explorer.views.embeddings.pull import view as pull
from explorer.views.embeddings.pull.compute import pull_rows
from explorer.views.embeddings.pull.figure import heads_figure, pull_caption, pull_figure
from explorer.views.embeddings.pull.view import ALL, SEEN, TRUE
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, ZOOMABLE, labelled
from explorer.views.state import study_request

MODE = "pull"
ADDRESS = {
    "pull_on": "embeddings-pull-place",
    "head": "embeddings-pull-head",
    "arrow_length": "embeddings-pull-length",
}
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
    return html.Div(
        [
            dcc.Store(id="embeddings-pull-state"),
            _controls(),
            html.Div(id="embeddings-pull-message", role="status"),
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
        ],
        id="embeddings-pull-part",
        className="part hidden",
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


def register(app: Dash, session: Session) -> None:
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
    def offer(mode: str, request: Settings | None, place: str, head: str) -> Any:
        if mode != MODE or request is None:
            return (no_update,) * 4
        try:
            study = study_of(session, study_request(request))
            read = pull.sentence_of(session, study, {**request, "pull_on": 0})
        except (ValueError, ModelError):  # told by the picture
            return (no_update,) * 4
        places = choices(study)
        heads = [{"value": ALL, "label": "all heads"}]
        heads += [{"value": str(n), "label": str(n)} for n in range(read.stack().n_heads)]
        return places, _offered(place, places), heads, _offered(head, heads)


def _register_picture(app: Dash, session: Session) -> None:
    @app.callback(
        Output("embeddings-pull-graph", "figure"),
        Output("embeddings-pull-heads", "figure"),
        Output("embeddings-pull-table", "rowData"),
        Output("embeddings-pull-table", "dashGridOptions"),
        Output("embeddings-pull-caption", "children"),
        Output("embeddings-pull-message", "children"),
        Output("embeddings-pull-state", "data"),
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-plane-switches", "data"),
        Input("embeddings-layer", "value"),
        Input("embeddings-pull-place", "value"),
        Input("embeddings-pull-head", "value"),
        Input("embeddings-pull-length", "value"),
        Input("theme", "data"),
    )
    def show_pull(
        mode: str, request: Settings | None, switches: Any, layer: int, place: str, head: str, length: str, theme: str
    ) -> Any:
        if mode != MODE or request is None or switches is None:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "embeddings-mode"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 6
        try:
            state = {
                **request,
                **{name: switches[name] for name in plane.FIT},
                "mode": MODE,
                "layer": layer,
                "pull_on": int(place),
                "head": head,
                "arrow_length": length,
            }
            drawn = pull.drawn(session, state)
        except (ValueError, ModelError) as error:
            return (
                blank_figure(_MESSAGE),
                blank_figure(""),
                [],
                _grid_options([]),
                "",
                running.error_line(str(error)),
                None,
            )
        of, one, arrows = drawn.study, drawn.pulled, drawn.plane
        *rows, total = pull_rows(arrows)
        remarks = [*_on_layer(layer, one.layer), *_on_plane(plane.switches_of(state))]
        return (
            pull_figure(of, one, arrows, drawn.times, theme),
            heads_figure(one, arrows, theme),
            rows,
            _grid_options([total]),
            pull_caption(of, one, arrows, drawn.times),
            running.remark_line(remarks),
            state,
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


def _on_plane(switches: PlaneOptions) -> list[str]:
    """What the plane view shows otherwise than arrows can be."""
    asked = [
        *(["t-SNE"] if switches.method == "tsne" else []),
        *(["unit length"] if switches.normalise == "unit" else []),
    ]
    if not asked:
        return []
    instead = "PCA" if switches.method == "tsne" else "the vectors as they are"
    return [
        f"the plane view shows {' and '.join(asked)}, where a difference of vectors has no "
        f"place: arrows are drawn on {instead}"
    ]


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("pull", "pickHead"),
        Output("embeddings-pull-head", "value", allow_duplicate=True),
        Input("embeddings-pull-heads", "clickData"),
    )

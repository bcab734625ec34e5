"""The pull of a head: what each token adds to the word, as arrows, a table and a bar a head.

embeddings-mode ─> embeddings-pull                                          shown or not
embeddings-mode, -request ─> embeddings-pull-place, -head                   what can be chosen
embeddings-mode, -request, -layer, -plane-switches, ─> embeddings-pull-graph, -heads, -table,
the fields, theme                                       caption, message, -view (what is saved)
a clicked bar (in the browser) ─> embeddings-pull-head

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.pull import heads_figure, pull_caption, pull_figure, stretch
from explorer.figures.style import blank_figure, model_stem
from explorer.pages import running
from explorer.pages.embeddings_request import request_of, study
from explorer.pages.embeddings_switches import switches_of
from explorer.pages.fields import STILL, ZOOMABLE, labelled
from explorer.records import ModelError, PlaneSwitches, Pull, PullPlane, WordStudy
from explorer.session import Session, TextRequest
from explorer.views.pull import pull, pull_plane, pull_rows, pull_table

MODE = "pull"
ALL = "all"
_MESSAGE = "the head’s pull appears here"
# Field, header, what it says, how it is written.
_COLUMNS = (
    ("label", "token", "Whose arrow it is", None),
    ("weight", "A", "Attention weight on the token; of all heads their mean", ".3f"),
    (
        "value_norm",
        "‖vW‖",
        "‖v W_O‖: length of what the token gives a head that looks at it",
        ".3~g",
    ),
    ("length", "length", "Length of its arrow A·v·W_O in the full space", ".3~g"),
    ("seen", "seen", "The share of that length which this plane shows", ".0%"),
    ("cosine", "cos", "Cosine of its arrow with the sum, full space", ".2f"),
    ("share", "of sum", "Its part of the sum, along it, full space; together 100%", ".0%"),
)


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="embeddings-pull-view"),
            _controls(),
            html.Div(id="embeddings-pull-message", role="status"),
            html.Div(
                [
                    dcc.Graph(
                        id="embeddings-pull-graph", config=ZOOMABLE, responsive=True,
                        className="graph", figure=blank_figure(_MESSAGE),
                    ),
                    html.Aside([
                        dcc.Graph(
                            id="embeddings-pull-heads", responsive=True, className="bars",
                            config=STILL, figure=blank_figure(""),
                        ),
                        _table(),
                    ]),
                ],
                className="pulling",
            ),
            html.P(id="embeddings-pull-caption", className="caption"),
        ],
        id="embeddings-pull",
        className="part hidden",
    )  # fmt: skip


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "sentence", "Which occurrence of the word is pulled",
                dmc.Select(id="embeddings-pull-place", value="0", data=[], size="xs", w=240,
                           allowDeselect=False, searchable=True),
            ),
            labelled(
                "head", "One head of the layer, or all of them with the output bias",
                dmc.Select(id="embeddings-pull-head", value=ALL, data=[], size="xs", w=110,
                           allowDeselect=False),
            ),
            labelled(
                "arrows", "At their true length beside the points, or longer where that is too "
                "short to see; the title says how many times",
                dmc.SegmentedControl(
                    id="embeddings-pull-length", value="seen", size="xs",
                    data=[{"value": "seen", "label": "to be seen"},
                          {"value": "true", "label": "true length"}],
                ),
            ),
        ],
        className="controls",
    )  # fmt: skip


def _table() -> Any:
    columns = [
        {"field": field, "headerName": name, "headerTooltip": why}
        | ({"valueFormatter": {"function": _formatted(form)}, "type": "rightAligned"}
           if form else {"flex": 2, "minWidth": 78})
        for field, name, why, form in _COLUMNS
    ]  # fmt: skip
    return dag.AgGrid(
        id="embeddings-pull-table",
        columnDefs=columns,
        rowData=[],
        defaultColDef={"sortable": True, "resizable": True, "flex": 1, "minWidth": 46,
                       "sortingOrder": ["desc", "asc", None]},
        dashGridOptions=_grid_options([]),
    )  # fmt: skip


def _formatted(form: str) -> str:
    return f"params.value == null ? '–' : d3.format('{form}')(params.value)"


def _grid_options(last: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rowHeight": 26, "headerHeight": 30, "tooltipShowDelay": 300, "animateRows": False,
        "pinnedBottomRowData": last,
    }  # fmt: skip


def pulled_by(session: Session, view: dict[str, Any]) -> tuple[WordStudy, Pull, PullPlane]:
    """What is on the screen, out of what the browser keeps in ``embeddings-pull-view``.

    Raises:
        ValueError: an unusable sentence or word, or a head there is not.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    of = study(session, view["request"])
    occurrence = of.occurrences[view["place"]]
    one = pull(_capture(session, view), occurrence, view["layer"], view["head"])
    switches = _with_arrows(switches_of(view["plane"]))
    shown = session.planes(request_of(view["request"]), switches, view["layer"])[view["layer"]]
    return of, one, pull_plane(view["place"], one, shown)


def _with_arrows(switches: PlaneSwitches) -> PlaneSwitches:
    """The plane view's switches, without those that have no place for a difference of vectors."""
    normalise = "none" if switches.normalise == "unit" else switches.normalise
    return replace(switches, method="pca", normalise=normalise)


def _capture(session: Session, view: dict[str, Any]) -> Any:
    """The occurrence's sentence, as the study read it."""
    text = study(session, view["request"]).occurrences[view["place"]].text
    return session.capture(TextRequest(view["request"]["model"], text, target=text))


def view_of(
    of: WordStudy, request: dict[str, Any], plane: dict[str, Any], layer: int, place: str, head: str
) -> dict[str, Any]:
    """What is shown; the last block where the layer is the model's result, which none reads."""
    return {
        "request": request,
        "plane": plane,
        "layer": min(layer, len(of.contextual) - 2),
        "place": min(int(place), len(of.occurrences) - 1),
        "head": None if head == ALL else int(head),
    }


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of the arrows on the screen, from ``embeddings-pull-view``."""
    of, one, plane = pulled_by(session, view)
    model = model_stem(of.model)
    head = "all-heads" if one.head is None else f"head{one.head}"
    sentence = one.occurrence.sentence + 1
    name = f"{model}-{of.word}-sentence{sentence}-layer{one.layer}-{head}-pull.csv"
    return name, pull_table(plane).csv()


def register(app: Dash, session: Session) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_browser_side(app)

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
        if mode != MODE or request is None:
            return (no_update,) * 4
        try:
            places = choices(study(session, request))
            n_heads = _capture(session, {"request": request, "place": 0}).stack().n_heads
        except (ValueError, ModelError):  # told by the picture
            return (no_update,) * 4
        heads = [{"value": ALL, "label": "all heads"}]
        heads += [{"value": str(number), "label": str(number)} for number in range(n_heads)]
        return (
            places, place if int(place) < len(places) else "0",
            heads, head if head == ALL or int(head) < n_heads else ALL,
        )  # fmt: skip

    @app.callback(
        Output("embeddings-pull-graph", "figure"),
        Output("embeddings-pull-heads", "figure"),
        Output("embeddings-pull-table", "rowData"),
        Output("embeddings-pull-table", "dashGridOptions"),
        Output("embeddings-pull-caption", "children"),
        Output("embeddings-pull-message", "children"),
        Output("embeddings-pull-view", "data"),
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
        mode: str, request: dict[str, Any] | None, plane: Any, layer: int, place: str, head: str,
        length: str, theme: str,
    ) -> Any:  # fmt: skip
        if mode != MODE or request is None or plane is None:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "embeddings-mode"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 6
        try:
            view = view_of(study(session, request), request, plane, layer, place, head)
            of, one, arrows = pulled_by(session, view)
        except (ValueError, ModelError) as error:
            return (
                blank_figure(_MESSAGE), blank_figure(""), [], _grid_options([]), "",
                running.error_line(str(error)), None,
            )  # fmt: skip
        times = stretch(arrows) if length == "seen" else 1
        *rows, total = pull_rows(arrows)
        remarks = [*_on_layer(layer, view["layer"]), *_on_plane(switches_of(plane))]
        return (
            pull_figure(of, one, arrows, times, theme), heads_figure(one, arrows, theme),
            rows, _grid_options([total]), pull_caption(of, one, arrows, times),
            running.remark_line(remarks), view,
        )  # fmt: skip


def choices(of: WordStudy) -> list[dict[str, str]]:
    """The study's occurrences, to choose one: number, sense, and how its sentence begins."""
    return [
        {"value": str(place), "label": f"{o.sentence + 1} · {o.sense} · {o.text}"}
        for place, o in enumerate(of.occurrences)
    ]


def _on_layer(asked: int, layer: int) -> list[str]:
    if asked <= layer:
        return []
    return [
        f"layer {asked} is the model’s result, which no attention reads: layer {layer} is shown"
    ]


def _on_plane(switches: PlaneSwitches) -> list[str]:
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
        ClientsideFunction("pull", "show"),
        Output("embeddings-pull", "className"),
        Input("embeddings-mode", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("pull", "pickHead"),
        Output("embeddings-pull-head", "value", allow_duplicate=True),
        Input("embeddings-pull-heads", "clickData"),
    )

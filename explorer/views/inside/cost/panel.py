"""Memory and operations of attention, on the Inside page, and which heads share keys and values.

inside-selection ─> inside-cost-sharing (what the model’s heads could share)
inside-cost-tokens <─> inside-cost-slider (in the browser)
inside-selection, the fields, theme ─> the three graphs, inside-cost-numbers, their captions, inside-cost-state
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.analysis.measures.cost import BITS, MOST_BATCH, MOST_TOKENS
from explorer.figures.figure_style import FigureStyle
from explorer.figures.style import blank_figure
from explorer.records import Costs, ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.heatmap.panel import within
from explorer.views.inside.cost import VIEW, CostViewSettings
from explorer.views.inside.cost.compute import OWN, compute, sharing_options
from explorer.views.inside.cost.figure import FIGURES, sharing_name, with_unit
from explorer.views.panel.fields import STILL, labelled, number, options_of, select, slider
from explorer.views.panel.view_panel import Drawing, draws, part

_GRAPHS = ("heads", "cache", "operations")
_MESSAGE = "what the cache takes appears here"


def layout() -> Any:
    """The view's components."""
    return part(
        VIEW,
        _controls(),
        html.Div(
            [
                _graph("heads", 180, "which heads share keys and values appears here"),
                html.P(id="inside-cost-heads-caption", className="caption"),
                html.Div([_graph("cache", 400, _MESSAGE), _graph("operations", 400, "")], className="costs"),
                html.Div(id="inside-cost-numbers", className="costs"),
                html.P(id="inside-cost-caption", className="caption"),
            ],
            className="scrolling",
        ),
    )


def _graph(name: str, height: int, message: str) -> Any:
    return dcc.Graph(
        id=f"inside-cost-{name}-graph",
        responsive=True,
        config=STILL,
        figure=blank_figure(message),
        style={"height": f"{height}px"},
    )


def _controls() -> Any:
    defaults, help_of = CostViewSettings(), CostViewSettings.help_of
    whole = {"allowDecimal": False, "thousandSeparator": ","}
    tokens = number("inside-cost-tokens", defaults.tokens, 104, step=1024, **whole)
    batch = number("inside-cost-batch", defaults.batch, 76, **whole)
    precisions = {name: f"{name}, {bits} bits" for name, bits in BITS.items()}
    precision = select("inside-cost-precision", defaults.precision, 140, precisions)
    doubling: Any = {"className": "layer-slider", "aria-label": "Context length, doubling at each step"}
    fields = [
        labelled("context", f"{help_of('tokens')} Up to {MOST_TOKENS:,}.", tokens),
        slider("inside-cost-slider", 12, 20, **doubling),
        labelled("batch", f"{help_of('batch')} Up to {MOST_BATCH:,}.", batch),
        labelled("precision", help_of("precision"), precision),
        labelled("sharing", help_of("sharing"), select("inside-cost-sharing", OWN, 180)),
    ]
    return html.Div(fields, className="controls")


def numbers(record: Costs) -> list[Any]:
    """Two tables: the cache for each sharing, and what does not depend on it."""
    settings = record.settings
    texts = "1 text" if settings.batch == 1 else f"{settings.batch:,} texts"
    of_cache = {
        "a token": [cache.per_token for cache in record.caches],
        f"{settings.n_tokens:,} tokens, {texts}": [cache.total for cache in record.caches],
        "with the weights": [cache.total + record.weights for cache in record.caches],
    }
    others = {
        "all maps, float32": with_unit(record.maps.total, "B"),
        f"queries, keys, values, {record.shape.dtype}": with_unit(record.vectors.total, "B"),
        "our capture, with the residual stream": with_unit(record.captured, "B"),
        "operations, all tokens": with_unit(record.forward.total, "FLOP"),
        "… in cells the mask leaves": with_unit(record.needed, "FLOP"),
        "operations, one more token": "–" if record.step is None else with_unit(record.step.total, "FLOP"),
    }
    cache = "cache" if record.shape.keeps_cache else "keys and values, if kept"
    return [
        _number_table(
            [cache, *map(sharing_name, record.caches)],
            {name: [with_unit(value, "B") for value in values] for name, values in of_cache.items()},
        ),
        _number_table(["one text", f"{settings.n_tokens:,} tokens"], {name: [v] for name, v in others.items()}),
    ]


def _number_table(header: list[str], rows: dict[str, list[str]]) -> Any:
    body = [
        html.Tr([html.Th(name, scope="row"), *(html.Td(value) for value in values)]) for name, values in rows.items()
    ]
    head = html.Thead(html.Tr([html.Th(name) for name in header]))
    return html.Table([head, html.Tbody(body)], className="numbers")


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_controls(app, session)

    @draws(
        app,
        VIEW,
        [f"inside-cost-{name}-graph" for name in _GRAPHS],
        [
            Input("inside-selection", "data"),
            *(Input(f"inside-cost-{name}", "value") for name in ("tokens", "batch", "precision", "sharing")),
            Input("theme", "data"),
        ],
        [
            Output("inside-cost-heads-caption", "children"),
            Output("inside-cost-numbers", "children"),
            Output("inside-cost-caption", "children"),
        ],
        _MESSAGE,
    )
    def draw_costs(
        selection: dict[str, Any] | None, tokens: Any, batch: Any, precision: str, sharing: str, theme: str
    ) -> Drawing | None:
        if selection is None:
            return None
        stack = session.model(selection["model"]).shape().cached[0]
        head, own = within(selection["head"], stack.n_heads - 1), sharing if sharing in sharing_options(stack) else OWN
        settings = CostViewSettings(selection["model"], head, tokens, batch, precision, own)
        record = compute(session, settings)
        heads, cache, operations = (FIGURES[name](record, settings, FigureStyle(theme=theme)) for name in _GRAPHS)
        figures = [heads.figure, cache.figure, operations.figure]
        return Drawing(figures, settings, [heads.caption, numbers(record), cache.caption])


def _register_controls(app: Dash, session: Session) -> None:
    """The two fields of the context length, and the possible sharings."""
    app.clientside_callback(
        ClientsideFunction("inside_cost", "length"),
        Output("inside-cost-tokens", "value"),
        Output("inside-cost-slider", "value"),
        Input("inside-cost-tokens", "value"),
        Input("inside-cost-slider", "value"),
        prevent_initial_call=False,
    )

    @app.callback(
        Output("inside-cost-sharing", "data"),
        Output("inside-cost-sharing", "value"),
        Input("inside-selection", "data"),
        Input("inside-mode", "value"),
        State("inside-cost-sharing", "value"),
    )
    def offer_sharings(selection: dict[str, Any] | None, mode: str, chosen: str) -> Any:
        if selection is None or mode != VIEW.name:
            return no_update, no_update
        try:
            stack = session.model(selection["model"]).shape().cached[0]
        except (ValueError, ModelError):  # draw_costs shows the message
            return no_update, no_update
        options = sharing_options(stack)
        return options_of(options), no_update if chosen in options else OWN

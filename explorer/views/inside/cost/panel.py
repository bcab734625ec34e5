"""Sharing keys and values, on the Inside page: who reads what, and what the cache then takes.

inside-selection ─> inside-cost-sharing                            what the model could share
inside-cost-tokens <─> -slider (in the browser)          the context length, twice
inside-selection, -by, theme ─> inside-cost-heads-graph, -heads-caption
inside-selection, -tokens, -batch, -precision, -by, theme
    ─> inside-cost-cache-graph, -operations-graph, -numbers, -caption, -message,
       inside-cost-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.analysis.measures.cost import BITS, MOST_BATCH, MOST_TOKENS
from explorer.figures.style import blank_figure
from explorer.records import AttentionShape, Costs, ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.heatmap.panel import within
from explorer.views.inside.cost import VIEW, CostViewSettings
from explorer.views.inside.cost.compute import OWN, compute, sharing_options, sharings
from explorer.views.inside.cost.figure import cache_figure, cost_caption, operations_figure, said, sharing_name
from explorer.views.inside.cost.sharing_figure import sharing_caption, sharing_figure
from explorer.views.panel.fields import STILL, labelled
from explorer.views.panel.view_panel import Drawing, draws, part

_PLAIN = CostViewSettings()
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
    precisions = [{"value": name, "label": f"{name}, {bits} bits"} for name, bits in BITS.items()]
    return html.Div(
        [
            labelled(
                "context",
                f"Tokens of a text, read or written so far; up to {MOST_TOKENS:,}",
                dmc.NumberInput(
                    id="inside-cost-tokens",
                    value=_PLAIN.tokens,
                    step=1024,
                    size="xs",
                    w=104,
                    allowDecimal=False,
                    thousandSeparator=",",
                    debounce=150,
                ),
            ),
            dmc.Slider(
                id="inside-cost-slider",
                value=12,
                min=0,
                max=20,
                step=1,
                size="sm",
                label=None,
                marks=[],
                updatemode="drag",
                className="layer-slider",
                **{"aria-label": "Context length, doubling at each step"},
            ),
            labelled(
                "batch",
                f"Texts at a time, each with a cache of its own; up to {MOST_BATCH:,}",
                dmc.NumberInput(
                    id="inside-cost-batch",
                    value=_PLAIN.batch,
                    size="xs",
                    w=76,
                    allowDecimal=False,
                    thousandSeparator=",",
                    debounce=150,
                ),
            ),
            labelled(
                "precision",
                "What each number of the cache and the weights is stored as",
                dmc.Select(
                    id="inside-cost-precision",
                    value=_PLAIN.precision,
                    data=precisions,
                    size="xs",
                    w=140,
                    allowDeselect=False,
                ),
            ),
            labelled(
                "sharing",
                "How many key/value heads the query heads share",
                dmc.Select(id="inside-cost-sharing", value=OWN, data=[], size="xs", w=180, allowDeselect=False),
            ),
        ],
        className="controls",
    )


def fitted(shape: AttentionShape, sharing: str | None) -> str:
    """A way to share; its own again where it was chosen for a model that this one is not."""
    return sharing if sharing in sharing_options(shape) else OWN


def numbers(shown: Costs) -> list[Any]:
    """Two tables: the cache in each way of sharing, and what does not depend on it."""
    settings = shown.settings
    texts = "1 text" if settings.batch == 1 else f"{settings.batch:,} texts"
    of_cache = {
        "a token": [cache.per_token for cache in shown.caches],
        f"{settings.n_tokens:,} tokens, {texts}": [cache.total for cache in shown.caches],
        "with the weights": [cache.total + shown.weights for cache in shown.caches],
    }
    head = [html.Th("cache" if shown.shape.keeps_cache else "keys and values, if kept")]
    head += [html.Th(sharing_name(cache)) for cache in shown.caches]
    body = [_row(name, [said(value, "B") for value in values]) for name, values in of_cache.items()]
    others = {
        "all maps, float32": said(shown.maps.total, "B"),
        f"queries, keys, values, {shown.shape.dtype}": said(shown.vectors.total, "B"),
        "our capture, with the residual stream": said(shown.captured, "B"),
        "operations, all tokens": said(shown.forward.total, "FLOP"),
        "… in cells the mask leaves": said(shown.needed, "FLOP"),
        "operations, one more token": "–" if shown.step is None else said(shown.step.total, "FLOP"),
    }
    one_text = html.Tr([html.Th("one text"), html.Th(f"{settings.n_tokens:,} tokens")])
    return [
        html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="numbers"),
        html.Table(
            [html.Thead(one_text), html.Tbody([_row(name, [v]) for name, v in others.items()])], className="numbers"
        ),
    ]


def _row(name: str, values: list[str]) -> Any:
    return html.Tr([html.Th(name, scope="row"), *(html.Td(value) for value in values)])


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_controls(app, session)

    @draws(
        app,
        VIEW,
        [f"inside-cost-{name}-graph" for name in ("heads", "cache", "operations")],
        [
            Input("inside-selection", "data"),
            Input("inside-cost-tokens", "value"),
            Input("inside-cost-batch", "value"),
            Input("inside-cost-precision", "value"),
            Input("inside-cost-sharing", "value"),
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
        settings = CostViewSettings(
            selection["model"],
            within(selection["head"], stack.n_heads - 1),
            tokens,
            batch,
            precision,
            fitted(stack, sharing),
        )
        record = compute(session, settings)
        ways = sharings(stack, settings.sharing)
        figures = [
            sharing_figure(stack, ways, settings.head, theme),
            cache_figure(record, theme),
            operations_figure(record, theme),
        ]
        heads = sharing_caption(record.source.model, stack, ways, settings.head)
        return Drawing(figures, settings, [heads, numbers(record), cost_caption(record)])


def _register_controls(app: Dash, session: Session) -> None:
    """The context length's two fields, and the ways to share."""
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
    def offer_sharings(view: dict[str, Any] | None, mode: str, chosen: str) -> Any:
        if view is None or mode != VIEW.name:
            return no_update, no_update
        try:
            stack = session.model(view["model"]).shape().cached[0]
        except (ValueError, ModelError):  # draw_costs says what is wrong
            return no_update, no_update
        named = sharing_options(stack)
        kept = no_update if chosen in named else OWN
        return [{"value": value, "label": label} for value, label in named.items()], kept

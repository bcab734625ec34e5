"""The Heads page's comparison: the chosen head, another one, and the difference.

heads-mode, heads-compare-for, -* fields ─> heads-compare-job           (the second side is made)
    ─> heads-compare-request ─> heads-compare-first, -second, -difference, caption, facts,
                                heads-compare-view (what is saved)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer import bundled, hub
from explorer.exhibits.heatmap import switches_of
from explorer.figures.comparison import (
    SIDE_CELLS,
    comparison_caption,
    difference_figure,
    side_figures,
)
from explorer.figures.style import SEQUENTIAL, blank_figure
from explorer.jobs import Jobs, Tell
from explorer.pages import heads_text, running
from explorer.pages.fields import ZOOMABLE, labelled
from explorer.pages.running import Run
from explorer.records import CapturedText, HeadComparison, ModelError
from explorer.session import Session, TextRequest
from explorer.views.comparison import Side, compare_heads, comparison_facts, comparison_table
from explorer.views.maps import coarse

MODE = "compare"
_GRAPHS = ("first", "second", "difference")
_MESSAGES = (
    "the chosen head appears here",
    "the head it is compared with appears here",
    "their difference appears here",
)


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("heads-compare"),
            dcc.Store(id="heads-compare-view"),
            _controls(),
            html.Div(id="heads-compare-message"),
            html.Div(id="heads-compare-facts", className="facts"),
            html.Div(
                [_graph(name, said) for name, said in zip(_GRAPHS, _MESSAGES, strict=True)],
                className="scrolling compared",
            ),
            html.P(id="heads-compare-caption", className="caption"),
        ],
        id="heads-compare",
        className="part hidden",
    )  # fmt: skip


def _graph(name: str, message: str) -> Any:
    return dcc.Graph(
        id=f"heads-compare-{name}", responsive=True, className=f"graph compared-{name}",
        config=ZOOMABLE, figure=blank_figure(message),
    )  # fmt: skip


def _controls() -> Any:
    number: Any = {
        "value": "", "min": 0, "max": 999, "allowDecimal": False, "clampBehavior": "strict",
        "size": "xs", "w": 62, "debounce": 300, "placeholder": "same",
    }  # fmt: skip
    return html.Div(
        [
            html.B("compared with"),
            labelled(
                "model", "Another model; empty: the same one. It is loaded when you choose it",
                dmc.Autocomplete(
                    id="heads-compare-model", value="", data=_models(), debounce=True,
                    placeholder="the same", size="xs", w=170, clearable=True,
                    comboboxProps={"width": 320},
                ),
            ),
            labelled(
                "text", "Another text; empty: the same one, with its second text. Enter compares",
                dmc.TextInput(
                    id="heads-compare-text", value="", debounce=True, placeholder="the same",
                    size="xs", className="grows",
                ),
                "selector grows",
            ),
            labelled("layer", "Another layer, counted from 0; empty: the same one",
                      dmc.NumberInput(id="heads-compare-layer", **number)),
            labelled("head", "Another head, counted from 0; empty: the same one",
                      dmc.NumberInput(id="heads-compare-head", **number)),
        ],
        className="controls",
    )  # fmt: skip


def _models() -> list[str]:
    ready = [name for name in bundled.BUNDLED if bundled.is_installed(name)]
    return [*ready, *(preset.repo for preset in hub.PRESETS)]


def second_side(
    cap: CapturedText,
    view: dict[str, Any],
    model: str | None,
    text: str | None,
    layer: Any,
    head: Any,
) -> dict[str, Any]:
    """What the chosen head is compared with: the fields, and what they leave open as it is.

    With all of them empty it is the next head (of a layer's mean the next layer), so that
    the view opens on a difference.
    """
    request = dict(view["request"])
    chosen_layer, chosen_head = view["layer"], view["head"]
    fields = [model, (text or "").strip(), layer, head]
    if all(field in (None, "") for field in fields):
        source = cap.stack(view["stack"] or None)
        if view.get("over", "head") == "head":
            chosen_head = (chosen_head + 1) % source.n_heads
        else:
            chosen_layer = (chosen_layer + 1) % source.n_layers
    if model:
        request["model"] = model
    if fields[1]:  # the second text and the target belong to the first
        request |= {"text": text, "pair": None, "target": None}
    return {
        "request": request,
        "layer": chosen_layer if layer in (None, "") else int(layer),
        "head": chosen_head if head in (None, "") else int(head),
    }


def both_sides(
    session: Session, view: dict[str, Any], tell: Tell | None = None
) -> tuple[Side, Side]:
    """The two heads of ``heads-compare-view``, each captured now if it is not there.

    Raises:
        ValueError: a text the second model cannot read, or a head it does not have.
        ModelError: a model that cannot be loaded.
    """
    sides = []
    for side in (view["first"], view["second"]):
        cap = session.capture(TextRequest(**side["request"]), tell)
        stack = view["first"]["stack"]
        found = Side(cap, side["layer"], side["head"], stack if stack in cap.stacks else None)
        found.source.attention(found.layer, found.head)  # says so if there is no such head
        sides.append(found)
    return sides[0], sides[1]


def compared(session: Session, view: dict[str, Any]) -> HeadComparison:
    """The comparison on the screen, out of what the browser keeps in ``heads-compare-view``.

    Raises:
        ValueError: a text the second model cannot read, or a head it does not have.
        ModelError: a model that cannot be loaded.
    """
    first, second = both_sides(session, view)
    return compare_heads(first, second, switches_of(view["first"], first.cap.pair))


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of the comparison on the screen, from ``heads-compare-view``."""
    found = compared(session, view)
    sides = [
        f"{drawn.model.rstrip('/').rpartition('/')[2]}-layer{drawn.layer}-head{drawn.head}"
        for drawn in (found.first, found.second)
    ]
    return f"{'-against-'.join(sides)}.csv", comparison_table(found).csv()


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    def prepare(
        mode: str, view: dict[str, Any] | None, model: str, text: str, layer: Any, head: Any,
        job: dict[str, Any] | None,
    ) -> Run | None:  # fmt: skip
        if mode != MODE or view is None:
            return None
        try:
            cap = session.capture(TextRequest(**view["request"]))
        except ModelError as error:
            raise ValueError(str(error)) from None
        request = {"first": view, "second": second_side(cap, view, model, text, layer, head)}
        if job and job.get("request") == request:  # back from another view
            return None
        return Run(request, lambda tell: both_sides(session, request, tell))

    fields = [f"heads-compare-{field}" for field in ("model", "text", "layer", "head")]
    running.follow(
        app, jobs, "heads-compare",
        [Input("heads-mode", "value"), Input("heads-compare-for", "data"),
         *(Input(field, "value") for field in fields)],
        [State("heads-compare-job", "data")],
        prepare, heads_text.offer,
    )  # fmt: skip

    @app.callback(
        Output("heads-compare-first", "figure"),
        Output("heads-compare-second", "figure"),
        Output("heads-compare-difference", "figure"),
        Output("heads-compare-caption", "children"),
        Output("heads-compare-facts", "children"),
        Output("heads-compare-view", "data"),
        Input("heads-compare-request", "data"),
        Input("theme", "data"),
        Input("heads-mode", "value"),
    )
    def show(request: dict[str, Any] | None, theme: str, mode: str) -> Any:
        if request is None or mode != MODE:
            # Pictures that are left take their nodes out of the page.
            left = ctx.triggered_id == "heads-mode"
            blank = [blank_figure(sentence) if left else no_update for sentence in _MESSAGES]
            return *blank, *(no_update,) * 3
        try:
            found = compared(session, request)
        except (ValueError, ModelError) as error:
            return *(no_update,) * 4, running.error_line(str(error)), no_update
        log = request["first"].get("log", False)
        palette = request["first"].get("palette", SEQUENTIAL)
        difference = (
            blank_figure("the two texts have no word in common: there is no difference map")
            if found.difference is None
            else difference_figure(found, theme)
        )
        first, second = (coarse(drawn, SIDE_CELLS) for drawn in (found.first, found.second))
        sides = side_figures(first, second, theme, log, palette)
        caption = comparison_caption(found, log)
        return *sides, difference, caption, comparison_facts(found), request

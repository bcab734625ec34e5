"""The Self-check page: what must be true of any model, on this one and this text, green or red.

Run ─> check-request ─> check-verdict, check-table, check-remarks, check-around (for the address)
check-help-open (in the browser) ─> check-help
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html, no_update

from explorer.analysis.identities import CLAIMS
from explorer.analysis.identities.report import failed, magnitude, outcome, verdict, where
from explorer.records import CapturedText, Claim, Identity, ModelError
from explorer.session.identities import identities_of
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import Settings
from explorer.views.heads.heads.help_panel import section
from explorer.views.panel import running
from explorer.views.panel import text as heads_text
from explorer.views.spec import Page

PAGE: Page = Page("check", "/check", "Self-check", Settings, selection="", around=TextRequest)

_UNSAID: Any = {"aria-hidden": "true"}  # the word beside a mark says it
_MARKS = {True: "✓", False: "✗", None: "–"}
_KINDS = {True: "holds", False: "fails", None: "open"}
_COLUMNS = (
    ("Result", "Whether the largest error is within what is allowed"),
    ("What must be true", "Of any model and any text, in words and in symbols"),
    ("Largest error", "Over all stacks, layers, heads and tokens"),
    ("Allowed", "What rounding can explain; more is a failure"),
    ("Where it is largest", "Layers, heads and states of the residual stream count from 0"),
)
_ABOUT = (
    "The explorer checks itself on the model and the text that are loaded. Every number is worked "
    "out twice: from what was recorded, and from a source of its own, be it transformers’ own "
    "eager attention in a second run, scikit-learn, or arithmetic. What is left between the two is "
    "rounding; the largest of it over the whole model is shown, beside what is allowed. Where one "
    "fails, do not trust what the other pages show of this model."
)


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="check-around"),
        html.Section(
            [
                html.Div(
                    [
                        html.Header(
                            [
                                html.Div(unchecked()[0], id="check-verdict", className="grows"),
                                html.Button(
                                    "What am I seeing?",
                                    id="check-help-open",
                                    className="save",
                                    title="What each identity says, and what would be wrong if it failed",
                                ),
                            ]
                        ),
                        html.Div(id="check-remarks"),
                        html.Div(unchecked()[1], id="check-result", className="scrolls"),
                    ],
                    className="checked",
                )
            ],
            className="panel",
        ),
        _help(),
    ]


def _help() -> Any:
    return dmc.Modal(
        [html.P(_ABOUT), *(section(one.title, one.reading, {"formula": one.formula}) for one in CLAIMS.values())],
        id="check-help",
        title="What am I seeing?",
        size="lg",
    )


def unchecked() -> tuple[Any, Any]:
    """What is going to be checked, before anything was: a line, and the table."""
    rows = [
        html.Tr([_mark(None, "not yet"), _said(claim), html.Td("–", colSpan=3, className="why")])
        for claim in CLAIMS.values()
    ]
    return _banner(None, "Nothing is checked yet.", "The result appears here."), _table(rows)


def checked(cap: CapturedText, facts: str, found: Sequence[Identity]) -> tuple[Any, Any]:
    """The verdict, and a row for each identity.

    Args:
        cap: the captured text.
        facts: what else is told of the model, beside its name.
        found: as ``identities`` gives them.
    """
    ok = not failed(found) if any(one.ok is not None for one in found) else None
    told = f"{cap.model_name} · {facts}"
    return _banner(ok, verdict(cap.model_name, found), told), _table([_row(one) for one in found])


def _banner(ok: bool | None, said: str, facts: str) -> Any:
    sign = html.Span(_MARKS[ok], className="sign", **_UNSAID)
    words = html.Div([html.H2(said), html.P(facts)])
    return html.Div([sign, words], className=f"verdict-line {_KINDS[ok]}", role="status")


def _table(rows: list[Any]) -> Any:
    head = html.Tr([html.Th(name, title=why, scope="col") for name, why in _COLUMNS])
    return html.Table([html.Thead(head), html.Tbody(rows)], id="check-table")


def _row(one: Identity) -> Any:
    first = [_mark(one.ok, outcome(one)), _said(one.claim, one.note)]
    if one.error is None:
        return html.Tr([*first, html.Td(_sentence(one.why_not), colSpan=3, className="why")])
    return html.Tr(
        [
            *first,
            html.Td(magnitude(one.error), className="error-size", title=f"{one.error!r}"),
            html.Td(magnitude(one.tolerance)),
            html.Td(_unbroken(where(one)) or "–"),
        ],
        className=_KINDS[one.ok],
    )


def _mark(ok: bool | None, word: str) -> Any:
    sign = html.Span(_MARKS[ok], className="sign", **_UNSAID)
    return html.Td([sign, word], className=f"mark {_KINDS[ok]}")


def _said(claim: Claim, note: str = "") -> Any:
    told = [html.B(claim.title), html.Code(claim.formula), html.Span(claim.statement)]
    return html.Td([*told, *([html.Small(_sentence(note))] if note else [])], className="claim")


def _unbroken(place: str) -> str:
    """A place that breaks between its parts only, never between a word and its number."""
    return " · ".join(part.replace(" ", "\u00a0") for part in place.split(" · "))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _facts(session: Session, request: TextRequest, cap: CapturedText) -> str:
    """Device, precision and how much was checked."""
    model = session.model(request.model)
    stacks = [cap.stack(name) for name in cap.stacks]
    maps = sum(stack.n_layers * stack.n_heads for stack in stacks)
    tokens = " + ".join(f"{len(cap.stack(name).query_tokens):,}" for name in cap.stacks if name != "cross")
    return f"{model.device} · {model.dtype} · {tokens} tokens · {maps:,} attention maps"


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""
    heads_text.run_on_text(app, jobs, PAGE, lambda request, tell: identities_of(session, request, tell))

    @app.callback(
        Output("check-verdict", "children"),
        Output("check-result", "children"),
        Output("check-remarks", "children"),
        Output("check-around", "data"),
        Input("check-request", "data"),
    )
    def show(request: dict[str, Any] | None) -> Any:
        if request is None:
            return (no_update,) * 4
        asked = TextRequest(**request)
        try:
            cap, found = session.capture(asked), identities_of(session, asked)
        except (ValueError, ModelError) as error:
            return no_update, no_update, running.error_line(str(error)), no_update
        remarks = running.remark_line(heads_text.remarks(cap, asked))
        told = checked(cap, _facts(session, asked, cap), found)
        return *told, remarks, session.read_of(asked).as_dict()

    app.clientside_callback(
        ClientsideFunction("explorer", "openKeys"),
        Output("check-help", "opened"),
        Input("check-help-open", "n_clicks"),
    )

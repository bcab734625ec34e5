"""The part of a typed text that the Heads page reads, and remarks on what is left out.

a text over the limit ─> its error, with a button (in heads-message)
the button, an address (in the browser) ─> heads-truncate    the texts that may be truncated
heads-truncate, the fields ─> heads-request ─> heads-remarks the parts that are not read
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.records import AttentionStack, CapturedText
from explorer.records.source import truncation
from explorer.session.jobs import Jobs, Tell
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.text.tokens import TextTooLong
from explorer.views.panel import running
from explorer.views.panel.running import Run
from explorer.views.spec import Page

FIELDS = ("text", "pair", "target")


def store() -> Any:
    """The texts that may be truncated, as they were typed; any other text needs a new click."""
    return dcc.Store(id="heads-truncate")


def layout() -> Any:
    """The line with remarks on what is left out."""
    return html.Div(id="heads-remarks", className="on-heads")


def text_request(model: str, text: str | None, pair: str | None, target: str | None, truncate: Any) -> TextRequest:
    """The request of the page's fields.

    Raises:
        ValueError: the text is empty.
    """
    if not (text or "").strip():
        raise ValueError("the text is empty: type at least one word")
    may_truncate = truncate == [text, pair or "", target or ""]
    return TextRequest(model, text or "", pair or "", target or "", may_truncate)


def run_on_text(app: Dash, jobs: Jobs, page: Page, work: Callable[[TextRequest, Tell], object]) -> None:
    """Wire Run of a page that works on the typed texts alone."""

    def prepare(model: str, *typed: Any) -> Run:
        request = text_request(model, *typed)
        return Run(asdict(request), lambda tell: work(request, tell))

    running.register(
        app,
        jobs,
        page.name,
        page.path,
        [Input("run-button", "n_clicks"), Input("heads-truncate", "data")],
        [*(State(f"{field}-input", "value") for field in FIELDS), State("heads-truncate", "data")],
        prepare,
        offer,
    )


def offer(cause: Exception | None) -> Any:
    """A button to read the beginning of a text that is too long; None for other errors."""
    if not isinstance(cause, TextTooLong):
        return None
    return html.Button(
        f"Show the first {cause.limit:,} tokens",
        id={"type": "truncate", "limit": cause.limit},
        className="save",
        title="Leave out what comes after, and say so wherever the text is shown",
    )


def remarks(cap: CapturedText, request: TextRequest) -> list[str]:
    """Remarks on the parts of the typed texts that are not shown."""
    parts = []
    # The last stack of an encoder–decoder reads both of its texts.
    if cut := truncation(cap.stack(cap.stacks[-1])):
        parts.append(f"truncated: {cut}")
    target = request.target if len(cap.stacks) > 1 else ""
    return [*parts, *request.unread(replace(request, pair=cap.pair or "", target=target or ""))]


def register(app: Dash, session: Session) -> None:
    """Wire the button and the remarks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("explorer", "truncateText"),
        Output("heads-truncate", "data", allow_duplicate=True),
        Input({"type": "truncate", "limit": ALL}, "n_clicks"),
        *(State(f"{field}-input", "value") for field in FIELDS),
    )

    @app.callback(Output("heads-remarks", "children"), Input("heads-request", "data"))
    def show_remarks(request: dict[str, Any] | None) -> Any:
        if request is None:
            return None
        text = TextRequest(**request)
        return running.remark_line(remarks(session.capture(text), text))


def chosen_stack(cap: CapturedText, name: str | None) -> AttentionStack:
    """The stack chosen on the page, or the first one if the text has none of that name."""
    return cap.stack(name if name in cap.stacks else None)

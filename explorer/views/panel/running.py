"""Run: a page's work runs in the background, and one line shows its progress.

For a page named p, all in the browser's memory:

    inputs, form ────> start ──> p-job        the number of the job, or an error message
    p-job, p-poll  ──> watch ──> p-poll       a timer, on while the job runs
                             ──> p-request    the request on the page; written when its result is ready
                             ──> p-message    the line with progress or an error

There are two callbacks because Dash drops the older answer of two calls of one callback: a pending
tick would discard a Run pressed after it.

The old result stays while a new one is computed, and after an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.session.jobs import Jobs, Snapshot, Tell

_POLL_MS = 250
# Most runs of a loaded model end within this time, and then need no tick.
_FIRST_WAIT_S = 1.2

Remedy = Callable[[Exception | None], Any]


@dataclass(frozen=True)
class Run:
    """The request to show, and the work that computes its result."""

    request: Mapping[str, Any]
    work: Callable[[Tell], object]


def stores(page: str) -> list[Any]:
    """The components that ``register`` needs in the layout."""
    return [
        dcc.Store(id=f"{page}-job"),
        dcc.Store(id=f"{page}-request"),
        dcc.Interval(id=f"{page}-poll", interval=_POLL_MS, disabled=True),
    ]


def register(
    app: Dash,
    jobs: Jobs,
    page: str,
    path: str,
    triggers: list[Input],
    form: list[State],
    prepare: Callable[..., Run],
    remedy: Remedy = lambda _cause: None,
) -> None:
    """Wire a page's Run: ``prepare(model, *form values)`` returns the work.

    A page that is not yet in the layout has no fields to read: it runs when it is opened.
    """

    def prepare_page(pathname: str, model: str | None, mounted: list[str], *values: Any) -> Run | None:
        if pathname != path or model is None or page not in mounted:
            return None
        if not model.strip():
            raise ValueError("no model is named: choose one, or type a hub id or a folder")
        job, *fields = values[len(triggers) :]
        run = prepare(model, *fields)
        # The user returned to a page that shows or computes this request.
        returned = ctx.triggered_id in ("url", "mounted") and job and job.get("request") == run.request
        return None if returned else run

    opening = [Input("url", "pathname"), Input("model-select", "value"), Input("mounted", "data")]
    states = [State(f"{page}-job", "data"), *form]
    follow(app, jobs, page, [*opening, *triggers], states, prepare_page, remedy)


def follow(
    app: Dash,
    jobs: Jobs,
    name: str,
    inputs: list[Input],
    form: list[State],
    prepare: Callable[..., Run | None],
    remedy: Remedy = lambda _cause: None,
) -> None:
    """Run work in the background when an input changes, and watch it.

    ``prepare(*input values, *form values)`` returns the work, or None for nothing; its
    ValueError is shown. ``remedy`` returns a component that goes beside the error message, such as a button.
    The page's previous job is cancelled, unless its request is the same. ``stores(name)``
    and ``<name>-message`` must be in the layout.
    """

    @app.callback(Output(f"{name}-job", "data"), *inputs, *form, State(f"{name}-job", "data"))
    def start(*values: Any) -> Any:
        *fields, previous = values
        try:
            run = prepare(*fields)
        except ValueError as error:
            return {"error": str(error)}
        if run is None:
            return no_update
        if previous and "number" in previous and previous["request"] != run.request:
            jobs.cancel(previous["number"])
        return {"number": jobs.start(run.work), "request": run.request}

    @app.callback(
        Output(f"{name}-poll", "disabled"),
        Output(f"{name}-request", "data"),
        Output(f"{name}-message", "children"),
        Input(f"{name}-job", "data"),
        Input(f"{name}-poll", "n_intervals"),
    )
    def watch(job: dict[str, Any] | None, _ticks: int) -> Any:
        if job is None:
            return True, no_update, no_update
        if "error" in job:
            return True, no_update, error_line(job["error"])
        ticked = ctx.triggered_id == f"{name}-poll"
        now = jobs.wait(job["number"], 0 if ticked else _FIRST_WAIT_S)
        if not now.done:
            return False, no_update, progress_line(now, job["number"])
        if now.error:
            parts = [error_line(now.error), remedy(now.cause)]
            return True, no_update, html.Div(parts, className="refusal")
        return True, job["request"], None


def progress_line(now: Snapshot, number: int) -> Any:
    """The current step with a progress bar, and a button to cancel the job."""
    bar = dmc.Progress(
        value=100 if now.share is None else 100 * now.share, animated=now.share is None, w=140, size="sm"
    )
    stop = html.Button(
        "Cancel",
        id={"type": "cancel", "job": number},
        className="save",
        title="Stop at the next step; the result before stays",
    )
    return html.Div([bar, html.Span(f"{now.sentence} …"), stop], className="working", role="status")


def register_cancel(app: Dash, jobs: Jobs) -> None:
    """Wire the Cancel buttons of all progress lines."""

    @app.callback(Input({"type": "cancel", "job": ALL}, "n_clicks"))
    def cancel(clicks: list[int | None]) -> None:
        if any(clicks):
            jobs.cancel(ctx.triggered_id["job"])


def error_line(message: str) -> Any:
    """An error message as a sentence."""
    first = message.partition(" ")[0]
    if first.rstrip(":,").isalpha():  # not a file name
        message = message[:1].upper() + message[1:]
    return html.Div(f"{message}.", className="error", role="alert")


def remark_line(remarks: list[str]) -> Any:
    """Remarks that are not errors; None if there are none."""
    if not remarks:
        return None
    return html.Div([html.Div(remark) for remark in remarks], className="remark")

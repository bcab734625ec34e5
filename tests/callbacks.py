"""A part of a page in an app of its own, and its callbacks called as the browser calls them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from dash import Dash, dcc, html

from explorer.session.jobs import Jobs
from explorer.session.session import Session


def app_of(part: ModuleType, session: Session) -> Dash:
    """The part's layout, with what it reads of the Inside page around it."""
    app = Dash("part", prevent_initial_callbacks=True)
    stores = [dcc.Store(id=name) for name in ("inside-selection", "theme", "download")]
    fields = [dcc.Input(id=name) for name in ("inside-mode", "inside-query", "inside-first")]
    app.layout = html.Div([*stores, *fields, part.layout()])
    part.register(app, session, Jobs())
    return app


def said(told: dict[str, Any], component: str) -> str:
    """The one line that a message component was given."""
    line: str = told[f"{component}.children"]["props"]["children"]
    assert "\n" not in line
    return line


def outputs_of(dependency: dict[str, Any]) -> list[str]:
    """``id.property`` of each Output; one that several callbacks have ends in ``@`` and a number."""
    return [output for output in dependency["output"].strip(".").split("...") if "." in output]


def answer(app: Dash, output: str, triggered: str, values: dict[str, Any]) -> dict[str, Any]:
    """What the callback that owns an Output answers, by ``id.property``; what it leaves alone is missing.

    Args:
        app: the app.
        output: an Output's ``id.property``.
        triggered: the Input's that changed.
        values: the fields' values, by id; others are None.
    """
    client = app.server.test_client()
    (owner,) = (d for d in client.get("/_dash-dependencies").json or () if output in outputs_of(d))
    names = [name.rsplit(".", 1) for name in outputs_of(owner)]
    described: Any = [{"id": name, "property": prop} for name, prop in names]
    body = {
        "output": owner["output"],
        "outputs": described if owner["output"].startswith("..") else described[0],
        "inputs": [place | {"value": values.get(place["id"])} for place in owner["inputs"]],
        "state": [place | {"value": values.get(place["id"])} for place in owner["state"]],
        "changedPropIds": [triggered],
    }
    sent = client.post("/_dash-update-component", json=body)
    if sent.status_code == 204:
        return {}
    assert sent.status_code == 200, sent.text
    return {f"{name}.{prop}": value for name, props in sent.json["response"].items() for prop, value in props.items()}

"""The Inside page's sharing view, without a browser: what its callbacks answer."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from dash import Dash, dcc, html

from explorer.pages import inside_sharing
from explorer.session import Session
from tests.conftest import Folder

COSTS = "inside-sharing-cache-graph.figure"
HEADS = "inside-sharing-heads-graph.figure"


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(device="cpu")


@pytest.fixture(scope="module")
def app(session: Session) -> Dash:
    """The view alone, with what it expects of the page around it."""
    app = Dash(__name__, assets_folder="none")
    stores = [dcc.Store(id=name) for name in ("inside-request", "theme")]
    fields = [dcc.Input(id=name) for name in ("inside-mode", "inside-layer", "inside-head")]
    app.layout = html.Div([*stores, *fields, inside_sharing.layout()])
    inside_sharing.register(app, session)
    return app


def _fire(app: Dash, output: str, triggered: str = "inside-request.data", **values: Any) -> Any:
    """What the callback that owns an Output answers for each ``id.property``."""
    client = app.server.test_client()
    dependencies: Any = client.get("/_dash-dependencies").json
    (owner,) = (d for d in dependencies if output in d["output"].strip(".").split("..."))
    given = {name.replace("__", "-"): value for name, value in values.items()}
    names = [name.rsplit(".", 1) for name in owner["output"].strip(".").split("...")]
    body = {
        "output": owner["output"],
        "outputs": [{"id": name, "property": prop} for name, prop in names],
        "inputs": [place | {"value": given.get(place["id"])} for place in owner["inputs"]],
        "state": [place | {"value": given.get(place["id"])} for place in owner["state"]],
        "changedPropIds": [triggered],
    }
    answer = client.post("/_dash-update-component", json=body)
    if answer.status_code == 204:
        return {}
    assert answer.status_code == 200, answer.text
    response: Any = answer.json
    return {
        f"{name}.{prop}": value
        for name, props in response["response"].items()
        for prop, value in props.items()
    }


def _asked(model: str, **more: Any) -> dict[str, Any]:
    fields = {
        "inside__request": {"model": model, "text": "A cat.", "pair": None, "target": None,
                            "truncate": False},
        "inside__mode": "sharing", "inside__head": 1, "theme": "light",
        "inside__sharing__tokens": 4096, "inside__sharing__batch": 1,
        "inside__sharing__precision": "float16", "inside__sharing__by": "own",
    }  # fmt: skip
    fields |= {"inside-sharing-" + name: value for name, value in more.items()}
    return {name.replace("__", "-"): value for name, value in fields.items()}


def _view(model: str, **more: Any) -> dict[str, Any]:
    asked = {"tokens": 4096, "batch": 1, "precision": "float16", "sharing": "own"}
    return {"request": {"model": model}, **asked, **more}


def _cells(tables: Any) -> list[list[str]]:
    """The rows of all tables as text."""
    return [
        [cell.children for cell in row.children]
        for table in tables
        for part in table.children
        for row in (part.children if isinstance(part.children, list) else [part.children])
    ]


def test_numbers_are_those_of_the_formula(session: Session, folder: Folder) -> None:
    """3 layers · 2 of 4 key/value heads · d_head 8: 2·3·2·8 = 96 numbers a token."""
    shown = inside_sharing.shown_costs(session, _view(str(folder("llama")), tokens=1000, batch=3))
    rows = _cells(inside_sharing.numbers(shown))
    assert rows[0] == ["cache", "multi-head, 4", "grouped, 2 (this model)", "multi-query, 1"]
    assert rows[1] == ["a token", "384 B", "192 B", "96 B"]
    assert rows[2] == ["1,000 tokens, 3 texts", "1.15 MB", "576 kB", "288 kB"]
    assert rows[4] == ["one text", "1,000 tokens"]
    assert rows[5] == ["all maps, float32", "48 MB"]
    # 3 · 1,000 · (4 + 2 + 2) · 8 · 4 bytes
    assert rows[6] == ["queries, keys, values, float32", "768 kB"]
    assert rows[8] == ["operations, all tokens", "384 MFLOP"]
    assert rows[9] == ["… in cells the mask leaves", "192 MFLOP"]
    assert rows[10] == ["operations, one more token", "384 kFLOP"]


def test_an_encoder_has_no_next_token(session: Session, folder: Folder) -> None:
    shown = inside_sharing.shown_costs(session, _view(str(folder("bert"))))
    rows = _cells(inside_sharing.numbers(shown))
    assert rows[0][0] == "keys and values, if kept"
    assert rows[-1] == ["operations, one more token", "–"]


def test_what_another_model_shared_is_left(session: Session, folder: Folder) -> None:
    shown = inside_sharing.shown_costs(session, _view(str(folder("llama")), sharing="12"))
    assert shown.settings.sharing == "own"


def test_csv_of_what_is_on_the_screen(session: Session, folder: Folder) -> None:
    view = _view(str(folder("llama")), tokens=777, precision="int8", sharing="1")
    name, content = inside_sharing.csv(session, view)
    assert name == "llama-attention-costs.csv"
    rows = csv.DictReader(io.StringIO(content))
    (asked,) = [row for row in rows if row["tokens"] == "777" and row["sharing"] == "multi-query"]
    assert asked["value"] == str(777 * 48)


def test_pictures_numbers_and_what_is_saved(app: Dash, folder: Folder) -> None:
    model = str(folder("llama"))
    answer = _fire(app, COSTS, **_asked(model, by="1"))
    assert answer["inside-sharing-message.children"] is None
    assert "multi-query attention (1 key/value head)" in answer["inside-sharing-caption.children"]
    view = answer["inside-sharing-view.data"]
    assert (view["tokens"], view["sharing"], view["request"]["model"]) == (4096, "1", model)
    drawn = {line.get("name") for line in answer["inside-sharing-operations-graph.figure"]["data"]}
    assert "all maps: N²" in drawn


def test_heads_are_drawn_with_the_chosen_one(app: Dash, folder: Folder) -> None:
    answer = _fire(app, HEADS, **_asked(str(folder("llama"))))
    assert (
        "Head 1 shares key/value head 0 with 0." in answer["inside-sharing-heads-caption.children"]
    )
    far = _fire(app, HEADS, **(_asked(str(folder("llama"))) | {"inside-head": 99}))
    assert "Head 3 shares" in far["inside-sharing-heads-caption.children"]


def test_what_can_be_shared_is_offered(app: Dash, folder: Folder) -> None:
    answer = _fire(app, "inside-sharing-by.data", **_asked(str(folder("llama")), by="3"))
    assert [one["value"] for one in answer["inside-sharing-by.data"]] == ["own", "4", "1"]
    assert answer["inside-sharing-by.value"] == "own"
    kept = _fire(app, "inside-sharing-by.data", **_asked(str(folder("llama")), by="4"))
    assert kept["inside-sharing-by.value"] == "4"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("tokens", 0, "The context length is 0: type a whole number from 1 to 1,000,000."),
        ("tokens", 10**12, "The context length is 1000000000000: type a whole number from 1 to "
         "1,000,000."),
        ("tokens", "", "The context length is empty: type a whole number from 1 to 1,000,000."),
        ("batch", 0, "The batch is 0: type a whole number from 1 to 10,000."),
        ("precision", "fp8",
         "Unknown precision 'fp8': use float32, float16, bfloat16, int8, int4."),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_the_pictures(
    field: str, value: Any, told: str, app: Dash, folder: Folder
) -> None:
    answer = _fire(app, COSTS, **_asked(str(folder("llama")), **{field: value}))
    assert set(answer) == {"inside-sharing-message.children"}
    assert answer["inside-sharing-message.children"]["props"]["children"] == told


def test_a_model_that_is_gone_is_said(app: Dash) -> None:
    answer = _fire(app, COSTS, **_asked("/no/such/folder"))
    line = answer["inside-sharing-message.children"]["props"]["children"]
    assert "/no/such/folder" in line
    assert "\n" not in line
    assert _fire(app, HEADS, **_asked("/no/such/folder")) == {}
    assert _fire(app, "inside-sharing-by.data", **_asked("/no/such/folder")) == {}


@pytest.mark.parametrize("output", [COSTS, HEADS, "inside-sharing-by.data"])
def test_nothing_is_computed_for_another_view(output: str, app: Dash) -> None:
    away = _asked("/no/such/folder") | {"inside-mode": "numbers"}
    assert _fire(app, output, **away) == {}
    nothing = _asked("/no/such/folder") | {"inside-request": None}
    assert _fire(app, output, **nothing) == {}


def test_a_picture_that_is_left_gives_back_its_nodes(app: Dash) -> None:
    away = _asked("/no/such/folder") | {"inside-mode": "numbers"}
    answer = _fire(app, COSTS, "inside-mode.value", **away)
    assert set(answer) == {COSTS, "inside-sharing-operations-graph.figure"}
    assert answer[COSTS]["data"] == []
    (heads,) = _fire(app, HEADS, "inside-mode.value", **away).values()
    assert heads["data"] == []

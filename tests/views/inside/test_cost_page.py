"""The Inside page's cost view, without a browser: what its callbacks answer."""

from __future__ import annotations

from typing import Any

import pytest
from dash import Dash

from explorer.session.session import Session
from explorer.views.inside.cost import CostViewSettings
from explorer.views.inside.cost import panel as cost_panel
from explorer.views.inside.cost.compute import compute
from tests.callbacks import answer, app_of, said
from tests.conftest import Folder

COSTS = "inside-cost-cache-graph.figure"
HEADS = "inside-cost-heads-graph.figure"


@pytest.fixture(scope="module")
def app(session: Session) -> Dash:
    return app_of(cost_panel, session)


def _asked(model: str, **more: Any) -> dict[str, Any]:
    """The fields of the view, by id."""
    fields = {"tokens": 4096, "batch": 1, "precision": "float16", "sharing": "own"} | more
    return {
        "inside-mode": "cost",
        "inside-selection": {"model": model, "text": "A cat.", "head": 1},
        "theme": "light",
        **{f"inside-cost-{name}": value for name, value in fields.items()},
    }


def _fire(app: Dash, output: str, triggered: str = "inside-selection.data", **fields: Any) -> Any:
    return answer(app, output, triggered, fields)


def _settings(model: str, **more: Any) -> CostViewSettings:
    return CostViewSettings(model=model, **more)


def _looking(fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same where the page looks at something else."""
    return fields | {"inside-selection": fields["inside-selection"] | more}


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
    shown = compute(session, _settings(str(folder("llama")), tokens=1000, batch=3))
    rows = _cells(cost_panel.numbers(shown))
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
    shown = compute(session, _settings(str(folder("bert"))))
    rows = _cells(cost_panel.numbers(shown))
    assert rows[0][0] == "keys and values, if kept"
    assert rows[-1] == ["operations, one more token", "–"]


def test_what_another_model_shared_is_left(app: Dash, session: Session, folder: Folder) -> None:
    """The page takes the model's own way; an address that asks for another is told."""
    model = str(folder("llama"))
    told = _fire(app, COSTS, **_asked(model, sharing="12"))
    assert told["inside-cost-state.data"]["sharing"] == "own"
    with pytest.raises(ValueError, match="4 query heads cannot share 12 key/value heads evenly"):
        compute(session, _settings(model, sharing="12"))


def test_pictures_numbers_and_what_is_saved(app: Dash, folder: Folder) -> None:
    model = str(folder("llama"))
    told = _fire(app, COSTS, **_asked(model, sharing="1"))
    assert told["inside-cost-error.children"] is None
    assert "multi-query attention (1 key/value head)" in told["inside-cost-caption.children"]
    assert told["inside-cost-state.data"] == _settings(model, head=1, sharing="1").as_dict()
    drawn = {line.get("name") for line in told["inside-cost-operations-graph.figure"]["data"]}
    assert "all maps: N²" in drawn


def test_heads_are_drawn_with_the_chosen_one(app: Dash, folder: Folder) -> None:
    told = _fire(app, HEADS, **_asked(str(folder("llama"))))
    assert "Head 1 shares key/value head 0 with 0." in told["inside-cost-heads-caption.children"]
    far = _fire(app, HEADS, **_looking(_asked(str(folder("llama"))), head=99))
    assert "Head 3 shares" in far["inside-cost-heads-caption.children"]


def test_what_can_be_shared_is_offered(app: Dash, folder: Folder) -> None:
    told = _fire(app, "inside-cost-sharing.data", **_asked(str(folder("llama")), sharing="3"))
    assert [one["value"] for one in told["inside-cost-sharing.data"]] == ["own", "4", "1"]
    assert told["inside-cost-sharing.value"] == "own"
    kept = _fire(app, "inside-cost-sharing.data", **_asked(str(folder("llama")), sharing="4"))
    assert "inside-cost-sharing.value" not in kept


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("tokens", 0, "The context length is 0: type a whole number from 1 to 1,000,000."),
        ("tokens", 10**12, "The context length is 1000000000000: type a whole number from 1 to 1,000,000."),
        ("tokens", "", "The context length is empty: type a whole number from 1 to 1,000,000."),
        ("batch", 0, "The batch is 0: type a whole number from 1 to 10,000."),
        ("precision", "fp8", "Unknown precision 'fp8': use float32, float16, bfloat16, int8, int4."),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_pictures(
    field: str, value: Any, line: str, app: Dash, folder: Folder
) -> None:
    told = _fire(app, COSTS, **_asked(str(folder("llama")), **{field: value}))
    assert told["inside-cost-state.data"] is None
    assert set(told) == {"inside-cost-error.children", "inside-cost-state.data"}
    assert said(told, "inside-cost-error") == line


def test_a_model_that_is_gone_is_said(app: Dash) -> None:
    told = _fire(app, COSTS, **_asked("/no/such/folder"))
    line = told["inside-cost-error.children"]["props"]["children"]
    assert "/no/such/folder" in line
    assert "\n" not in line
    assert _fire(app, "inside-cost-sharing.data", **_asked("/no/such/folder")) == {}


@pytest.mark.parametrize("output", [COSTS, "inside-cost-sharing.data"])
def test_nothing_is_computed_for_another_view(output: str, app: Dash) -> None:
    away = _asked("/no/such/folder") | {"inside-mode": "worksheet"}
    assert _fire(app, output, "theme.data", **away) == {}
    nothing = _asked("/no/such/folder") | {"inside-selection": None}
    assert _fire(app, output, "theme.data", **nothing) == {}


def test_figures_that_are_left_give_back_their_nodes(app: Dash) -> None:
    away = _asked("/no/such/folder") | {"inside-mode": "worksheet"}
    told = _fire(app, COSTS, "inside-mode.value", **away)
    assert set(told) == {COSTS, HEADS, "inside-cost-operations-graph.figure"}
    assert all(figure["data"] == [] for figure in told.values())

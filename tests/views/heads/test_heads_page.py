"""What the page puts into the table of heads, and how the grid is told to show it."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures import MEASURES
from explorer.session.session import Session
from explorer.session.settings import Value
from explorer.views.heads.heads.columns import column_definitions
from explorer.views.heads.heads.compute import compute
from explorer.views.heads.heads.panel import rows, stack_request, table_settings
from tests import reference
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder


def _request(session: Session, folder: Folder, name: str, stack: str) -> dict[str, Value]:
    target = TEXT if FAMILIES[name].is_encoder_decoder else None
    text = {"model": str(folder(name)), "text": TEXT, "pair": "", "target": target or ""}
    request = stack_request(session, text, stack)
    assert request is not None
    return request


def _columns(
    session: Session,
    wanted: dict[str, Value],
    nulls: dict[str, Value] | None = None,
    probed: dict[str, Value] | None = None,
    link: list[int] | None = None,
) -> dict[str, np.ndarray]:
    return dict(compute(session, table_settings(wanted, nulls, probed, link)).columns)


def _fields(names: list[str]) -> list[str]:
    return [definition["field"] for definition in column_definitions(names)]


def test_measures_in_their_order() -> None:
    assert _fields(list(MEASURES)) == ["layer", "head", *MEASURES]


def test_what_a_score_is_held_against_stands_beside_it() -> None:
    names = [
        "offset_weight",
        "offset",
        "same_token_z",
        "same_token_null",
        "same_token",
        "entropy",
        "probe",
        "entropy_z",
        "link",
    ]
    assert _fields(names) == [
        "layer",
        "head",
        "link",
        "probe",
        "entropy",
        "entropy_z",
        "same_token",
        "same_token_z",
        "offset",
        "offset_weight",
    ]


def test_the_link_is_named_and_sorted_by() -> None:
    *_, link = column_definitions(["link"], "she → apple")
    assert (link["headerName"], link["sort"]) == ("she → apple", "desc")
    assert all("sort" not in definition for definition in column_definitions(MEASURES))


def test_no_stack_is_asked_for_before_a_run(session: Session) -> None:
    assert stack_request(session, None, "") is None


def test_a_stack_that_is_not_there_gives_way(session: Session, folder: Folder) -> None:
    assert _request(session, folder, "bert", "cross")["stack"] == ""  # it has only one
    assert _request(session, folder, "t5", "other")["stack"] == "encoder"
    assert _request(session, folder, "t5", "cross")["stack"] == "cross"


def test_offsets_are_those_of_eager_attention(session: Session, folder: Folder) -> None:
    request = _request(session, folder, "gpt2", "")
    columns = _columns(session, request, nulls=request)
    layers = reference.eager(FAMILIES["gpt2"], folder("gpt2"), TEXT).attention["decoder"]
    n = layers[0].shape[-1]
    on_diagonals = np.array(
        [[[np.trace(head, offset) for offset in range(1 - n, 1)] for head in layer] for layer in layers]
    )
    offsets = on_diagonals.argmax(axis=2) - (n - 1)
    np.testing.assert_array_equal(columns["offset"], offsets)
    np.testing.assert_allclose(columns["offset_weight"], on_diagonals.max(axis=2) / (n + offsets), rtol=1e-4)
    assert {f"{name}_z" for name in MEASURES} < set(columns)
    first = rows(columns)[0]
    assert (first["id"], first["offset"], first["next_token_z"]) == ("0.0", offsets[0, 0], None)


def test_cross_attention_has_no_offsets(session: Session, folder: Folder) -> None:
    request = _request(session, folder, "t5", "cross")
    columns = _columns(session, request, nulls=request)
    assert "entropy_z" in columns
    assert "offset" not in columns


def test_probe_and_link_when_asked_for(session: Session, folder: Folder) -> None:
    request = _request(session, folder, "bert", "")
    plain = _columns(session, request)
    assert list(plain) == list(MEASURES)
    columns = _columns(session, request, None, {"model": request["model"]}, [1, 2])
    assert set(columns) - set(plain) == {"probe", "link"}
    run = reference.eager(FAMILIES["bert"], folder("bert"), TEXT)
    linked = [[head[1, 2] for head in layer] for layer in run.attention["encoder"]]
    np.testing.assert_allclose(columns["link"], linked, atol=1e-5)


def test_what_was_made_for_another_text_or_model_is_not_shown(session: Session, folder: Folder) -> None:
    request = _request(session, folder, "bert", "")
    state = table_settings(request, {**request, "text": "Another."}, {"model": "another"}, None)
    assert (state.nulls, state.probe) == (False, False)
    again = table_settings(request, dict(request), {"model": request["model"]}, [0, 3])
    assert (again.nulls, again.probe) == (True, True)
    assert (again.query, again.key) == ("0", "3")

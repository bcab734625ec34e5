"""Weight matrices as linear maps: maps made by hand, and the real models' weights in plain numpy."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer.records import HeadMaps, LinearMap, LinearMapPlanes, ModelError
from explorer.records.source import Source
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.matrices import MatricesSettings, panel
from explorer.views.inside.matrices.compute import compute, linear_map_planes, token_of
from explorer.views.inside.matrices.data import table as matrices_table
from explorer.views.inside.matrices.figure import interpolate_planes, map_facts, planes_caption, planes_figure
from tests.browser import eager
from tests.callbacks import answer, app_of, said
from tests.checkpoints import TEXT
from tests.conftest import Folder

APPLE = "She ate an apple while Apple announced a phone."
BY_HAND = Source("by hand", None)
TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])  # by 90°: (1, 0) to (0, 1)


def made_by(given: Any, weight: Any, bias: Any = None) -> HeadMaps:
    """A head whose query map is ``weight``; key and value maps are 1 and 0."""
    given, weight = np.asarray(given, float), np.asarray(weight, float)
    width, d = weight.shape
    query = LinearMap(weight, np.zeros(d) if bias is None else np.asarray(bias, float))
    one, none = (LinearMap(part, np.zeros(width)) for part in (np.eye(width), 0 * np.eye(width)))
    labels = tuple(f"t{i}" for i in range(len(given)))
    after = given @ weight + query.bias
    return HeadMaps(
        "by hand",
        "encoder",
        0,
        0,
        0,
        labels,
        labels,
        given,
        given,
        query,
        one,
        none,
        after,
        given,
        after,
        given,
        given * 0,
        normalised=False,
        rotated=False,
    )


def moved(given: Any, weight: Any, bias: Any = None, which: str = "query") -> LinearMapPlanes:
    return linear_map_planes(BY_HAND, made_by(given, weight, bias), which, 1, 1, drop_first=False)


def crossed(*lengths: float) -> np.ndarray:
    """Tokens at ± these lengths along each dimension: components are the dimensions."""
    return np.concatenate([sign * np.diag(lengths) for sign in (1, -1)])


def test_a_quarter_turn_and_a_doubling() -> None:
    """The plane after turns with its tokens: what is left to see is twice the size."""
    shown = moved(crossed(4, 1), 2 * TURN, bias=[7, -3])
    np.testing.assert_allclose(shown.plane_map, 2 * np.eye(2), atol=1e-12)
    np.testing.assert_allclose(shown.after, 2 * shown.before, atol=1e-12)
    for before, after in zip(shown.grid_before, shown.grid_after, strict=True):
        np.testing.assert_allclose(after, 2 * before, atol=1e-12)
    assert shown.area == pytest.approx(4)
    np.testing.assert_allclose(shown.singular_values, [2, 2])
    np.testing.assert_allclose(shown.lengths, [2, 2])
    assert shown.carrying == 2
    assert shown.from_plane == pytest.approx(1)


def test_a_turn_into_other_dimensions() -> None:
    """Of four dimensions the first two are turned into the last two, doubled; the rest is lost."""
    weight = np.zeros((4, 4))
    weight[:2, 2:] = 2 * TURN
    shown = moved(crossed(4, 2, 1, 0.5), weight)
    np.testing.assert_allclose(shown.plane_map, 2 * np.eye(2), atol=1e-12)
    assert shown.area == pytest.approx(4)
    assert shown.from_plane == pytest.approx(1)
    np.testing.assert_allclose(shown.singular_values, [2, 2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(shown.explained_before, np.array([16, 4]) / 21.25)
    np.testing.assert_allclose(shown.explained_after, [0.8, 0.2])


def test_a_shear_has_the_area_of_its_determinant() -> None:
    shown = moved(crossed(3, 2), [[1.0, 5.0], [0.0, 1.5]])
    assert shown.area == pytest.approx(1.5)
    np.testing.assert_allclose(sorted(shown.lengths), sorted([np.sqrt(26), 1.5]))
    np.testing.assert_allclose(
        np.linalg.svd(shown.plane_map, compute_uv=False),
        np.linalg.svd(np.array([[1.0, 5.0], [0.0, 1.5]]), compute_uv=False),
    )


def test_what_the_left_plane_hides_takes_the_right_one() -> None:
    """Lengths 4, 2, 1, the last made 10 times longer: the right plane is it and the first."""
    shown = moved(crossed(4, 2, 1), np.diag([1.0, 1.0, 10.0]))
    np.testing.assert_allclose(np.abs(shown.plane_map), [[0, 1], [0, 0]], atol=1e-12)
    assert shown.area == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(shown.lengths, [1, 1])
    assert shown.from_plane == pytest.approx(16 / 116)
    assert shown.carrying == 1  # 100 of 102
    said = dict(map_facts(shown))
    assert said["stretch"].startswith("×10 in the direction it stretches most, ×1 in the least")
    assert said["old axes"].startswith("A step along axis 1 becomes ×1 as long (×1 seen")
    assert "(×0)" in said["old axes"]
    assert said["left to right"].startswith("14% of the tokens’ spread")


def test_a_map_that_loses_everything() -> None:
    shown = moved(crossed(2, 1), np.eye(2), which="value")
    assert not shown.after.any()
    assert shown.carrying == 0
    assert np.isnan(shown.from_plane)
    assert "left to right" not in dict(map_facts(shown))
    assert "all vectors are equal" in planes_caption(shown)
    assert planes_figure(shown).data


def test_one_token_and_unknown_maps() -> None:
    assert moved([[1.0, 2.0]], np.eye(2)).before.tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="without its first token there is none left"):
        linear_map_planes(BY_HAND, made_by([[1.0, 2.0]], np.eye(2)), "query", 1, 1, drop_first=True)
    with pytest.raises(ValueError, match="there is no map 'output': use query, key, value"):
        moved(crossed(2, 1), np.eye(2), which="output")


def test_the_grid_lies_around_the_tokens() -> None:
    """A span of 8 by 2: cells of 1, one line a cell, through zero."""
    shown = moved(crossed(4, 1), np.eye(2))
    along, across = shown.grid_before
    np.testing.assert_allclose(along[:, 0, 1], [-1, 0, 1])
    np.testing.assert_allclose(across[:, 0, 0], np.arange(-4, 5))
    assert (along[:, 0, 0] == -4).all()
    assert (along[:, 1, 0] == 4).all()
    np.testing.assert_allclose(across[0], [[-4, -1], [-4, 1]])


def asked_for(request: TextRequest, layer: int, head: int, which: str = "query", stack: str = "") -> MatricesSettings:
    """The map of a head."""
    return MatricesSettings.of({**request.as_dict(), "layer": layer, "head": head, "map": which, "stack": stack})


def projection(side: str, name: str, layer: int) -> tuple[np.ndarray, np.ndarray, Any]:
    path = {
        "minilm": f"encoder.layer.{layer}.attention.self.{side}",
        "smollm2": f"layers.{layer}.self_attn.{side[0]}_proj",
    }[name]
    return eager.given_and_made(name, APPLE, path)


def aligned(basis: PCA, rows: np.ndarray, points: np.ndarray) -> np.ndarray:
    """scikit-learn's axes with the picture's signs [2, D]."""
    signs: np.ndarray = np.sign((basis.transform(rows) * points).sum(axis=0))
    axes: np.ndarray = basis.components_ * signs[:, None]
    return axes


@pytest.mark.parametrize(
    ("name", "which", "layer", "head", "kv_head"),
    [
        ("minilm", "query", 3, 5, 5),
        ("minilm", "value", 1, 2, 2),
        ("smollm2", "key", 5, 7, 2),
        ("smollm2", "query", 8, 4, 4),
    ],
)
def test_the_grid_is_moved_by_the_models_own_weights(
    name: str, which: str, layer: int, head: int, kv_head: int, session: Session
) -> None:
    """Every end of a grid's line, as a vector of the full space through W and b."""
    given, made, module = projection(which, name, layer)
    width = {"minilm": 32, "smollm2": 64}[name]
    part = slice(kv_head * width, (kv_head + 1) * width)
    weight = module.weight.detach().numpy()[part].astype(float).T
    bias = 0.0 if module.bias is None else module.bias.detach().numpy()[part].astype(float)
    given, made = given.astype(float), made[:, part].astype(float)
    asked = asked_for(TextRequest(name, APPLE), layer, head, which)
    shown = compute(session, asked)
    before, after = (PCA(2, svd_solver="full").fit(rows) for rows in (given, made))
    left, right = aligned(before, given, shown.before), aligned(after, made, shown.after)
    places = [(shown.before, (given - given.mean(0)) @ left.T), (shown.after, (made - made.mean(0)) @ right.T)]
    for ends, moved_ends in zip(shown.grid_before, shown.grid_after, strict=True):
        vectors = given.mean(axis=0) + ends @ left
        places.append((moved_ends, (vectors @ weight + bias - made.mean(axis=0)) @ right.T))
    for drawn, expected in places:
        np.testing.assert_allclose(drawn, expected, atol=2e-3 * np.abs(expected).max())
    assert (shown.before * shown.after).sum(axis=0).min() >= 0
    np.testing.assert_allclose(shown.explained_after, after.explained_variance_ratio_, rtol=1e-3)
    squares = np.linalg.eigvalsh(weight.T @ weight)[::-1]
    np.testing.assert_allclose(shown.singular_values**2, squares, rtol=1e-3)
    assert squares[: shown.carrying].sum() >= 0.9 * squares.sum()
    assert squares[: shown.carrying - 1].sum() < 0.9 * squares.sum()
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ left @ weight @ right.T
    assert shown.area == pytest.approx(polygon_area(corners), rel=1e-3)
    plane_only = (given - given.mean(0)) @ left.T @ left @ weight @ right.T
    share = (plane_only**2).sum() / (((made - made.mean(0)) @ right.T) ** 2).sum()
    assert shown.from_plane == pytest.approx(share, rel=1e-3)


def polygon_area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_without_the_first_token(session: Session) -> None:
    maps = head_maps_of(session, TextRequest("smollm2", APPLE), None, 8, 4)
    shown = linear_map_planes(BY_HAND, maps, "key", 9, 3, drop_first=True)
    assert shown.labels == maps.keys[1:]
    rest = np.asarray(maps.given_keys, float)[1:]
    fit = PCA(2, svd_solver="full").fit_transform(rest)
    np.testing.assert_allclose(np.abs(shown.before), np.abs(fit), atol=1e-6)
    assert (shown.of_head, shown.shared) == (1, 3)
    assert "key/value head 1, which heads 3–5 share" in planes_caption(shown)
    assert "rotates by position is not in this picture" in planes_caption(shown)
    assert "The first token is left out." in planes_caption(shown)
    assert "rotates" not in planes_caption(linear_map_planes(BY_HAND, maps, "value", 9, 3, drop_first=False))


def test_left_and_right_show_the_same() -> None:
    shown = moved(crossed(4, 2, 1), np.diag([1.0, 2.0, 3.0]))
    figure = planes_figure(shown, 1, "dark")
    meta = figure.layout.meta
    count = len(figure.data) // 2
    left, right = figure.data[:count], figure.data[count:]
    assert [t.name for t in left] == [t.name for t in right]
    assert [t.text for t in left if t.name == "names"] == [t.text for t in right if t.name == "names"]
    assert {t.xaxis for t in left} == {"x"}
    assert {t.xaxis for t in right} == {"x2"}
    assert [one["trace"] for one in meta["moved"]] == list(range(count, 2 * count))
    for one, was, now in zip(meta["moved"], left, right, strict=True):
        for ends, trace in ((one["from"], was), (one["to"], now)):
            sent = np.array(ends, dtype=float)
            np.testing.assert_allclose(sent, [trace.x, trace.y], rtol=1e-4, atol=1e-12)
    assert meta["frames"][1] == [list(figure.layout.xaxis2.range), list(figure.layout.yaxis2.range)]
    assert meta["titles"][0][2] == figure.layout.xaxis2.title.text
    assert "nothing the model does" in meta["titles"][0][1]
    axes = [t for t in figure.data if t.name == "axis 1 of the left picture"]
    assert [len(t.x) for t in axes] == [3, 3]
    assert [t.showlegend for t in axes] == [True, False]
    assert axes[0].y[:2] == pytest.approx((0, 0))
    (ring,) = (t for t in left if t.name == "the chosen token")
    np.testing.assert_allclose([ring.x[0], ring.y[0]], shown.before[1])
    with pytest.raises(ValueError, match="unknown theme"):
        planes_figure(shown, None, "sepia")


def test_axes_are_told_apart_where_the_tokens_are_a_line() -> None:
    shown = moved(crossed(4, 0), np.eye(2))
    drawn = {t.name: t for t in planes_figure(shown).data if t.xaxis == "x"}
    assert np.ptp(drawn["axis 1 of the left picture"].x[:2]) > 0
    assert np.ptp(drawn["axis 1 of the left picture"].y[:2]) == 0
    assert np.ptp(drawn["axis 2 of the left picture"].x[:2]) == 0


def test_a_long_text_is_thinned() -> None:
    given = np.random.default_rng(5).normal(size=(2000, 3))
    shown = moved(given, np.eye(3))
    figure = planes_figure(shown, 1235)
    tokens = [t for t in figure.data if t.name == "tokens"]
    assert [len(t.x) for t in tokens] == [601, 601]
    assert "<b>t1235</b> · token 1235" in tokens[0].customdata
    marks = sum(len(t.x) for t in figure.data if "markers" in t.mode)
    assert marks < 1400
    assert len(figure.data) < 20
    assert "Of 2,000 tokens 600 are drawn" in planes_caption(shown)


def test_what_is_said_of_normalised_queries() -> None:
    maps = replace(made_by(crossed(2, 1), np.eye(2)), normalised=True, rotated=True)
    said = planes_caption(linear_map_planes(BY_HAND, maps, "query", 1, 1, drop_first=False))
    assert "What the model then normalises and rotates by position is not in this picture" in said
    assert "The points move, not the axes" in said


def test_rows_of_the_file() -> None:
    shown = moved(crossed(4, 1), 2 * TURN)
    rows = list(csv.DictReader(io.StringIO(matrices_table(shown).csv())))
    tokens = [row for row in rows if row["what"] == "token"]
    assert [row["label"] for row in tokens] == ["t0", "t1", "t2", "t3"]
    for row in rows:
        assert float(row["after_1"]) == pytest.approx(2 * float(row["before_1"]), abs=1e-12)
        assert float(row["after_2"]) == pytest.approx(2 * float(row["before_2"]), abs=1e-12)
    assert len(rows) == 4 + 2 * (3 + 9)


def test_the_chosen_token_is_clipped_and_of_this_side() -> None:
    shown = moved(crossed(4, 1), np.eye(2))
    places: Sequence[int | None] = [token_of(shown, q) for q in (-3, 0, 2, 99)]
    assert places == [0, 0, 2, 3]
    later = replace(shown, drop_first=True, labels=shown.labels[1:])
    assert [token_of(later, q) for q in (0, 1, 99)] == [None, 0, 2]
    cross = replace(shown, stack="cross")
    assert token_of(cross, 1) == 1
    assert token_of(replace(cross, which="key"), 1) is None


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_every_stack_has_its_maps(stack: str, folder: Folder, session: Session) -> None:
    request = TextRequest(str(folder("bart")), TEXT, target="She ate an apple.")
    asked = asked_for(request, 1, 2, "key", stack)
    shown = compute(session, asked)
    assert shown.stack == stack
    cap = session.capture(request).stack(stack)
    np.testing.assert_allclose(
        np.linalg.norm(shown.after[:, None] - shown.after[None], axis=-1).max(),
        spread_of(PCA(2, svd_solver="full").fit_transform(cap.k(1, 2))),
        rtol=1e-3,
    )
    assert shown.labels == cap.keys


def spread_of(points: np.ndarray) -> float:
    return max(float(np.linalg.norm(a - b)) for a in points for b in points)


def test_what_the_page_answers(session: Session, folder: Folder) -> None:
    app = app_of(panel, session)
    asked = replace(asked_for(TextRequest("minilm", APPLE), 3, 5, "value"), first=False, share=0.25)
    fields = {
        "inside-mode": "matrices",
        "inside-selection": asked_for(TextRequest("minilm", APPLE), 3, 5).as_dict(),
        "inside-matrices-map": "value",
        "inside-first": False,
        "inside-matrices-share": 0.25,
        "theme": "light",
    }
    graph = "inside-matrices-graph.figure"
    told = answer(app, graph, "inside-selection.data", fields)
    assert told[graph]["layout"]["title"]["text"].startswith("Value map · minilm")
    assert len(told["inside-matrices-facts.children"]) == 5
    assert told["inside-matrices-state.data"] == asked.as_dict()
    eagerly = asked_for(TextRequest(str(folder("deberta-v2")), APPLE), 0, 0).as_dict()
    wrong = answer(app, graph, "inside-selection.data", fields | {"inside-selection": eagerly})
    assert "eager" in said(wrong, "inside-matrices-error")
    assert wrong["inside-matrices-state.data"] is None
    away = fields | {"inside-mode": "worksheet"}
    assert answer(app, graph, "inside-first.checked", away) == {}
    left = answer(app, graph, "inside-mode.value", away)
    assert left.keys() == {graph}
    assert left[graph]["data"] == []


def test_a_file_shows_the_move_as_far_as_it_is_brought() -> None:
    """A share of the way: each place by hand between the two; nothing that only a page needs."""
    shown = moved(crossed(4, 1), 2 * TURN, bias=[7, -3])
    figure = interpolate_planes(planes_figure(shown), 0.25)
    (right,) = (t for t in figure.data if t.name == "tokens" and t.xaxis == "x2")
    expected = 0.75 * shown.before + 0.25 * shown.after
    np.testing.assert_allclose(np.stack([right.x, right.y], axis=1), expected, rtol=1e-4)
    assert "nothing the model does" in figure.layout.xaxis2.title.text
    assert "25% of the way" in planes_caption(shown, 0.25)
    assert figure.layout.meta is None
    ends = [list(planes_figure(shown).layout[axis].range) for axis in ("xaxis", "xaxis2")]
    np.testing.assert_allclose(figure.layout.xaxis2.range, 0.75 * np.array(ends[0]) + 0.25 * np.array(ends[1]))
    whole = interpolate_planes(planes_figure(shown), 1)
    assert whole.layout.xaxis2.title.text.startswith("after: ")
    assert "of the way" not in planes_caption(shown)


def test_an_unknown_layout_is_one_line(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.analysis.head_maps.head_layers.input_projections", lambda *_: [])
    asked = asked_for(TextRequest("minilm", APPLE), 3, 5, "query")
    with pytest.raises(ModelError, match="is not known here") as caught:
        compute(session, asked)
    assert "\n" not in str(caught.value)

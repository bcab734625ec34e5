"""Queries and keys in one plane: against scikit-learn, transformers' attention, and by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

import explorer
from explorer.analysis.head_maps import head_maps
from explorer.figures.labels import named, thinned
from explorer.records import ModelError, QueryKeyPoints, ScoreParts
from explorer.records.spaces import MOST_PAIRS
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.points import VIEW, PointsSettings
from explorer.views.inside.points import panel as inside_points
from explorer.views.inside.points.compute import compute, query_key_points
from explorer.views.inside.points.data import table as points_table
from explorer.views.inside.points.figure import points_caption, points_figure
from tests.browser import eager
from tests.callbacks import answer, app_of
from tests.captures_by_hand import HandCapture, HandStack, random_weights, repeating, tokens
from tests.checkpoints import TEXT
from tests.conftest import Folder, Loader

APPLE = "She ate an apple while Apple announced a phone."
PHONE = "The company sells a phone."


@dataclass
class Vectors(HandStack):
    """A stack with queries and keys of its one head."""

    queries: np.ndarray | None = None
    keys: np.ndarray | None = None
    n_kv_heads: int = 1

    def q(self, layer: int, head: int) -> np.ndarray:
        return np.asarray(self.queries)

    def k(self, layer: int, head: int) -> np.ndarray:
        return np.asarray(self.keys)

    def score_parts(self, layer: int, head: int, query: int) -> ScoreParts:
        return ScoreParts(1.0, None, None, None, np.ones(len(self.key_tokens), bool))


def by_hand(queries: Any, keys: Any, weights: np.ndarray | None = None, causal: bool = False) -> HandCapture:
    """A capture whose queries and keys are given; weights are their softmax where none are."""
    queries, keys = np.asarray(queries, float), np.asarray(keys, float)
    if weights is None:
        powers = np.exp(queries @ keys.T)
        weights = powers / powers.sum(axis=1, keepdims=True)
    text = " ".join(f"t{i}" for i in range(len(queries)))
    of = tokens(text, *text.split())
    return HandCapture(Vectors(of, of, weights[None, None], causal=causal, queries=queries, keys=keys), text)


def _settings(layer: int, head: int, query: int, **more: Any) -> PointsSettings:
    return PointsSettings(layer=layer, head=head, query=query, **more)


def same_up_to_sign(points: np.ndarray, expected: np.ndarray) -> None:
    """Each axis may point the other way."""
    expected = expected * np.sign((points * expected).sum(axis=0))
    np.testing.assert_allclose(points, expected, atol=1e-3 * np.abs(expected).max())


def together(shown: QueryKeyPoints) -> np.ndarray:
    return np.concatenate([p for t in shown.texts for p in (t.query_points, t.key_points)])


def test_the_plane_is_scikit_learns(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, APPLE)
    shown = query_key_points([cap], _settings(3, 5, 2))
    fit = PCA(2, svd_solver="full")
    expected = fit.fit_transform(np.concatenate([cap.q(3, 5), cap.k(3, 5)]))
    same_up_to_sign(together(shown), expected)
    np.testing.assert_allclose(shown.explained_variance, fit.explained_variance_ratio_, rtol=1e-4)
    origin = fit.transform(np.zeros((1, 32)))
    same_up_to_sign(np.vstack([together(shown), shown.origin]), np.vstack([expected, origin]))


@pytest.mark.parametrize(("name", "layer", "head"), [("minilm", 3, 5), ("smollm2", 5, 7)])
def test_lines_are_the_strong_weights_of_eager_attention(name: str, layer: int, head: int, session: Session) -> None:
    attention = eager.run(name, APPLE).attention[layer, head]
    shown = query_key_points([session.capture(TextRequest(name, APPLE))], _settings(layer, head, 4))
    drawn = {(pair.query, pair.key): pair.weight for pair in shown.pairs}
    strong = {(q, k) for q, k in np.argwhere(attention >= 0.2).tolist()}
    assert drawn.keys() == strong
    assert strong
    for place, weight in drawn.items():
        assert weight == pytest.approx(attention[place], abs=1e-4)
    chosen = {pair.key: pair.weight for pair in shown.chosen}
    assert {pair.query for pair in shown.chosen} == {4}
    best = np.argsort(-attention[4])[:12]
    assert list(chosen) == [key for key in best.tolist() if attention[4, key] >= 0.01]
    np.testing.assert_allclose(shown.texts[0].received[0], np.mean(attention[:, 0]), atol=1e-5)
    top = [tuple(pair.key for pair in one)[:1] for one in shown.texts[0].strongest]
    assert top == [(key,) for key in attention.argmax(axis=1).tolist()]


def test_before_rotation_is_what_the_projections_give(session: Session) -> None:
    layer, head, width = 5, 7, 64
    path = f"layers.{layer}.self_attn."
    made = [eager.given_and_made("smollm2", APPLE, path + side)[1] for side in ("q_proj", "k_proj")]
    kv_head = head // 3
    expected = np.concatenate(
        [made[0][:, head * width : (head + 1) * width], made[1][:, kv_head * width : (kv_head + 1) * width]]
    )
    request = TextRequest("smollm2", APPLE)
    maps = [head_maps_of(session, request, None, layer, head)]
    shown = query_key_points([session.capture(request)], _settings(layer, head, 0, rope="before"), maps)
    same_up_to_sign(together(shown), PCA(2, svd_solver="full").fit_transform(expected))
    assert shown.kv_head == kv_head
    assert "before they are rotated" in points_caption(shown)


def test_in_two_dimensions_nothing_is_lost() -> None:
    draw = np.random.default_rng(1)
    queries, keys = draw.normal(size=(5, 2)), draw.normal(size=(5, 2)) + 3
    shown = query_key_points([by_hand(queries, keys)], _settings(0, 0, 0))
    (text,) = shown.texts
    products = (text.query_points - shown.origin) @ (text.key_points - shown.origin).T
    np.testing.assert_allclose(products, queries @ keys.T, atol=1e-10)
    assert shown.agreement == pytest.approx(1)
    assert shown.explained_variance.sum() == pytest.approx(1)


def test_agreement_is_the_correlation_within_a_querys_row() -> None:
    draw = np.random.default_rng(2)
    queries, keys = draw.normal(size=(6, 5)) + 1, draw.normal(size=(6, 5)) - 1
    cap = by_hand(queries, keys, causal=True)
    shown = query_key_points([cap], _settings(0, 0, 0))
    axes = PCA(2, svd_solver="full").fit(np.concatenate([queries, keys])).components_
    full, flat = [], []
    for i in range(6):
        row = [float(queries[i] @ keys[j]) for j in range(i + 1)]
        seen = [float((axes @ queries[i]) @ (axes @ keys[j])) for j in range(i + 1)]
        full += [x - sum(row) / len(row) for x in row]
        flat += [x - sum(seen) / len(seen) for x in seen]
    assert shown.agreement == pytest.approx(np.corrcoef(full, flat)[0, 1])


def test_keys_moved_to_the_queries_keep_every_weight(minilm: explorer.LoadedModel) -> None:
    """softmax(q·(k + c)) is the eager model's attention for the c that is drawn."""
    cap = explorer.capture(minilm, APPLE)
    shown = query_key_points([cap], _settings(3, 5, 0, align=True))
    (text,) = shown.texts
    np.testing.assert_allclose(text.query_points.mean(axis=0), text.key_points.mean(axis=0), atol=1e-6)
    q, k = cap.q(3, 5).astype(float), cap.k(3, 5).astype(float)
    scores = q @ (k + q.mean(axis=0) - k.mean(axis=0)).T / np.sqrt(32)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        powers / powers.sum(axis=1, keepdims=True), eager.run("minilm", APPLE).attention[3, 5], atol=1e-5
    )
    plain = query_key_points([cap], _settings(3, 5, 0))
    assert not np.allclose(plain.texts[0].query_points.mean(0), plain.texts[0].key_points.mean(0))
    assert "changes no weight" in points_caption(shown)


@pytest.mark.parametrize(("name", "exact"), [("llama", True), ("gemma2", False), ("gpt-oss", False)])
def test_a_cap_or_a_sink_would_feel_moved_keys(name: str, exact: bool, tiny: Loader) -> None:
    cap = explorer.capture(tiny(name), TEXT)
    shown = query_key_points([cap], _settings(0, 0, 0, align=True))
    assert shown.shifts is exact
    assert ("would change weights" in points_caption(shown)) is not exact


def test_several_texts_share_a_plane_and_no_line(minilm: explorer.LoadedModel) -> None:
    caps = [explorer.capture(minilm, text) for text in (APPLE, PHONE, TEXT)]
    shown = query_key_points(caps, _settings(3, 5, 0))
    rows = np.concatenate([side for cap in caps for side in (cap.q(3, 5), cap.k(3, 5))])
    same_up_to_sign(together(shown), PCA(2, svd_solver="full").fit_transform(rows))
    expected = {
        (number, q, k)
        for number, text in enumerate((APPLE, PHONE, TEXT))
        for q, k in np.argwhere(eager.run("minilm", text).attention[3, 5] >= 0.2).tolist()
    }
    assert {(pair.text, pair.query, pair.key) for pair in shown.pairs} == expected
    marks = [t for t in points_figure(shown).data if t.name.startswith(("keys", "queries"))]
    assert len({trace.marker.symbol for trace in marks}) == 6
    assert len({trace.marker.color for trace in marks}) == 2
    assert [t.name for t in marks][-1] == "queries · text 3"
    choosing = {t.name for t in marks if t.customdata[0][1] is not None}
    assert choosing == {"queries · text 1"}


def test_without_the_first_token(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, APPLE)
    shown = query_key_points([cap], _settings(3, 5, 0, first=False))
    (text,) = shown.texts
    assert np.isnan(text.query_points[0]).all()
    assert np.isnan(text.key_points[0]).all()
    rest = np.concatenate([text.query_points[1:], text.key_points[1:]])
    given = np.concatenate([cap.q(3, 5)[1:], cap.k(3, 5)[1:]])
    same_up_to_sign(rest, PCA(2, svd_solver="full").fit_transform(given))
    assert all(pair.query and pair.key for pair in shown.pairs)
    assert shown.chosen == ()
    figure = points_figure(shown)
    for trace in figure.data:
        assert not np.isnan([x for x in trace.x if x is not None]).any()
    alone = by_hand([[1.0, 2.0]], [[2.0, 1.0]])
    with pytest.raises(ValueError, match="without its first token there is none left"):
        query_key_points([alone], _settings(0, 0, 0, first=False))


def test_a_long_text_is_looked_at_in_blocks() -> None:
    """600 queries: the pairs are the strongest of all, as one sort of all weights says."""
    n = 600
    weights = random_weights(1, 1, n, causal=True)
    draw = np.random.default_rng(3)
    of = repeating(n)
    vectors = draw.normal(size=(2, n, 4))
    stack = Vectors(of, of, weights, causal=True, queries=vectors[0], keys=vectors[1])
    shown = query_key_points([HandCapture(stack, of.texts[0])], _settings(0, 0, 10**6))
    whole = weights[0, 0]
    expected = np.sort(whole[whole >= 0.2])[::-1][:MOST_PAIRS]
    assert len(expected) == MOST_PAIRS
    np.testing.assert_allclose([pair.weight for pair in shown.pairs], expected, rtol=1e-6)
    assert shown.query == n - 1
    seen = np.tril(np.ones((n, n))).sum(axis=0)
    np.testing.assert_allclose(shown.texts[0].received, whole.sum(axis=0) / seen, rtol=1e-5)
    figure = points_figure(shown)
    marks = sum(len(t.x) for t in figure.data if t.mode and "markers" in t.mode)
    assert marks < 1400
    assert len(figure.data) < 20
    assert "100 strongest" in points_caption(shown)


def test_a_very_long_text_is_thinned() -> None:
    n = 3000
    vectors = np.random.default_rng(4).normal(size=(2, n, 2))
    cap = by_hand(vectors[0], vectors[1], np.eye(n, dtype=np.float32))
    shown = query_key_points([cap], _settings(0, 0, 7))
    figure = points_figure(shown)
    marks = {t.name: len(t.x) for t in figure.data}
    assert 1200 <= marks["queries"] <= 1200 + MOST_PAIRS + 1
    assert 7 in [told[1] for told in figure.data[-4].customdata]
    assert "are drawn, evenly" in points_caption(shown)


def test_what_the_picture_shows() -> None:
    weights = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.05, 0.35, 0.6]])
    cap = by_hand([[4, 0], [0, 4], [-4, 0]], [[8, 0], [0, 8], [-8, 1]], weights)
    shown = query_key_points([cap], _settings(0, 0, 2, least=0.35))
    figure = points_figure(shown, "dark")
    strong = [t for t in figure.data if t.name == "strong pairs"]
    assert [(t.line.width, len(t.x) // 3) for t in strong] == [(4.0, 1), (2.8, 2), (1.8, 2)]
    assert [t.showlegend for t in strong] == [True, False, False]
    own = [t for t in figure.data if t.name == "weights of “t2”"]
    assert sum(len(t.x) // 3 for t in own) == 3
    query = shown.texts[0].query_points[2]
    assert {(t.x[0], t.y[0]) for t in own} == {tuple(query.tolist())}
    (names,) = (t for t in figure.data if t.name == "names")
    assert "<b>t2</b>" in names.text
    (queries,) = (t for t in figure.data if t.name == "queries")
    assert queries.customdata[0][0] == "<b>t0</b> · query 0<br>looks at<br>0.90 t0<br>0.10 t1"
    with pytest.raises(ValueError, match="unknown theme"):
        points_figure(shown, "sepia")


def test_rows_of_the_file() -> None:
    weights = np.array([[0.9, 0.1], [0.3, 0.7]])
    cap = by_hand([[4, 0], [0, 4]], [[8, 0], [0, 8]], weights)
    shown = query_key_points([cap], _settings(0, 0, 0, least=0.5))
    rows = list(csv.DictReader(io.StringIO(points_table(shown).csv())))
    assert [row["what"] for row in rows] == ["query"] * 2 + ["key"] * 2 + ["origin"] + ["line"] * 3
    lines = {(r["token"], r["key"], float(r["weight"])) for r in rows if r["what"] == "line"}
    assert lines == {("0", "0", 0.9), ("0", "1", 0.1), ("1", "1", 0.7)}
    assert float(rows[1]["x"]) == shown.texts[0].query_points[1, 0]


def test_names_keep_clear_of_each_other() -> None:
    points = np.array([[0.0, 0.0], [0.1, 0.0], [100.0, 100.0], [np.nan, 0.0]])
    names = ["first", "second", "far", "nowhere"]
    assert named([points], names) == [0, 2]
    assert named([points], names, first=[1]) == [1, 2]
    apart = np.array([[0.0, 0.0], [90.0, 0.0], [100.0, 100.0], [50.0, 50.0]])
    assert named([apart], names) == [0, 1, 2, 3]
    assert named([points, apart], names) == [0, 2]
    assert thinned(5, 10) == [0, 1, 2, 3, 4]
    assert thinned(9, 3, [1]) == [0, 1, 4, 8]


def asked(folder: str = "minilm", **more: Any) -> PointsSettings:
    return PointsSettings(**{"model": folder, "text": APPLE, "layer": 3, "head": 5, **more})


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"texts": "a\nb\nc\n\nd\ne"}, "5 further texts are too many: give at most 4"),
        ({"head": 99}, "head 99 is out of range"),
        ({"rope": "there"}, "rope=there is not a choice: use after, before"),
        ({"least": 1.5}, "least 1.5 is out of range: use 0 to 1"),
        ({"least": float("nan")}, "least nan is out of range: use 0 to 1"),
    ],
)
def test_unusable_settings_are_refused_in_one_line(session: Session, more: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        VIEW.make(session, asked(**more))
    assert "\n" not in str(caught.value)


def test_an_eager_model_is_refused_in_one_line(session: Session, folder: Folder) -> None:
    with pytest.raises(ModelError, match="captured eagerly") as caught:
        VIEW.make(session, asked(str(folder("deberta-v2")), layer=0, head=0))
    assert "\n" not in str(caught.value)


def test_a_model_without_rotation_has_no_before(session: Session) -> None:
    record = compute(session, asked(rope="before", query=10**4))
    assert record.remarks == ("this model does not rotate queries and keys: there is no before",)
    assert not record.before
    assert record.query == len(record.texts[0].queries) - 1


GRAPH, START, WATCH = "inside-points-graph.figure", "inside-points-job.data", "inside-points-request.data"


def fields_of(**more: Any) -> dict[str, Any]:
    """The page's fields, of APPLE and a further text."""
    selection = {name: asked().as_dict()[name] for name in ("model", "text", "layer", "head", "query")}
    return {
        "inside-mode": "points",
        "inside-selection": selection | more,
        "inside-points-rope": "after",
        "inside-points-align": "true",
        "inside-points-least": 0.2,
        "inside-first": True,
        "inside-points-texts": f"{PHONE}\n\n",
        "theme": "dark",
    }


def test_what_the_page_answers(session: Session) -> None:
    app, fields = app_of(inside_points, session), fields_of()
    job = answer(app, START, "inside-selection.data", fields)[START]
    wanted = asked(texts=f"{PHONE}\n\n", align=True).as_dict()
    assert job["request"] == wanted
    request = answer(app, WATCH, START, {"inside-points-job": job})[WATCH]
    assert request == wanted
    ready = fields | {"inside-points-request": request}
    answered = answer(app, GRAPH, WATCH, ready)
    assert "head 5" in answered[GRAPH]["layout"]["title"]["text"]
    assert "2 texts" in answered["inside-points-caption.children"]
    assert answered["inside-points-state.data"] == wanted
    left = answer(app, GRAPH, "inside-mode.value", ready | {"inside-mode": "worksheet"})
    assert left[GRAPH]["data"] == []
    assert left.keys() == {GRAPH}
    assert answer(app, GRAPH, WATCH, ready | {"inside-mode": "worksheet"}) == {}


def test_what_was_made_is_not_made_again(session: Session) -> None:
    app, fields = app_of(inside_points, session), fields_of()
    job = answer(app, START, "inside-selection.data", fields)[START]
    done = fields | {"inside-points-job": job}
    assert answer(app, START, "inside-mode.value", done) == {}
    other = done | {"inside-points-texts": "An apple."}
    assert answer(app, START, "inside-points-texts.value", other)[START]["request"] != job["request"]
    assert answer(app, START, "inside-selection.data", fields | {"inside-mode": "worksheet"}) == {}


def test_what_is_wrong_is_one_line_on_the_page(session: Session) -> None:
    app = app_of(inside_points, session)
    many = fields_of() | {"inside-points-texts": "a\nb\nc\nd\ne"}
    wrong = answer(app, START, "inside-points-texts.value", many)[START]
    assert "5 further texts are too many" in wrong["error"]
    far = answer(app, START, "inside-selection.data", fields_of(head=40))[START]
    answered = answer(app, WATCH, START, {"inside-points-job": far})
    assert WATCH not in answered
    assert "out of range" in str(answered["inside-points-message.children"])


def test_each_text_is_announced_before_it_is_read(session: Session) -> None:
    reported: list[tuple[str, float | None]] = []
    settings = asked(texts=f"{PHONE}\nAn apple.")
    compute(session, settings, lambda sentence, share: reported.append((sentence, share)))
    steps = [one for one in reported if one[0].startswith("reading text")]
    assert steps == [(f"reading text {n + 1} of 3", n / 3) for n in range(3)]


def test_maps_known_only_before(tiny: Loader) -> None:
    """After rotation is the capture's own, whatever the maps say."""
    cap = explorer.capture(tiny("llama"), TEXT)
    maps = [head_maps(cap, 1, 2)]
    plain = query_key_points([cap], _settings(1, 2, 0))
    given = query_key_points([cap], _settings(1, 2, 0), maps)
    np.testing.assert_array_equal(together(plain), together(given))

"""The Inside page's views as they are saved: numbers, figures and refusals."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer.figures.figure_style import FigureStyle
from explorer.records import ModelError
from explorer.saving.save import Saving, figure_of
from explorer.session.session import Session
from explorer.text.example_sets import OPENING_TEXT as TEXT
from explorer.views.spec import ComputedView
from tests.browser import eager
from tests.checkpoints import FAMILIES
from tests.computing import computed
from tests.conftest import Folder

NAMES = ("worksheet", "points", "matrices", "mask", "contributions", "cost")
# Every setting as it does not begin; the place, by which the numbers are known from eager runs.
PLACE = {"layer": 2, "head": 3, "query": 6}
CHANGED: dict[str, dict[str, Any]] = {
    "worksheet": {**PLACE, "key": "0", "before": True},
    "points": {
        **PLACE,
        "rope": "before",
        "align": True,
        "least": 0.35,
        "first": False,
        "texts": "Apple sold a phone.\nI ate & drank 50%.",
    },
    "matrices": {**PLACE, "map": "key", "first": False, "share": 0.25},
    "mask": {**PLACE, "other_model": "minilm"},
    "contributions": PLACE,
    "cost": {"head": 3, "tokens": 1000, "batch": 2, "precision": "int8", "sharing": "4"},
}


@pytest.fixture(scope="module")
def run() -> eager.EagerRun:
    return eager.run("minilm", TEXT)


def made(session: Session, name: str, **more: Any) -> ComputedView:
    """A view of minilm and the opening text."""
    return computed(session, name, **{**CHANGED[name], **more})


def rows_of(view: ComputedView) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(view.table().csv())))


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "asked", "line"),
        [
            ("worksheet", {"key": "99"}, "key 99 is out of range: keys are 0 to 11"),
            ("worksheet", {"key": "apple"}, "key apple is out of range: keys are 0 to 11"),
            ("worksheet", {"query": 99}, "query 99 is out of range"),
            ("points", {"head": 12}, "head 12 is out of range"),
            ("matrices", {"map": "output"}, "map=output is not a choice: use query, key, value"),
            ("matrices", {"share": 1.5}, "share 1.5 is out of range: use 0 to 1"),
            ("mask", {"query": 12}, "query 12 is out of range: queries are 0 to 11"),
            ("contributions", {"head": -1}, "head -1 is out of range"),
            ("contributions", {"stack": "cross"}, "cross"),
            ("cost", {"head": 12}, "head 12 is out of range: heads are 0 to 11"),
            ("cost", {"sharing": "5"}, "12 query heads cannot share 5 key/value heads evenly"),
            ("cost", {"precision": "fp8"}, "unknown precision 'fp8'"),
        ],
    )
    def test_what_there_is_not_is_one_line(
        self, session: Session, name: str, asked: dict[str, Any], line: str
    ) -> None:
        with pytest.raises(ValueError, match=line) as caught:
            made(session, name, **asked).result()
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("name", [name for name in NAMES if name != "cost"])
    def test_an_eager_models_views_are_refused_in_one_line(self, session: Session, folder: Folder, name: str) -> None:
        """Weights alone say nothing of queries, keys and values; the cost needs none of them."""
        assert FAMILIES["deberta-v2"].method == "eager"
        with pytest.raises(ModelError, match="captured eagerly") as caught:
            made(session, name, model=str(folder("deberta-v2")), layer=0, head=0, query=2)
        assert "\n" not in str(caught.value)

    def test_an_eager_models_cost_is_known(self, session: Session, folder: Folder) -> None:
        model = str(folder("deberta-v2"))
        assert made(session, "cost", model=model, head=0, sharing="own").result()["lengths"]


class TestNumbers:
    """By hand, from transformers' own eager run."""

    def test_a_row(self, session: Session, run: eager.EagerRun) -> None:
        view = made(session, "worksheet")
        told = view.result()
        assert told["kind"] == "worksheet"
        assert told["keys"] == run.labels
        np.testing.assert_allclose(told["weights"], run.attention[2, 3, 6], atol=1e-5)
        np.testing.assert_allclose(np.array(told["k"]) @ told["q"], told["scores"], atol=1e-9)
        assert told["drawn_key"] == 0
        assert "q_before" not in told  # minilm rotates nothing
        rows = rows_of(view)
        assert [row["key"] for row in rows] == run.labels
        assert [float(row["weight"]) for row in rows] == told["weights"]
        heaviest = made(session, "worksheet", key="").result()["drawn_key"]
        assert heaviest == run.attention[2, 3, 6].argmax()

    def test_points(self, session: Session, run: eager.EagerRun) -> None:
        view = made(session, "points", rope="after", align=False, first=True, texts="")
        told = view.result()
        given, _, attention = eager.given_and_made("minilm", TEXT, "encoder.layer.2.attention.self.query")
        q, k = (
            given @ module.weight.detach().numpy()[96:128].T + module.bias.detach().numpy()[96:128]
            for module in (attention, eager.module("minilm", "encoder.layer.2.attention.self.key"))
        )
        expected = PCA(2, svd_solver="full").fit(np.concatenate([q, k]).astype(float))
        points = np.array([[one["x"], one["y"]] for one in told["points"]])
        placed = expected.transform(np.concatenate([q, k]).astype(float))
        placed *= np.sign((placed * points).sum(axis=0))
        np.testing.assert_allclose(points, placed, atol=1e-3)
        assert [one["label"] for one in told["points"]] == run.labels * 2
        weights = run.attention[2, 3]
        strong = sorted(weights[weights >= 0.35].tolist(), reverse=True)
        np.testing.assert_allclose([one["weight"] for one in told["lines"]], strong, atol=1e-5)
        assert (told["query"], told["query_label"]) == (6, run.labels[6])
        rows = rows_of(view)
        assert [row["label"] for row in rows if row["what"] == "key"] == run.labels
        assert [float(row["x"]) for row in rows if row["what"] == "query"] == points[:12, 0].tolist()

    def test_matrices(self, session: Session, run: eager.EagerRun) -> None:
        view = made(session, "matrices", first=True)
        told = view.result()
        given, made_of, module = eager.given_and_made("minilm", TEXT, "encoder.layer.2.attention.self.key")
        for name, vectors in (("before", given), ("after", made_of[:, 96:128])):
            found = np.array([[one[f"{name}_1"], one[f"{name}_2"]] for one in told["tokens"]])
            placed = PCA(2, svd_solver="full").fit_transform(vectors.astype(float))
            placed *= np.sign((placed * found).sum(axis=0))
            np.testing.assert_allclose(found, placed, atol=2e-3 * np.abs(placed).max())
        weight = module.weight.detach().numpy()[96:128].astype(float)
        np.testing.assert_allclose(told["singular_values"], np.linalg.svd(weight, compute_uv=False), rtol=1e-5)
        assert [one["label"] for one in told["tokens"]] == run.labels
        rows = rows_of(view)
        assert [float(row["after_1"]) for row in rows if row["what"] == "token"] == [
            one["after_1"] for one in told["tokens"]
        ]
        assert [float(row["after_2"]) for row in rows if row["what"] == "grid"] == [
            one["after_2"] for one in told["grid"]
        ]

    def test_masks(self, session: Session, run: eager.EagerRun) -> None:
        view = made(session, "mask", query=4)
        told = view.result()
        own = run.attention[2, 3]
        np.testing.assert_allclose(told["attention"], own, atol=1e-5)
        earlier = np.tril(own)
        np.testing.assert_allclose(told["other_mask"], earlier / earlier.sum(axis=1, keepdims=True), atol=1e-5)
        whole, cut = (eager.run("minilm", one).hidden[:, 4] for one in (TEXT, "She ate an apple"))
        alike = (whole * cut).sum(axis=1)
        alike /= np.linalg.norm(whole, axis=1) * np.linalg.norm(cut, axis=1)
        curves = [one["cosine"] for one in told["late"]]
        np.testing.assert_allclose(curves, [*alike, *alike], atol=1e-5)  # beside is minilm itself
        assert told["right_context_error"] is None
        rows = rows_of(view)
        assert len(rows) == 144
        assert float(rows[13]["own mask"]) == told["attention"][1][1]

    def test_why_there_is_no_curve(self, session: Session) -> None:
        view = made(session, "mask", query=0)
        told = view.result()
        assert told["late"] == []
        assert "“[CLS]” is no token of the first text" in told["right_context_error"]
        assert view.figure("own", FigureStyle()).figure.data
        with pytest.raises(ValueError, match="is no token of the first text"):
            view.figure("late", FigureStyle())

    def test_outputs_of_all_heads(self, session: Session) -> None:
        view = made(session, "contributions")
        told = view.result()
        mixed, given, module = eager.given_and_made("minilm", TEXT, "encoder.layer.2.attention.output.dense")
        np.testing.assert_allclose(told["sum"], given[6], atol=1e-5)
        np.testing.assert_allclose(told["projected"], given[6], atol=1e-5)
        part = module.weight.detach().numpy()[:, 96:128]
        np.testing.assert_allclose(told["outputs"][3], part @ mixed[6, 96:128], atol=1e-5)
        np.testing.assert_allclose(told["bias"], module.bias.detach().numpy())
        assert told["lengths"][3] == pytest.approx(np.linalg.norm(told["outputs"][3]))
        rows = rows_of(view)
        assert float(rows[3]["length"]) == pytest.approx(told["lengths"][3], rel=1e-12)
        assert float(rows[3]["cosine"]) == pytest.approx(told["cosines_with_sum"][3])
        assert [row["part"] for row in rows[-2:]] == ["bias", "sum"]

    def test_cost(self, session: Session) -> None:
        """6 layers · 4 key/value heads · 32 dimensions · 2 (keys, values) · 1 byte a token."""
        view = made(session, "cost")
        told = view.result()
        (chosen,) = (one for one in told["caches"] if one["chosen"])
        assert (chosen["sharing"], chosen["key_value_heads"]) == ("grouped", 4)
        assert chosen["bytes_a_token"] == 6 * 4 * 32 * 2
        assert chosen["bytes"] == chosen["bytes_a_token"] * 1000 * 2
        at = told["lengths"].index(1)
        assert chosen["curve"][at] == chosen["bytes_a_token"] * 2
        assert told["maps_bytes"]["total"] == 6 * 12 * 1000 * 1000 * 4
        row = next(row for row in rows_of(view) if row["what"] == "cache" and row["key_value_heads"] == "4")
        assert int(row["value"]) == chosen["bytes"]


class TestFigures:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_every_figure_is_drawn_in_its_theme(self, session: Session, name: str, theme: str) -> None:
        view = made(session, name, query=4) if name != "cost" else made(session, name)
        papers = {"light": "#ffffff", "dark": "#14181e"}
        for figure in view.spec.figures:
            drawn = figure_of(view, Saving(figure, FigureStyle(theme=theme))).figure
            assert drawn.layout.paper_bgcolor == papers[theme]
            assert drawn.layout.width > 400

    def test_strips_keep_their_colours_before_rotation(self, session: Session) -> None:
        """Both scales hold the largest number of either, so that colours can be compared."""
        place = {"model": "smollm2", "key": "2", "query": 6}
        views = [made(session, "worksheet", **place, before=before) for before in (False, True)]
        told = views[0].result()
        seen, heavy = 2, np.argsort(told["weights"])[::-1][:12]
        q, k = np.array(told["q"]), np.array(told["k"])
        q0, k0 = np.array(told["q_before"]), np.array(told["k_before"])
        value = max(np.abs(one).max() for one in (q, k[seen], q0, k0[seen]))
        product = max(np.abs(q * k[heavy]).max(), np.abs(q0 * k0[heavy]).max())
        drawn = [view.figure("", FigureStyle()).figure for view in views]
        for figure in drawn:
            layout = figure.layout
            assert (layout.coloraxis.cmin, layout.coloraxis.cmax) == pytest.approx((-value, value))
            assert layout.coloraxis2.cmax == pytest.approx(product)
        assert "before rotation" in drawn[1].layout.title.text
        np.testing.assert_allclose(drawn[1].data[0].z[0], q0, rtol=1e-5)

    def test_maps_are_recoloured(self, session: Session) -> None:
        view = made(session, "mask")
        for name in ("own", "other"):
            figure = view.figure(name, FigureStyle(palette="cividis")).figure
            (cells,) = (trace for trace in figure.data if trace.type == "heatmap")
            assert cells.colorscale[0][1] == "#00224e"
        assert "Thought experiment" in figure.layout.title.text

"""The views of the Heads page as they are saved and linked to, beside eager attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from explorer.figures.figure_style import FigureStyle
from explorer.session.session import Session
from explorer.views.heads.panel import stack_for
from explorer.views.spec import ComputedView
from tests import reference
from tests.checkpoints import FAMILIES, TEXT
from tests.computing import computed
from tests.conftest import Folder

NAMES = ("heatmap", "lines", "comparison", "distances", "overview", "heads")


def made(session: Session, kind: str, **told: Any) -> ComputedView:
    return computed(session, kind, **{"text": TEXT, **told})


def eager(folder: Folder, name: str = "bert", stack: str = "encoder", **texts: str) -> np.ndarray:
    """Attention of every layer and head [L, H, Q, K] as transformers gives it."""
    run = reference.eager(FAMILIES[name], folder(name), texts.pop("text", TEXT), **texts)
    return np.stack(run.attention[stack]).astype(float)


def test_a_stack_that_is_not_there_is_told(session: Session, folder: Folder) -> None:
    captured = session.capture(made(session, "heatmap", model=str(folder("bert"))).settings.request)
    assert stack_for(captured, "") == stack_for(captured, None) == ("encoder", "")
    assert stack_for(captured, "encoder") == ("encoder", "")
    assert stack_for(captured, "cross") == ("encoder", "bert has no stack “cross”: encoder is shown")
    for name in NAMES:
        with pytest.raises(ValueError, match="cross"):
            made(session, name, model=str(folder("bert")), stack="cross")


class TestHeatmap:
    def test_a_zoom_is_its_part_of_the_whole(self, session: Session, folder: Folder) -> None:
        where = {"model": str(folder("bert")), "layer": 1, "head": 2}
        whole = made(session, "heatmap", **where)
        part = made(session, "heatmap", **where, window="2-7,1-4")
        weights, told = eager(folder)[1, 2], part.result()
        np.testing.assert_allclose(whole.result()["attention"], weights, atol=1e-5)
        np.testing.assert_allclose(told["attention"], weights[2:7, 1:4], atol=1e-5)
        assert told["queries"] == whole.result()["queries"][2:7]
        assert told["keys"] == whole.result()["keys"][1:4]
        assert told["settings"]["window"] == "2-7,1-4"
        assert part.table().header == ("query", *told["keys"])
        assert (whole.stem, part.stem) == ("bert-encoder-layer1-head2", "bert-encoder-layer1-head2-part2-7-1-4")
        picture = part.figure("map", FigureStyle())
        assert "Part of the map: queries 2–6 and keys 1–3" in picture.caption

    @pytest.mark.parametrize("window", ["x", "1-2", "5-2,0-3", "0-3,4-4", "0-3,-1-4", "0-3,1-4,"])
    def test_a_window_that_is_none(self, session: Session, folder: Folder, window: str) -> None:
        with pytest.raises(ValueError, match="not a part of a map: write its rows and columns, as 0-"):
            made(session, "heatmap", model=str(folder("bert")), window=window)

    def test_a_set_that_is_none(self, session: Session, folder: Folder) -> None:
        with pytest.raises(ValueError, match="not a list of heads: write layer"):
            made(session, "heatmap", model=str(folder("bert")), aggregate="mean", heads="1.x")

    def test_an_unknown_palette(self, session: Session, folder: Folder) -> None:
        for name in ("heatmap", "distances", "overview", "heads"):
            with pytest.raises(ValueError, match="palette=rainbow is not a choice: use viridis"):
                made(session, name, model=str(folder("bert")), palette="rainbow")


class TestLines:
    def test_the_strongest_weights_of_two_heads(self, session: Session, folder: Folder) -> None:
        view = made(
            session, "lines", model=str(folder("bert")), layer=1, head=0, threshold=0.0, count=3, other_heads="1"
        )
        told = view.result()
        weights = eager(folder)[1, :2]
        strongest = np.sort(weights.ravel())[::-1][:3]
        np.testing.assert_allclose([one["weight"] for one in told["lines"]], strongest, atol=1e-5)
        for one in told["lines"]:
            of = weights[one["head"], one["query"], one["key"]]
            np.testing.assert_allclose(one["weight"], of, atol=1e-5)
        assert [row[-1] for row in view.table().rows] == [one["weight"] for one in told["lines"]]
        assert view.stem == "bert-encoder-layer1-heads0-1-lines"


class TestComparison:
    def test_second_minus_first(self, session: Session, folder: Folder) -> None:
        view = made(session, "comparison", model=str(folder("bert")), layer=1, other_layer="0", other_head="1")
        weights, told = eager(folder), view.result()
        expected = weights[0, 1] - weights[1, 0]
        np.testing.assert_allclose(told["difference"], expected, atol=1e-5)
        np.testing.assert_allclose(told["first"]["attention"], weights[1, 0], atol=1e-5)
        np.testing.assert_allclose(told["second"]["attention"], weights[0, 1], atol=1e-5)
        assert told["query_places"] == [[place, place] for place in range(len(told["queries"]))]
        assert view.stem == "bert-layer1-head0-against-bert-layer0-head1"
        rows = view.table().rows
        np.testing.assert_allclose([row[-1] for row in rows], expected.ravel(), atol=1e-5)

    def test_saved_maps_have_all_labels_and_one_scale(self, session: Session, folder: Folder) -> None:
        long = " ".join([TEXT] * 2)
        view = made(session, "comparison", model=str(folder("bert")), text=long)
        told = view.result()
        assert 24 < len(told["keys"]) <= 40
        pictures = {name: view.figure(name, FigureStyle()) for name in view.spec.figures}
        for picture in pictures.values():
            assert len(picture.figure.layout.xaxis.ticktext) == len(told["keys"])
            assert picture.width >= 26 * len(told["keys"])
        tops = {
            trace.zmax
            for name in ("first", "second")
            for trace in pictures[name].figure.data
            if trace.type == "heatmap"
        }
        largest = max(np.max(told[side]["attention"]) for side in ("first", "second"))
        assert len(tops) == 1
        assert tops.pop() == pytest.approx(largest)

    def test_texts_without_a_common_word(self, session: Session, folder: Folder) -> None:
        view = made(session, "comparison", model=str(folder("bert")), text="dog", other_text="apple")
        assert view.result()["difference"] is None
        with pytest.raises(ValueError, match="no word in common"):
            view.figure("difference", FigureStyle())
        assert view.figure("second", FigureStyle()).caption


class TestDistances:
    def test_nearest_heads_are_scipys(self, session: Session, folder: Folder) -> None:
        view = made(session, "distances", model=str(folder("bert")))
        told = view.result()
        weights = eager(folder)
        rows = np.concatenate(weights)
        apart = np.array([[(jensenshannon(p, q, axis=1) ** 2).mean() for q in rows] for p in rows])
        np.fill_diagonal(apart, np.inf)
        nearest = [divmod(int(place), weights.shape[1]) for place in apart.argmin(axis=1)]
        told_nearest = [(row["nearest_layer"], row["nearest_head"]) for row in told["heads"]]
        assert told_nearest == nearest
        gaps = [row["nearest_distance"] for row in told["heads"]]
        np.testing.assert_allclose(gaps, apart.min(axis=1), atol=1e-6)
        entropy = -(weights * np.log(np.maximum(weights, 1e-30))).sum(axis=3).mean(axis=2)
        named = [row["entropy"] for row in told["heads"]]
        np.testing.assert_allclose(named, entropy.ravel(), atol=1e-4)
        assert view.table().header == tuple(told["heads"][0])

    def test_names_stand_clear_of_points_and_of_each_other(self, session: Session) -> None:
        view = made(session, "distances", model="minilm", colour="entropy")
        picture = view.figure("heads", FigureStyle())
        heads_drawn, ring = picture.figure.data
        named = [name for name in heads_drawn.text if name]
        assert 20 < len(set(named)) == len(named) < 72
        places = [".".join(map(str, place)) for place in heads_drawn.customdata]
        assert all(name in ("", place) for name, place in zip(heads_drawn.text, places, strict=True))
        assert len(ring.x) == 0  # which head is chosen is the page's
        told = view.result()
        np.testing.assert_array_equal(heads_drawn.marker.color, [row["entropy"] for row in told["heads"]])

    def test_cross_attention_of_a_pair_of_texts(self, session: Session, folder: Folder) -> None:
        view = made(session, "distances", model=str(folder("t5")), text="A cat.", target="Ein", stack="cross")
        assert view.stem == "t5-cross-heads-distances"
        told = view.result()
        assert (told["stack"], told["settings"]["target"]) == ("cross", "Ein")
        assert len(told["heads"]) == 2 * 4
        assert all(np.isnan(row["previous_token"]) for row in told["heads"])


class TestOverview:
    def test_small_maps_of_a_short_text(self, session: Session, folder: Folder) -> None:
        view = made(session, "overview", model=str(folder("bert")))
        told, weights = view.result(), eager(folder)
        count = weights.shape[-1]
        assert count <= 28
        expected = np.sqrt(weights / weights.max(axis=(2, 3), keepdims=True))
        np.testing.assert_allclose(told["maps"], expected, atol=1e-4)
        assert told["map_queries"] == told["map_keys"] == list(range(count))
        table = view.table()
        assert table.rows[0][:4] == (0, 0, told["queries"][0], told["keys"][0])
        np.testing.assert_allclose([row[4] for row in table.rows], expected.ravel(), atol=1e-4)

    def test_small_maps_of_a_long_text_are_blocks(self, session: Session, folder: Folder) -> None:
        long = " ".join([TEXT] * 3)
        view = made(session, "overview", model=str(folder("bert")), text=long)
        told, weights = view.result(), eager(folder, text=long)
        count = weights.shape[-1]
        starts = [place * count // 28 for place in range(28)]
        assert told["map_queries"] == starts
        blocks = np.maximum.reduceat(np.maximum.reduceat(weights, starts, axis=2), starts, axis=3)
        expected = np.sqrt(blocks / weights.max(axis=(2, 3), keepdims=True))
        np.testing.assert_allclose(told["maps"], expected, atol=1e-4)
        last = view.table().rows[-1]
        assert last[2] == f"{told['queries'][starts[-1]]} … {told['queries'][-1]}"

    def test_what_links_two_tokens(self, session: Session, folder: Folder) -> None:
        view = made(session, "overview", model=str(folder("bert")), show="link", query="2", key="5")
        told, weights = view.result(), eager(folder)
        np.testing.assert_allclose(told["values"], weights[:, :, 2, 5], atol=1e-5)
        assert told["name"] == f"{told['queries'][2]} → {told['keys'][5]}"
        cells = view.figure("grid", FigureStyle()).figure.data[0]
        np.testing.assert_array_equal(cells.z, told["values"])
        values = [row[2] for row in view.table().rows]
        np.testing.assert_allclose(values, weights[:, :, 2, 5].ravel(), atol=1e-5)

    def test_a_measure(self, session: Session, folder: Folder) -> None:
        view = made(session, "overview", model=str(folder("bert")), show="previous_token")
        told, weights = view.result(), eager(folder)
        expected = np.diagonal(weights, -1, axis1=2, axis2=3).mean(axis=2)
        np.testing.assert_allclose(told["values"], expected, atol=1e-5)
        assert (told["name"], told["unit"]) == ("Previous token", "share")
        assert view.stem == "bert-encoder-all-heads-previous_token"

    def test_a_link_of_no_tokens_is_the_maps(self, session: Session, folder: Folder) -> None:
        """As on the page, which waits for both to be chosen."""
        view = made(session, "overview", model=str(folder("bert")), show="link", query="2")
        assert "maps" in view.result()

    @pytest.mark.parametrize(
        ("told", "says"),
        [
            ({"show": "beauty"}, "nothing is called 'beauty': use maps, link, entropy"),
            ({"show": "link", "query": "x", "key": "1"}, "query=x is not a token: give its number"),
            ({"show": "link", "query": "0", "key": "99"}, "key 99 is out of range"),
        ],
    )
    def test_nothing_of_that_name(self, session: Session, folder: Folder, told: dict[str, str], says: str) -> None:
        with pytest.raises(ValueError, match=says):
            made(session, "overview", model=str(folder("bert")), **told)


class TestTable:
    def test_columns_that_are_asked_for(self, session: Session, folder: Folder) -> None:
        where = {"model": str(folder("bert"))}
        plain = made(session, "heads", **where).result()
        more = made(session, "heads", **where, nulls=True, probe=True, query="2", key="5")
        told = more.result()
        weights = eager(folder)
        n_heads = weights.shape[1]
        for number, row in enumerate(told["heads"]):
            layer, head = divmod(number, n_heads)
            assert (row["layer"], row["head"]) == (layer, head)
            assert row["link"] == pytest.approx(weights[layer, head, 2, 5], abs=1e-5)
            assert {"entropy_z", "offset", "probe"} <= set(row)
        assert not {"entropy_z", "offset", "probe", "link"} & set(plain["heads"][0])
        assert (plain["draws"], told["draws"]) == (None, 20)
        assert told["link"]["name"].count(" → ") == 1
        table = more.table()
        assert table.header == tuple(told["heads"][0])
        assert [dict(zip(table.header, row, strict=True)) for row in table.rows] == told["heads"]

    def test_the_figure_has_a_grid_a_column(self, session: Session, folder: Folder) -> None:
        view = made(session, "heads", model=str(folder("bert")), nulls=True, query="2", key="5")
        picture = view.figure("measures", FigureStyle())
        drawn = [
            name for name in view.result()["heads"][0] if name not in ("layer", "head") and not name.endswith("_null")
        ]
        assert len(picture.figure.data) == len(drawn)
        for trace, name in zip(picture.figure.data, drawn, strict=True):
            column = [row[name] for row in view.result()["heads"]]
            np.testing.assert_array_equal(np.ravel(trace.z), np.array(column, dtype=float))
        said = " ".join(one.text for one in picture.figure.layout.annotations)
        assert "z: Entropy" in said
        assert "Best offset" in said
        assert "20 random orders" in picture.caption

    def test_order_and_filters_change_no_number(self, session: Session, folder: Folder) -> None:
        where = {"model": str(folder("bert"))}
        ordered = made(session, "heads", **where, sort="entropy:desc", filter="head:lessThan:1")
        assert ordered.result()["heads"] == made(session, "heads", **where).result()["heads"]

"""What figures hold: values, masks, labels; markup in a text stays text."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

import explorer
from explorer.figures.caption import captioned
from explorer.figures.figure_style import FigureStyle
from explorer.figures.style import OKABE_ITO, PALETTES, SYMBOLS
from explorer.records import HeadMap, HeadNumbers, HeadsOverview, MapOptions, PlaneOptions, PlaneParts, WordStudy
from explorer.views.embeddings.embeddings.compute import word_projection, word_projections
from explorer.views.embeddings.embeddings.figure import plane_figure
from explorer.views.embeddings.embeddings.points_figure import word_figure
from explorer.views.embeddings.word_caption import facts_line, word_caption
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.comparison.compute import Side, compare_heads
from explorer.views.heads.comparison.figure import FIGURES as COMPARISON_FIGURES
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.figure import heatmap_caption, heatmap_figure, sized_heatmap
from explorer.views.heads.overview.compute import heads_overview
from explorer.views.heads.overview.figure import measure_figure, overview_caption, overview_figure
from tests.captures_by_hand import reading, studied, tokens
from tests.conftest import Loader

NASTY = "<script>alert('x')</script> & <b>bold</b>"


def strings(node: Any) -> Iterator[str]:
    """Every string in a figure."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(node, (list, tuple, np.ndarray)):
        for value in node:
            yield from strings(value)


def cells(figure: go.Figure) -> go.Heatmap:
    (trace,) = figure.select_traces({"type": "heatmap"})
    return trace


def forbidden(figure: go.Figure) -> list[tuple[int, int]]:
    """Cells that the hatched rings cover, each as often as it is covered."""
    (trace,) = figure.select_traces({"type": "scatter"})
    covered = []
    ring: list[tuple[float, float]] = []
    for x, y in zip(trace.x, trace.y, strict=True):
        if x is not None:
            ring.append((x, y))
            continue
        if ring:
            left, right = min(x for x, _ in ring), max(x for x, _ in ring)
            top, bottom = min(y for _, y in ring), max(y for _, y in ring)
            assert ring == [(left, top), (right, top), (right, bottom), (left, bottom), ring[0]]
            covered += [
                (int(row + 0.5), int(column + 0.5))
                for row in np.arange(top, bottom)
                for column in np.arange(left, right)
            ]
        ring = []
    return sorted(covered)


def gpt2_map(tiny: Loader) -> HeadMap:
    return head_map(explorer.capture(tiny("gpt2"), "the cat sat on the mat"), 1, 2)


class TestHeatmap:
    def test_values_are_the_maps_and_forbidden_cells_are_no_data(self, tiny: Loader) -> None:
        drawn = gpt2_map(tiny)
        shown = np.asarray(cells(heatmap_figure(drawn)).z)
        above = np.triu(np.ones_like(drawn.weights, dtype=bool), 1)
        assert np.isnan(shown[above]).all()
        np.testing.assert_array_equal(shown[~above], drawn.weights[~above])

    def test_the_colours_run_from_nothing_to_the_largest_weight(self, tiny: Loader) -> None:
        drawn = gpt2_map(tiny)
        trace = cells(heatmap_figure(drawn))
        assert (trace.zmin, trace.zmax) == (0, drawn.weights.max())
        assert trace.colorbar.title.text == "attention weight"

    def test_hatching_covers_exactly_the_forbidden_cells(self, tiny: Loader) -> None:
        drawn = gpt2_map(tiny)
        n = len(drawn.queries)
        expected = [(q, k) for q in range(n) for k in range(n) if k > q]
        assert forbidden(heatmap_figure(drawn)) == expected

    def test_hatching_of_any_mask(self) -> None:
        """A sliding window forbids keys on both sides."""
        of = tokens("a b c d e", *"abcde")
        cap = reading(of, np.full((5, 5), 0.2))
        allowed = np.abs(np.subtract.outer(range(5), range(5))) < 2
        cap.only.allowed = lambda _layer, rows: allowed[rows]
        figure = heatmap_figure(head_map(cap, 0, 0))
        assert forbidden(figure) == [tuple(cell) for cell in np.argwhere(~allowed).tolist()]

    def test_an_encoder_has_no_hatching(self, minilm: explorer.LoadedModel) -> None:
        drawn = head_map(explorer.capture(minilm, "a word"), 0, 0)
        assert forbidden(heatmap_figure(drawn)) == []

    def test_log_shows_decades_and_hovers_weights(self) -> None:
        weights = np.array([[0.9999, 0.0001], [0.0, 1.0]])
        trace = cells(heatmap_figure(head_map(reading(tokens("a b", *"ab"), weights), 0, 0), log=True))
        np.testing.assert_allclose(trace.z, [[np.log10(0.9999), -4], [-4, 0]], atol=1e-6)
        np.testing.assert_allclose(trace.customdata, weights, atol=1e-7)

    def test_a_large_map_is_within_half_a_step(self) -> None:
        weights = np.random.default_rng(0).dirichlet(np.full(300, 0.02), size=300)
        words = [f"w{i}" for i in range(300)]
        drawn = head_map(reading(tokens(" ".join(words), *words), weights), 0, 0)
        shown = np.asarray(cells(heatmap_figure(drawn)).z)
        assert 0 < np.abs(shown - weights).max() < weights.max() / 250 / 2 + 1e-6
        assert "Colours in 250 steps." in heatmap_caption(drawn)

    @pytest.mark.parametrize("log", [False, True])
    def test_a_file_of_a_large_map_has_every_number(self, log: bool) -> None:
        """Nothing is fetched there when it is zoomed."""
        weights = np.random.default_rng(0).dirichlet(np.full(300, 0.02), size=300)
        words = [f"w{i}" for i in range(300)]
        cap = reading(tokens(" ".join(words), *words), weights)
        drawn = head_map(cap, 0, 0)
        sides = compare_heads(Side(cap, 0, 0), Side(cap, 0, 0))
        settings = ComparisonSettings(log=log)
        pictures = [COMPARISON_FIGURES[name](sides, settings, FigureStyle()) for name in ("first", "second")]
        for picture in (sized_heatmap(drawn, log), *pictures):
            trace = cells(picture.figure)
            np.testing.assert_allclose(trace.customdata if log else trace.z, weights, atol=1e-7)
            assert "about" not in trace.hovertemplate
            assert "zoom" not in trace.hovertemplate
            assert "steps" not in picture.caption
        assert "zoom in for the number" in cells(heatmap_figure(drawn, log=log)).hovertemplate

    def test_numbers_stand_in_the_cells_where_they_fit(self) -> None:
        def template(count: int, log: bool) -> tuple[str | None, np.ndarray]:
            words = [f"w{i}" for i in range(count)]
            weights = np.full((count, count), 1 / count)
            drawn = head_map(reading(tokens(" ".join(words), *words), weights), 0, 0)
            trace = cells(heatmap_figure(drawn, log=log))
            return trace.texttemplate, np.asarray(trace.customdata if log else trace.z)

        for log, expected in ((False, "%{z:.2f}"), (True, "%{customdata:.2f}")):
            written, numbers = template(16, log)
            assert written == expected
            np.testing.assert_allclose(numbers, 1 / 16)  # what is written in each
            assert template(17, log)[0] is None

    def test_palettes(self, tiny: Loader) -> None:
        drawn = gpt2_map(tiny)
        colours = {name: cells(heatmap_figure(drawn, palette=name)).colorscale for name in PALETTES}
        assert len(set(colours.values())) == len(PALETTES) >= 3
        assert "Colours: greys." in heatmap_caption(drawn, palette="greys")
        assert "Colours" not in heatmap_caption(drawn)
        with pytest.raises(ValueError, match="unknown palette 'rainbow': use viridis"):
            heatmap_figure(drawn, palette="rainbow")

    def test_every_label_is_hovered_and_few_enough_are_drawn(self) -> None:
        words = [f"w{i}" for i in range(200)]
        of = tokens(" ".join(words), *words)
        figure = heatmap_figure(head_map(reading(of, np.eye(200)), 0, 0))
        assert list(figure.layout.xaxis2.ticktext) == words
        assert list(figure.layout.yaxis2.ticktext) == words
        drawn = dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))
        assert 20 <= len(drawn) <= 60
        assert all(label == f"w{int(place)}" for place, label in drawn.items())

    def test_markup_is_escaped_everywhere(self) -> None:
        of = tokens("<b> x", "<b>", ("x", 4, 5), labels=("<b>", NASTY))
        figure = heatmap_figure(head_map(reading(of, np.eye(2)), 0, 0))
        assert figure.layout.xaxis.ticktext[0] == "&lt;b&gt;"
        assert "&lt;script&gt;" in figure.layout.xaxis2.ticktext[1]
        assert not any("<script" in text or "<b>" in text for text in strings(figure.to_dict()))

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_title_names_model_layer_and_head(self, tiny: Loader, theme: str) -> None:
        figure = heatmap_figure(gpt2_map(tiny), theme)
        assert figure.layout.title.text == "gpt2 · layer 1 · head 2"
        assert figure.layout.xaxis.title.text == "key (attended to)"
        assert figure.layout.yaxis.title.text == "query (attends)"

    def test_unknown_theme(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="unknown theme 'pink': use light or dark"):
            heatmap_figure(gpt2_map(tiny), "pink")

    def test_the_caption_tells_every_switch(self, tiny: Loader, minilm: Any) -> None:
        caption = heatmap_caption(gpt2_map(tiny), log=True)
        assert "layer 1, head 2 (counted from 0)" in caption
        assert "Hatched: later tokens" in caption
        assert "Logarithmic" in caption
        cap = explorer.capture(minilm, "She ate apples.")
        plain = heatmap_caption(head_map(cap, 0, 0))
        assert not any(word in plain for word in ("Hatched", "merged", "left out", "Logarithmic"))
        switched = heatmap_caption(head_map(cap, 0, 0, switches=MapOptions(words=True, special=False)))
        assert "summed over a key's, averaged over a query's" in switched
        assert "Special tokens left out, rows not renormalised." in switched


class TestOverview:
    def picture(self, figure: go.Figure) -> np.ndarray:
        (image,) = figure.layout.images
        head, _, data = image.source.partition(",")
        assert head == "data:image/png;base64"
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    def test_each_map_lies_in_its_cell(self) -> None:
        tiles = np.zeros((2, 3, 4, 4))
        tiles[1, 2, 0, 3] = 1
        figure = overview_figure(HeadsOverview("m", "encoder", False, tiles, (4, 4)))
        image = self.picture(figure)
        yellow = np.argwhere((image == (253, 231, 37)).all(axis=2))  # viridis at 1
        violet = (image == (68, 1, 84)).all(axis=2)  # viridis at 0
        white = (image == 255).all(axis=2)
        assert len(yellow) == 1
        assert violet.sum() == 2 * 3 * 16 - 1
        assert (violet | white).sum() == image.shape[0] * image.shape[1] - 1
        row, column = yellow[0] / (image.shape[0], image.shape[1]) * (2, 3)
        assert (int(row), int(column)) == (1, 2)
        assert row % 1 < 0.5 < column % 1  # its first query, its last key
        (laid,) = figure.layout.images
        assert (laid.x, laid.y, laid.sizex, laid.sizey) == (-0.5, -0.5, 3, 2)
        assert tuple(figure.layout.yaxis.range) == (1.5, -0.5)

    def test_a_cell_a_head(self, minilm: explorer.LoadedModel) -> None:
        figure = overview_figure(heads_overview(explorer.capture(minilm, "a word")))
        assert np.shape(figure.data[0].z) == (6, 12)
        assert not figure.layout.shapes

    def test_the_page_learns_which_head_to_frame(self) -> None:
        overview = HeadsOverview("m", "encoder", False, np.zeros((2, 3, 4, 4)), (4, 4))
        assert overview_figure(overview, selected=(1, 2)).layout.meta == {"shape": [2, 3], "chosen": (1, 2)}

    def test_a_number_a_head_on_the_same_grid(self) -> None:
        values = np.array([[0.5, 1.25, np.nan], [2, 0, 1]])
        figure = measure_figure(HeadNumbers(values, "Entropy", "nats"), selected=(1, 0))
        (trace,) = figure.data
        np.testing.assert_array_equal(trace.z, values)
        assert trace.hoverongaps is False  # a head without a number is blank
        assert trace.colorbar.title.text == "nats"
        assert "layer %{y} · head %{x}<br>Entropy %{z" in trace.hovertemplate
        assert figure.layout.meta == {"shape": [2, 3], "chosen": (1, 0)}
        maps = overview_figure(HeadsOverview("m", "encoder", False, np.zeros((2, 3, 4, 4)), (4, 4)))
        assert figure.layout.yaxis.range == maps.layout.yaxis.range
        assert figure.layout.xaxis.range == maps.layout.xaxis.range

    def test_the_caption_tells_scale_and_pooling(self) -> None:
        tiles = np.zeros((2, 3, 4, 4))
        whole = overview_caption(HeadsOverview("m", "encoder", False, tiles, (4, 4)))
        assert whole == "Colours: square root of weight ÷ the head’s largest."
        pooled = overview_caption(HeadsOverview("m", "cross", False, tiles, (3, 1_200)))
        assert "Of 3 × 1,200 tokens, each dot shows a block’s largest." in pooled

    def test_small_enough_for_the_wire(self) -> None:
        tiles = np.random.default_rng(0).random((30, 9, 28, 28))
        figure = overview_figure(HeadsOverview("m", "decoder", True, tiles, (4, 4)))
        assert len(figure.to_json()) < 400_000  # noise: no picture compresses worse


class TestWords:
    def study(self, senses: str = "aab", word: str = "apple", text: str = "an apple") -> Any:
        captures = []
        for seed in range(len(senses)):
            of = tokens(text, *text.split())
            rng = np.random.default_rng(seed)
            hidden = rng.normal(size=(2, len(of), 4))
            captures.append(reading(of, np.eye(len(of)), hidden=hidden, static=np.ones((len(of), 4))))
        return studied(captures, senses, word)

    def test_points_are_the_projections(self) -> None:
        study = self.study()
        shown = word_projection(study, 1)
        first, second, static = word_figure(study, shown).data
        np.testing.assert_array_equal(np.stack([first.x, first.y], axis=1), shown.points[:2])
        np.testing.assert_array_equal(np.stack([second.x, second.y], axis=1), shown.points[2:])
        assert (first.name, second.name) == ("a", "b")
        assert list(first.text) == ["1", "2"]
        assert list(second.text) == ["3"]
        # Equal static vectors are one mark.
        np.testing.assert_allclose([static.x, static.y], shown.static[:1].T, atol=1e-12)

    def test_senses_differ_in_colour_and_shape(self) -> None:
        traces = word_figure(self.study("abcdefg"), word_projection(self.study("abcdefg"), 0)).data
        marks = [(trace.marker.color, trace.marker.symbol) for trace in traces[:-1]]
        assert marks == list(zip(OKABE_ITO, SYMBOLS, strict=True))

    def test_axes_say_what_they_explain(self) -> None:
        study = self.study()
        shown = word_projection(study, 0)
        layout = word_figure(study, shown).layout
        for number, axis in enumerate((layout.xaxis, layout.yaxis)):
            share = f"{100 * shown.explained_variance[number]:.1f}%"
            assert axis.title.text == f"principal component {number + 1} ({share} of the variance)"
        assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)

    def test_the_caption_tells_fit_share_and_remarks(self) -> None:
        study = self.study("aabb")
        shown = word_projection(study, 0)
        caption = word_caption(study, shown)
        assert caption.startswith("PCA of the 4 vectors of “apple” at layer 0 together with")
        assert f"the plane keeps {shown.explained_variance.sum():.0%}" in caption
        assert f"full space): {shown.separation:.2f}" in caption

    def test_markup_is_escaped_everywhere(self) -> None:
        study = self.study("ab", "<script>", "see <script> & <i>here</i>")
        study = type(study)(
            **{
                **vars(study),
                "model": NASTY,
                "occurrences": tuple(type(o)(**{**vars(o), "sense": NASTY}) for o in study.occurrences),
            }
        )
        shown = word_projection(study, 0)
        figure = captioned(word_figure(study, shown), word_caption(study, shown), 400, 300)
        found = list(strings(figure.to_dict()))
        assert not any("<script" in text or "<i>" in text for text in found)
        assert any("<b>&lt;script&gt;</b>" in text for text in found)

    def test_a_long_sentence_is_cut_around_the_word(self) -> None:
        text = "x " * 300 + "apple" + " y" * 300
        study = self.study("a", text=text)
        (hover,) = word_figure(study, word_projection(study, 0)).data[0].customdata
        assert "<b>apple</b>" in hover
        assert len(hover) < 400


class TestPlane:
    def study(self) -> WordStudy:
        """Three texts in the plane by hand; the first text's first token is far from all."""
        places = {
            "far an apple": [[900, 0], [2, 1], [0, 0]],
            "one more apple": [[1, 1], [0, 2], [2, 0]],
            "green old apple": [[1, 0], [2, 2], [1, 2]],
        }
        captures = []
        for text, vectors in places.items():
            of = tokens(text, *text.split())
            hidden = np.stack([np.array(vectors, dtype=float)] * 2)
            captures.append(reading(of, np.eye(3), hidden=hidden, static=np.ones((3, 2))))
        return studied(captures, "aab", "apple")

    def test_what_is_far_from_all_the_rest_is_outside_and_told(self) -> None:
        study = self.study()
        planes = word_projections(study)
        for parts, said in ((PlaneParts(others=True), True), (PlaneParts(), False)):
            meta = plane_figure(study, planes, 1, parts=parts).layout.meta
            spans = np.diff(meta["layers"][1]["ranges"], axis=1)
            assert (spans < 10).all()
            told = "1 of the other tokens lie outside: double-click to see all."
            assert (told in meta["layers"][1]["caption"]) is said

    def test_axes_that_hide_a_layer_say_so(self) -> None:
        study = self.study()
        shown = replace(word_projections(study, PlaneOptions(basis="all"))[1], kept=0.03, separation=0.5)
        line = facts_line(study, {0: None, 1: 0.5}, shown)
        assert line.startswith("separation by sense 0.50 · most at layer 1 (0.50) · ")
        assert line.endswith("keep 3% of this layer: try unit length or axes of each layer")
        assert "keep" not in facts_line(study, {1: 0.5}, replace(shown, kept=0.3))
        assert "keep" not in facts_line(study, {1: 0.5}, replace(shown, kept=None))


def test_a_caption_is_wrapped_below_the_figure() -> None:
    figure = captioned(go.Figure(), "word " * 60, 400, 300, axis=40)
    (note,) = figure.layout.annotations
    lines = note.text.split("<br>")
    assert " ".join(lines) == ("word " * 60).strip()
    assert max(map(len, lines)) * 6 < 400
    assert figure.layout.height - 300 == figure.layout.margin.b >= 40 + 15 * len(lines)
    assert note.yshift < -40

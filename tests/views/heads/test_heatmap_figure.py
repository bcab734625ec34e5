"""What a heatmap holds: values, masks, labels; markup in a text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import explorer
from explorer.figures.figure_style import FigureStyle
from explorer.figures.style import PALETTES
from explorer.records import HeadMap, MapOptions
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.comparison.compute import Side, compare_heads
from explorer.views.heads.comparison.figure import FIGURES as COMPARISON_FIGURES
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.figure import heatmap_caption, heatmap_figure, sized_heatmap
from tests.captures_by_hand import reading, tokens
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

"""What the picture of all heads holds."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from PIL import Image

import explorer
from explorer.records import HeadNumbers, HeadsOverview
from explorer.views.heads.overview.compute import heads_overview
from explorer.views.heads.overview.figure import measure_figure, overview_caption, overview_figure


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

    def test_a_number_a_head_on_the_same_grid(self) -> None:
        values = np.array([[0.5, 1.25, np.nan], [2, 0, 1]])
        figure = measure_figure(HeadNumbers(values, "Entropy", "nats"))
        (trace,) = figure.data
        np.testing.assert_array_equal(trace.z, values)
        assert trace.hoverongaps is False  # a head without a number is blank
        assert trace.colorbar.title.text == "nats"
        assert "layer %{y} · head %{x}<br>Entropy %{z" in trace.hovertemplate
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

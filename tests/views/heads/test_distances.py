"""The map of heads: what is drawn, told and saved, beside scipy, eager attention and paper."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from explorer.analysis.measures import compute_all, head_distance
from explorer.records import HeadDistances, HeadPoints
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.heads.distances import DistancesSettings
from explorer.views.heads.distances.compute import compute, head_distances
from explorer.views.heads.distances.data import table as distances_table
from explorer.views.heads.distances.figure import distances_caption, distances_figure
from tests import reference
from tests.captures_by_hand import HandCapture, HandStack, tokens
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder

ON_FIRST, ON_SECOND, ON_BOTH = [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]
# Of a head on both tokens from one that is on a single one: ¾ ln 4/3 + ¼ ln 4 − ½ ln 2.
HALF = 0.75 * math.log(4 / 3) + 0.25 * math.log(4) - 0.5 * math.log(2)


def _by_hand() -> HeadDistances:
    """Heads 0.0 and 0.1 alike, 1.0 never where they are, 1.1 half and half."""
    of = tokens("a b", "a", "b")
    heads = [[ON_FIRST, ON_FIRST], [ON_SECOND, ON_BOTH]]
    weights = np.array([[[row] * 2 for row in layer] for layer in heads])
    cap = HandCapture(HandStack(of, of, weights), "a b")
    return head_distances(cap, head_distance(cap), compute_all(cap))


def _points(drawn: HeadDistances, stress: float) -> HeadDistances:
    return replace(drawn, points=replace(drawn.points, stress=stress))


class TestView:
    def test_nearest_by_hand(self) -> None:
        drawn = _by_hand()
        assert drawn.nearest.tolist() == [1, 0, 3, 0]
        np.testing.assert_allclose(drawn.nearest_distance, [0, 0, HALF, HALF], atol=1e-6)
        assert (drawn.stack, drawn.n_tokens, drawn.points.n_heads) == ("encoder", 2, 2)
        points = drawn.points.points
        np.testing.assert_allclose(points[0], points[1], atol=1e-3)
        assert np.linalg.norm(points[0] - points[2]) > 2 * HALF

    def test_one_head_has_no_nearest(self) -> None:
        of = tokens("a b", "a", "b")
        cap = HandCapture(HandStack(of, of, np.array([[[ON_FIRST, ON_BOTH]]])), "a b")
        drawn = head_distances(cap, head_distance(cap), compute_all(cap))
        assert drawn.nearest.tolist() == [-1]
        assert np.isnan(drawn.nearest_distance).all()
        assert "most like" not in distances_figure(drawn).data[0].hovertext[0]
        (row,) = csv.DictReader(io.StringIO(distances_table(drawn).csv(), newline=""))
        assert row["nearest_layer"] == row["nearest_head"] == row["nearest_distance"] == ""

    def test_distances_of_another_stack_are_refused(self) -> None:
        of = tokens("a b", "a", "b")
        cap = HandCapture(HandStack(of, of, np.full((3, 2, 2, 2), 0.5)), "a b")
        with pytest.raises(ValueError, match=r"have shape \(6, 6\), not \(4, 4\)"):
            head_distances(cap, np.zeros((4, 4)), {})

    def test_csv_is_what_is_drawn(self) -> None:
        drawn = _by_hand()
        rows = list(csv.DictReader(io.StringIO(distances_table(drawn).csv(), newline="")))
        assert [(row["layer"], row["head"]) for row in rows] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
        written = np.array([[row["x"], row["y"]] for row in rows], dtype=float)
        np.testing.assert_array_equal(written, drawn.points.points)
        assert (rows[2]["nearest_layer"], rows[2]["nearest_head"]) == ("1", "1")
        assert float(rows[2]["nearest_distance"]) == pytest.approx(HALF, abs=1e-6)
        assert [float(row["previous_token"]) for row in rows] == [1, 1, 0, 0.5]
        assert [row["duplicate_token"] for row in rows] == [""] * 4  # nothing is repeated


class TestFigure:
    def test_points_layers_and_ring(self) -> None:
        drawn = _by_hand()
        heads, ring = distances_figure(drawn, selected=(1, 0)).data
        np.testing.assert_array_equal(np.column_stack([heads.x, heads.y]), drawn.points.points)
        assert [tuple(place) for place in heads.customdata] == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert list(heads.marker.color) == [0, 0, 1, 1]
        assert [ring.x[0], ring.y[0]] == drawn.points.points[2].tolist()
        assert len(distances_figure(drawn).data[1].x) == 0

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_a_colour_a_layer(self, count: int) -> None:
        """Bands of the colour bar meet halfway between two layers, each in one colour."""
        drawn = replace(_by_hand(), points=HeadPoints(np.zeros((count, 2)), 0.0, 1))
        drawn = replace(
            drawn,
            nearest=np.full(count, -1),
            measures={name: np.zeros((count, 1)) for name in drawn.measures},
            facts=[["entropy 0.00"]] * count,
        )
        marker = distances_figure(drawn).data[0].marker
        edges = np.array([edge for edge, _ in marker.colorscale])
        shown = marker.cmin + edges * (marker.cmax - marker.cmin)
        np.testing.assert_allclose(shown[::2], np.arange(count) - 0.5)
        np.testing.assert_allclose(shown[1::2], np.arange(count) + 0.5)
        colours = [colour for _, colour in marker.colorscale]
        assert colours[::2] == colours[1::2]
        assert len(set(colours)) == count

    def test_a_measure_colours(self) -> None:
        marker = distances_figure(_by_hand(), "previous_token").data[0].marker
        assert list(marker.color) == [1, 1, 0, 0.5]
        assert marker.colorbar.title.text == "Previous token (share)"

    def test_an_undefined_measure_is_said(self) -> None:
        drawn = _by_hand()
        marker = distances_figure(drawn, "duplicate_token").data[0].marker
        assert isinstance(marker.color, str)
        assert "undefined on this text" in distances_caption(drawn, "duplicate_token")

    def test_hover_names_the_head_and_what_it_does(self) -> None:
        lines = distances_figure(_by_hand()).data[0].hovertext[3].split("<br>")
        assert lines[0] == "layer 1 · head 1"
        assert lines[1].startswith(f"entropy {math.log(2):.2f} · ")
        assert lines[-1] == f"most like layer 0 · head 0 ({HALF:.3f} nats apart)"

    def test_caption(self) -> None:
        drawn = _by_hand()
        said = distances_caption(drawn)
        for part in (
            "4 heads of by hand (encoder self-attention)",
            "Jensen–Shannon",
            "over 2 queries",
            "MDS",
            "Clark et al. 2019",
            "Colour: layer.",
            "Text: “a b”",
        ):
            assert part in said
        for stress, fit in ((0.05, "good"), (0.15, "fair"), (0.3, "poor")):
            assert f"stress {stress:.2f} ({fit};" in distances_caption(_points(drawn, stress))
        long = distances_caption(replace(drawn, source=replace(drawn.source, text="word " * 400, pair="another")))
        assert len(long) < 600
        assert long.endswith("…”, with a second text")

    def test_markup_stays_text(self) -> None:
        figure = distances_figure(replace(_by_hand(), source=Source("<b>x</b>", None)))
        assert "&lt;b&gt;" in figure.layout.title.text

    def test_unknown_colour(self) -> None:
        with pytest.raises(ValueError, match="unknown colour 'mood': use layer or entropy, "):
            distances_figure(_by_hand(), "mood")


class TestSession:
    def test_nearest_heads_are_scipys_on_eager_attention(self, folder: Folder) -> None:
        session, told = Session(device="cpu"), list[str]()
        settings = DistancesSettings(model=str(folder("bert")), text=TEXT)
        drawn = compute(session, settings, lambda said, _share: told.append(said))
        assert "comparing heads" in told
        again = compute(session, settings)
        np.testing.assert_array_equal(again.nearest_distance, drawn.nearest_distance)

        run = reference.eager(FAMILIES["bert"], folder("bert"), TEXT)
        rows = np.concatenate(run.attention["encoder"]).astype(float)
        apart = np.array([[(jensenshannon(p, q, axis=1) ** 2).mean() for q in rows] for p in rows])
        np.fill_diagonal(apart, np.inf)
        np.testing.assert_allclose(drawn.nearest_distance, apart.min(axis=1), atol=1e-6)
        np.testing.assert_array_equal(drawn.nearest, apart.argmin(axis=1))

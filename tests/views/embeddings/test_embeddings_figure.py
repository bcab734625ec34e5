"""What the planes of a word hold; markup in a text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.figures.caption import captioned
from explorer.figures.style import OKABE_ITO, SYMBOLS
from explorer.records import PlaneOptions, PlaneParts, WordStudy
from explorer.views.embeddings.embeddings.compute import word_projection, word_projections
from explorer.views.embeddings.embeddings.figure import plane_figure
from explorer.views.embeddings.embeddings.points_figure import word_figure
from explorer.views.embeddings.word_caption import facts_line, word_caption
from tests.captures_by_hand import reading, studied, tokens

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

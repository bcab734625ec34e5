"""Comparing two maps: the alignment of words, and the difference on what both have."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import explorer
from explorer.records import MapOptions
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.comparison.compute import (
    Side,
    align,
    compare_heads,
    comparison_facts,
    compute,
    is_uncased,
    other_side,
)
from explorer.views.heads.comparison.data import table as comparison_table
from explorer.views.heads.comparison.figure import comparison_caption, difference_figure, side_figures
from tests.captures_by_hand import HandCapture, masked_capture, word_tokens
from tests.conftest import Folder, Loader

NAN = np.nan


def side(text: str, weights: Any, head: int = 0, mask: Any = None, causal: bool = False, **cut: Any) -> Side:
    """A side with one layer of one head."""
    tokens = word_tokens(text, **cut)
    mask = None if mask is None else np.array(mask, dtype=bool)
    return Side(masked_capture(tokens, np.array([[weights]], float), mask, causal), 0, head)


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        ("a b c", "a b c", [(0, 0), (1, 1), (2, 2)]),
        ("a b c", "a c", [(0, 0), (1, -1), (2, 1)]),
        ("a c", "a b c", [(0, 0), (-1, 1), (1, 2)]),
        ("a x c", "a y c", [(0, 0), (1, -1), (-1, 1), (2, 2)]),
        ("a b", "c d", [(0, -1), (1, -1), (-1, 0), (-1, 1)]),
        ("a a a", "a a", [(0, 0), (1, 1), (2, -1)]),
        ("x b c y", "b c", [(0, -1), (1, 0), (2, 1), (3, -1)]),
        ("the cat sat", "so the big cat sat down", [(-1, 0), (0, 1), (-1, 2), (1, 3), (2, 4), (-1, 5)]),
        ("", "a", [(-1, 0)]),
        ("", "", []),
    ],
)
def test_alignment_by_hand(first: str, second: str, places: list[tuple[int, int]]) -> None:
    found = align(first.split(), second.split())
    np.testing.assert_array_equal(found, np.array(places, dtype=int).reshape(-1, 2))


def test_alignment_keeps_order_and_loses_nothing() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        first, second = (rng.choice(list("abc"), rng.integers(0, 12)).tolist() for _ in range(2))
        places = align(first, second)
        for column, items in ((0, first), (1, second)):
            own = places[:, column]
            assert own[own >= 0].tolist() == list(range(len(items)))
        assert all(first[i] == second[j] for i, j in places if i >= 0 and j >= 0)


def test_a_thousand_repeats_align_at_once() -> None:
    places = align(["a"] * 1000, ["a"] * 999)
    assert (places[:999] == np.arange(999)[:, None]).all()
    assert places[999].tolist() == [999, -1]


def test_two_heads_of_one_text_are_compared_token_by_token() -> None:
    first, second = [[1.0, 0.0], [0.25, 0.75]], [[0.5, 0.5], [0.25, 0.75]]
    cap = masked_capture(word_tokens("a b"), np.array([[first, second]]))
    found = compare_heads(Side(cap, 0, 0), Side(cap, 0, 1))
    np.testing.assert_array_equal(found.difference, [[-0.5, 0.5], [0.0, 0.0]])
    assert found.queries == found.keys == ("a", "b")
    assert found.remarks == ()
    assert not found.first.switches.words
    assert comparison_facts(found) == ("mean absolute difference 0.250 · most +0.500 at a → b · least -0.500 at a → a")


def test_words_of_one_side_only_have_no_difference() -> None:
    first = side("cat sat", [[0.5, 0.5], [0.25, 0.75]])
    second = side("cat now sat", [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.75, 0.25, 0.0]])
    found = compare_heads(first, second)
    assert found.queries == found.keys == ("cat", "now", "sat")
    np.testing.assert_array_equal(found.difference, [[0.0, NAN, -0.25], [NAN, NAN, NAN], [0.5, NAN, -0.75]])
    np.testing.assert_array_equal(found.query_places, [[0, 0], [-1, 1], [1, 2]])
    assert "1 word of the second text has no partner: now." in found.remarks
    assert any("merged to words" in remark for remark in found.remarks)


def test_pieces_are_merged_before_they_are_compared() -> None:
    """One tokenizer cuts "abcd" in two, the other does not."""
    pieces = [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]
    first = side("abcd e", pieces, pieces=[(0, 2), (2, 4), (5, 6)])
    second = side("abcd e", [[0.5, 0.5], [0.25, 0.75]])
    found = compare_heads(first, second)
    # abcd→abcd: mean of 0.1+0.2 and 0.3+0.3; abcd→e: mean of 0.7 and 0.4; e→abcd: 0.5+0.25.
    np.testing.assert_allclose(found.first.weights, [[0.45, 0.55], [0.75, 0.25]], atol=1e-7)
    np.testing.assert_allclose(found.difference, [[0.05, -0.05], [-0.5, 0.5]], atol=1e-7)
    assert found.queries == ("abcd", "e")
    assert found.first.switches.words
    assert found.second.switches.words


def test_special_tokens_are_matched_by_place_and_both_names_are_told() -> None:
    uniform = np.full((3, 3), 1 / 3)
    first = side("a", uniform, begin="[CLS]", end="[SEP]")
    second = side("a", np.eye(3), begin="<s>", end="</s>")
    found = compare_heads(first, second)
    assert found.queries == ("[CLS] / <s>", "a", "[SEP] / </s>")
    np.testing.assert_allclose(found.difference, np.eye(3) - 1 / 3, atol=1e-7)
    assert "“[CLS]” is matched with “<s>”." in found.remarks
    without = compare_heads(first, second, options=MapOptions(special=False))
    assert without.queries == ("a",)
    np.testing.assert_allclose(without.difference, [[2 / 3]], atol=1e-7)


def test_case_is_ignored_only_where_a_tokenizer_ignores_it() -> None:
    cased = side("The end", np.eye(2))
    uncased = side("the End", np.full((2, 2), 0.5), lower=True)
    also_cased = side("the End", np.full((2, 2), 0.5))
    assert [is_uncased(s.tokens[0]) for s in (cased, uncased, also_cased)] == [False, True, False]
    found = compare_heads(cased, uncased)
    assert found.queries == ("The", "end")
    np.testing.assert_array_equal(found.difference, [[-0.5, 0.5], [0.5, -0.5]])
    assert "Upper and lower case are treated as the same." in found.remarks
    apart = compare_heads(cased, also_cased)
    assert apart.difference is None
    assert "The two texts have no word in common, so there is no difference map." in apart.remarks


def test_what_only_one_mask_forbids_is_no_difference_and_is_said() -> None:
    causal = side("a b c", np.tri(3) / np.arange(1, 4)[:, None], mask=np.tri(3), causal=True)
    both_ways = side("a b c", np.full((3, 3), 1 / 3))
    found = compare_heads(causal, both_ways)
    np.testing.assert_allclose(
        found.difference, [[-2 / 3, NAN, NAN], [1 / 3 - 1 / 2, 1 / 3 - 1 / 2, NAN], [0, 0, 0]], atol=1e-7
    )
    assert "3 cells that only the first’s causal mask forbids: no difference." in found.remarks
    assert "The first is the decoder stack, the second the encoder stack." in found.remarks
    assert (found.key_places >= 0).all()
    same = compare_heads(causal, causal)
    assert same.remarks == ()
    np.testing.assert_array_equal(np.isnan(same.difference), ~np.tri(3, dtype=bool))


def test_special_tokens_alone_are_no_common_ground() -> None:
    found = compare_heads(side("a", np.eye(2), begin="[CLS]"), side("b", np.eye(2), begin="[CLS]"))
    assert found.difference is None
    assert comparison_facts(found) == "no cell in common"
    assert "1 word of the first text has no partner: a." in found.remarks


def test_many_words_without_a_partner_are_counted() -> None:
    words = [f"w{i}" for i in range(11)]
    found = compare_heads(side("x " + " ".join(words), np.eye(12)), side("x", np.eye(1)))
    assert "11 words of the first text have no partner: w0, w1, w2, w3, w4, w5, w6, w7 and 3 more." in found.remarks
    np.testing.assert_array_equal(found.difference[0, 0], 0.0)


def test_repeated_words_are_numbered_in_the_common_order() -> None:
    found = compare_heads(side("the a the", np.eye(3)), side("the b the", np.eye(3)))
    assert found.queries == ("the·1", "a", "b", "the·2")


def test_cross_attention_aligns_queries_and_keys_apart() -> None:
    def cross(queries: str, keys: str, weights: Any) -> Side:
        cap: HandCapture = masked_capture(
            word_tokens(queries), np.array([[weights]], float), keys=word_tokens(keys), name="cross"
        )
        return Side(cap, 0, 0, "cross")

    found = compare_heads(
        cross("ein Hund", "a dog ate", [[1, 0, 0], [0, 0.5, 0.5]]),
        cross("der Hund", "a dog", [[0.5, 0.5], [0.25, 0.75]]),
    )
    assert found.queries == ("ein", "der", "Hund")
    assert found.keys == ("a", "dog", "ate")
    np.testing.assert_array_equal(found.difference[2], [0.25, 0.25, NAN])
    assert np.isnan(found.difference[:2]).all()
    assert "1 query of the first text has no partner: ein." in found.remarks
    assert "1 key of the first text has no partner: ate." in found.remarks


def test_csv_has_a_row_a_cell_and_leaves_blank_what_is_not_there() -> None:
    found = compare_heads(side("a b", [[0.5, 0.5], [0.25, 0.75]]), side("a", [[1.0]]))
    assert list(csv.reader(io.StringIO(comparison_table(found).csv()))) == [
        ["query", "key", "first", "second", "difference"],
        ["a", "a", "0.5", "1.0", "0.5"],
        ["a", "b", "0.5", "", ""],
        ["b", "a", "0.25", "", ""],
        ["b", "b", "0.75", "", ""],
    ]


def test_a_causal_and_a_bidirectional_model_on_one_text(tiny: Loader) -> None:
    """Against plain numpy: words merged by hand from each capture's own offsets."""
    text = "The dog ate an apple."
    bert, gpt2 = (explorer.capture(tiny(name), text) for name in ("bert", "gpt2"))
    found = compare_heads(Side(bert, 1, 0), Side(gpt2, 1, 1), options=MapOptions(special=False))
    words = ["The", "dog", "ate", "an", "apple", "."]
    assert found.queries == found.keys == tuple(words)
    merged = []
    for cap, head in ((bert, 0), (gpt2, 1)):
        owner = np.array(
            [
                -1 if special else text[:end].count(" ") + (text[:end].endswith("."))
                for special, (_, end) in zip(cap.query_tokens.special, cap.offsets.tolist(), strict=True)
            ]
        )
        belongs = (owner == np.arange(6)[:, None]).astype(float)
        mean = belongs / belongs.sum(axis=1, keepdims=True)
        merged.append(mean @ cap.attention(1, head).astype(float) @ belongs.T)
    later = np.triu(np.ones((6, 6), bool), 1)
    np.testing.assert_allclose(found.difference, np.where(later, NAN, merged[1] - merged[0]), atol=1e-6)
    assert "15 cells that only the second’s causal mask forbids: no difference." in found.remarks


def test_a_head_the_second_model_lacks_is_refused(tiny: Loader) -> None:
    cap = explorer.capture(tiny("bert"), "A dog.")
    with pytest.raises(ValueError, match="layer 40 is out of range"):
        compare_heads(Side(cap, 0, 0), Side(cap, 40, 0))


def heatmap_of(figure: Any) -> Any:
    (cells,) = [trace for trace in figure.data if trace.type == "heatmap"]
    return cells


def hatched(figure: Any, shape: str) -> set[tuple[float, float]]:
    """Middles of the cells under one kind of hatch: (column, row), in runs of one row."""
    (trace,) = [t for t in figure.data if t.type == "scatter" and t.fillpattern.shape == shape]
    xs, ys = ([v for v in axis if v is not None] for axis in (trace.x, trace.y))
    cells = set()
    for start in range(0, len(xs), 5):
        left, right = min(xs[start : start + 5]), max(xs[start : start + 5])
        middle = (min(ys[start : start + 5]) + max(ys[start : start + 5])) / 2
        cells |= {(left + 0.5 + i, middle) for i in range(round(right - left))}
    return cells


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_difference_is_drawn_around_zero(theme: str) -> None:
    first = side("a b c", np.tri(3) / np.arange(1, 4)[:, None], mask=np.tri(3), causal=True)
    second = side("a c", [[0.5, 0.5], [0.25, 0.75]])
    found = compare_heads(first, second)
    figure = difference_figure(found, theme)
    cells = heatmap_of(figure)
    np.testing.assert_allclose(cells.z, found.difference.astype(np.float32))
    # a→a 0.5 − 1 is the largest; c→a 1/4 − 1/3, c→c 3/4 − 1/3.
    assert (cells.zmin, cells.zmax) == (-0.5, 0.5)
    scale = [stop for stop, _ in cells.colorscale]
    assert scale == [1 - stop for stop in reversed(scale)]
    assert cells.colorbar.title.text == "difference in weight"
    assert figure.layout.title.text == "second − first"
    assert hatched(figure, "/") == {(2, 0)}  # a→c: later in the first
    assert hatched(figure, "x") == {(0, 1), (1, 1), (2, 1), (1, 0), (1, 2)}  # b is alone
    assert list(figure.layout.yaxis2.ticktext) == ["a", "b", "c"]
    caption = comparison_caption(found)
    assert caption.startswith("First: by hand, layer 0, head 0. Second: by hand, layer 0, head 0.")
    assert "Texts: “a b c”; “a c”." in caption
    assert "Hatched: a mask forbids the cell." in caption
    assert "1 word of the first text has no partner: b." in caption


def test_equal_maps_have_a_scale_all_the_same() -> None:
    one = side("a b", np.eye(2))
    cells = heatmap_of(difference_figure(compare_heads(one, one)))
    assert (cells.zmin, cells.zmax) == (-1, 1)
    np.testing.assert_array_equal(cells.z, np.zeros((2, 2)))


def test_what_cannot_be_aligned_is_not_drawn() -> None:
    found = compare_heads(side("a", np.eye(1)), side("b", np.eye(1)))
    with pytest.raises(ValueError, match="no word in common"):
        difference_figure(found)
    assert "no word in common" in comparison_caption(found)


def test_both_maps_have_one_colour_scale() -> None:
    found = compare_heads(side("a b", [[0.5, 0.5], [0.5, 0.5]]), side("a b", [[0.25, 0.75], [0.5, 0.5]]))
    figures = side_figures(found.first, found.second)
    assert [heatmap_of(figure).zmax for figure in figures] == [0.75, 0.75]
    assert [heatmap_of(figure).zmin for figure in figures] == [0, 0]
    np.testing.assert_array_equal(heatmap_of(figures[1]).z, found.second.weights)


def test_a_long_texts_difference_shows_the_largest_of_each_block_with_its_sign() -> None:
    count = 1030
    first, second = np.zeros((2, count, count))
    first[4, 5], second[3, 5] = 0.5, 0.25  # one block of 3 × 3: −0.5 outweighs +0.25
    second[1029, 0] = 0.75
    text = " ".join(f"w{i}" for i in range(count))
    found = compare_heads(side(text, first), side(text, second))
    figure = difference_figure(found)
    cells = heatmap_of(figure)
    assert cells.z.shape == (344, 344)
    expected = np.zeros((344, 344))
    expected[1, 1], expected[343, 0] = -0.5, 0.75
    np.testing.assert_allclose(cells.z, expected, atol=0.75 / 125)
    assert (cells.x0, cells.dx) == (1, 3)
    assert figure.layout.xaxis2.ticktext[1] == "w3 … w5"
    assert "of a block of 3 × 3 tokens" in comparison_caption(found)
    assert "two maps show the largest weight of each block" in comparison_caption(found)


def asked(**more: Any) -> ComparisonSettings:
    """Layer 1, head 1 of a model of three layers and two heads, and what it is compared with."""
    return ComparisonSettings(**{"model": "m", "text": "A dog.", "pair": "A cat.", "layer": 1, "head": 1, **more})


def two_heads() -> HandCapture:
    return masked_capture(word_tokens("a b"), np.full((3, 2, 2, 2), 0.5))


FIRST = TextRequest("m", "A dog.", "A cat.")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (FIRST, 1, 0)),  # the head after the last is the first
        ({"other_text": " "}, (FIRST, 1, 0)),
        ({"other_layer": "2"}, (FIRST, 2, 1)),
        ({"other_head": "1"}, (FIRST, 1, 1)),
        ({"other_model": "other", "other_head": "0"}, (replace(FIRST, model="other"), 1, 0)),
        ({"other_text": "New.", "other_layer": "0", "other_head": "0"}, (TextRequest("m", "New."), 0, 0)),
        ({"aggregate": "mean"}, (FIRST, 2, 1)),  # a layer's mean beside the next layer's
    ],
)
def test_empty_fields_are_as_on_the_left(fields: dict[str, str], expected: Any) -> None:
    assert other_side(two_heads(), asked(**fields)) == expected


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", "²"])
def test_another_layer_that_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError, match="not a layer or head: give a number, counted from 0"):
        other_side(two_heads(), asked(other_layer=typed))


def test_a_head_the_other_side_does_not_have(folder: Folder) -> None:
    settings = asked(model=str(folder("bert")), pair="", other_head="9")
    with pytest.raises(ValueError, match="head 9 is out of range"):
        compute(Session(device="cpu"), settings)

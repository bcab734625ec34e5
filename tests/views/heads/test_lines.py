"""The lines view: which weights become lines, and how they are drawn."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import numpy as np
import pytest

import explorer
from explorer.figures.style import THEMES
from explorer.records import MapOptions
from explorer.views.heads.lines import LinesSettings
from explorer.views.heads.lines.compute import MAX_HEADS, head_lines, heads_of
from explorer.views.heads.lines.data import table as lines_table
from explorer.views.heads.lines.figure import STEPS, line_groups, lines_caption, lines_figure, panel_height
from tests.captures_by_hand import masked_capture, word_tokens
from tests.conftest import Loader

# Two heads over three tokens; the causal mask leaves six cells of each.
FIRST = [[1.0, 0.0, 0.0], [0.75, 0.25, 0.0], [0.125, 0.5, 0.375]]
SECOND = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
CAUSAL = np.tri(3, dtype=bool)


def causal_pair() -> Any:
    tokens = word_tokens("a b c")
    return masked_capture(tokens, np.array([[FIRST, SECOND]]), CAUSAL, causal=True)


def lines_of(drawn: Any) -> list[tuple[int, int, int, float]]:
    return list(
        zip(
            [drawn.heads[place] for place in drawn.line_heads],
            drawn.line_queries.tolist(),
            drawn.line_keys.tolist(),
            drawn.weights.tolist(),
            strict=True,
        )
    )


def test_lines_come_strongest_first_and_equal_ones_by_head_and_place() -> None:
    drawn = head_lines(causal_pair(), 0, [0, 1], threshold=0.3, count=100)
    assert lines_of(drawn) == [
        (0, 0, 0, 1.0),
        (1, 0, 0, 1.0),
        (1, 1, 1, 1.0),
        (0, 1, 0, 0.75),
        (0, 2, 1, 0.5),
        (1, 2, 0, 0.5),
        (1, 2, 2, 0.5),
        (0, 2, 2, 0.375),
    ]
    assert drawn.above == 8
    # 1 + 0.75 + 0.5 + 0.375 of 3; all of 3.
    assert drawn.shares == (2.625 / 3, 1.0)


def test_what_exceeds_the_count_is_left_out_and_said() -> None:
    drawn = head_lines(causal_pair(), 0, [0, 1], threshold=0.3, count=4)
    assert lines_of(drawn) == [(0, 0, 0, 1.0), (1, 0, 0, 1.0), (1, 1, 1, 1.0), (0, 1, 0, 0.75)]
    assert drawn.above == 8
    assert drawn.shares == (1.75 / 3, 2 / 3)
    caption = lines_caption(drawn)
    assert "The 4 strongest of 8 weights of at least 0.3" in caption
    assert "carry 58% of head 0’s and 67% of head 1’s weight" in caption
    assert "layer 0, heads 0 and 1" in caption
    assert "no query sees a later key" in caption


def test_masked_cells_and_weights_of_nothing_are_no_lines() -> None:
    weights = np.array([[[[0.5, 0.5], [0.0, 1.0]]]])
    allowed = np.array([[True, False], [True, True]])
    cap = masked_capture(word_tokens("a b"), weights, allowed)
    drawn = head_lines(cap, 0, [0], threshold=0)
    assert lines_of(drawn) == [(0, 1, 1, 1.0), (0, 0, 0, 0.5)]


def test_the_chosen_head_first_and_none_twice() -> None:
    drawn = head_lines(causal_pair(), 0, [1, 0, 1])
    assert drawn.heads == (1, 0)
    assert drawn.shares[0] == 1.0


def test_no_line_is_a_figure_that_says_so() -> None:
    cap = masked_capture(word_tokens("a b"), np.full((1, 1, 2, 2), 0.5))
    drawn = head_lines(cap, 0, [0], threshold=0.6)
    assert lines_of(drawn) == []
    assert drawn.shares == (0.0,)
    assert lines_figure(drawn).layout.shapes == ()
    assert "No weight reaches 0.6" in lines_caption(drawn)


def test_words_and_special_tokens_as_in_the_map() -> None:
    tokens = word_tokens("abc d", pieces=[(0, 2), (2, 3), (4, 5)], begin="[CLS]")
    weights = np.array(
        [[[[0.25, 0.25, 0.25, 0.25], [0.5, 0.25, 0.25, 0.0], [0.25, 0.0, 0.5, 0.25], [0.0, 0.5, 0.25, 0.25]]]]
    )
    drawn = head_lines(
        masked_capture(tokens, weights), 0, [0], switches=MapOptions(words=True, special=False), threshold=0.1
    )
    assert drawn.queries == drawn.keys == ("abc", "d")
    # abc→abc: mean of 0.25+0.25 and 0.0+0.5; abc→d: mean of 0 and 0.25; d→abc: 0.5+0.25.
    assert lines_of(drawn) == [(0, 1, 0, 0.75), (0, 0, 0, 0.5), (0, 1, 1, 0.25), (0, 0, 1, 0.125)]
    caption = lines_caption(drawn)
    assert "merged to words" in caption
    assert "not renormalised" in caption


def test_cross_attention_has_columns_of_two_lengths() -> None:
    queries, keys = word_tokens("x y"), word_tokens("a b c d")
    weights = np.array([[[[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0]]]])
    cap = masked_capture(queries, weights, keys=keys, name="cross")
    drawn = head_lines(cap, 0, [0], threshold=0.35)
    assert lines_of(drawn) == [(0, 1, 0, 1.0), (0, 0, 3, 0.4)]
    figure = lines_figure(drawn)
    hover, left, right = figure.data[:3]
    assert list(left.text)[1:] == ["x", "y"]
    assert list(right.text)[1:] == ["a", "b", "c", "d"]
    cells = np.array(hover.z, dtype=float)
    np.testing.assert_array_equal(~np.isnan(cells), [[1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 0, 1]])
    assert lines_caption(drawn).startswith("Cross attention of by hand")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"heads": []}, "0 heads were chosen: choose 1 to 7"),
        ({"heads": list(range(8))}, "8 heads were chosen: choose 1 to 7"),
        ({"heads": [0], "threshold": 1.5}, "threshold 1.5 is not a weight"),
        ({"heads": [0], "threshold": float("nan")}, "threshold nan is not a weight"),
        ({"heads": [0], "count": 0}, "0 lines were requested: use a number from 1 to 2,000"),
        ({"heads": [0], "count": 2001}, "2001 lines were requested"),
    ],
)
def test_bad_choices_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        head_lines(causal_pair(), 0, **given)


def segments(path: str) -> list[tuple[float, float]]:
    """Where each line of a shape begins (at x 0) and ends (at x 1)."""
    found = re.findall(r"M0,(-?[\d.]+)L1,(-?[\d.]+)", path)
    assert "".join(f"M0,{a}L1,{b}" for a, b in found) == path
    return [(float(a), float(b)) for a, b in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_line_is_drawn_once_in_its_heads_colour_and_width(theme: str) -> None:
    drawn = head_lines(causal_pair(), 0, [0, 1], threshold=0.0)
    figure = lines_figure(drawn, theme)
    colours = THEMES[theme].senses
    found = []
    for shape in figure.layout.shapes:
        head = colours.index(shape.line.color)
        shift = -0.125 if head == 0 else 0.125  # two heads lie half a row apart
        for start, end in segments(shape.path):
            query, key = round(start - shift), round(end - shift)
            assert (start, end) == (query + shift, key + shift)
            found.append((head, query, key, shape.line.width, shape.opacity))
    weights = {(head, query, key): weight for head, query, key, weight in lines_of(drawn)}
    assert {line[:3] for line in found} == set(weights)
    assert len(found) == len(weights)
    # Wider and stronger in the order of the steps the weights fall in.
    by_weight = sorted(found, key=lambda line: weights[line[:3]])
    for quantity in (3, 4):
        drawn_sizes = [line[quantity] for line in by_weight]
        assert drawn_sizes == sorted(drawn_sizes)
    steps = {sum(weight >= edge for edge in STEPS) for weight in weights.values()}
    assert len({line[3] for line in found}) == len(steps) > 2


def test_the_browser_is_told_which_lines_each_shape_has() -> None:
    figure = lines_figure(head_lines(causal_pair(), 0, [0, 1], threshold=0.0))
    groups = figure.layout.meta["groups"]
    assert len(groups) == len(figure.layout.shapes)
    for group, shape in zip(groups, figure.layout.shapes, strict=True):
        assert segments(shape.path) == [
            (query + group["shift"], key + group["shift"])
            for query, key in zip(group["queries"], group["keys"], strict=True)
        ]
        assert group["opacity"] == shape.opacity


def test_hover_spells_out_a_tokens_strongest_lines() -> None:
    tokens = word_tokens("<b> q r s t")
    weights = np.zeros((1, 1, 5, 5))
    weights[0, 0, 1] = [0.4, 0.1, 0.2, 0.25, 0.05]
    weights[0, 0, 2, 0] = 1.0
    drawn = head_lines(masked_capture(tokens, weights), 0, [0], threshold=0.0)
    said = lines_figure(drawn).data[0].text
    assert said[1][0] == ("query q<br>head 0 → &lt;b&gt; 0.400, s 0.250, r 0.200 … and 2 more")
    assert said[0][2] == "key &lt;b&gt;<br>head 0 ← r 1.000, q 0.400"
    assert said[4][0] == "query t"


def test_legend_names_heads_and_widths() -> None:
    figure = lines_figure(head_lines(causal_pair(), 0, [0, 1], threshold=0.3))
    names = [trace.name for trace in figure.data[3:]]
    assert names == ["head 0", "head 1", "weight 0.2 to 0.4", "weight 0.4 to 0.7", "weight 0.7 and more"]
    assert [trace.line.color for trace in figure.data[3:5]] == list(THEMES["light"].senses[:2])


def long_capture(count: int) -> Any:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(count, 0.05), size=(1, MAX_HEADS, count))
    return masked_capture(word_tokens(" ".join(f"w{i}" for i in range(count))), weights)


def test_long_texts_stay_few_shapes_and_labels_do_not_touch() -> None:
    drawn = head_lines(long_capture(500), 0, range(MAX_HEADS), threshold=0.0, count=2000)
    assert len(drawn.weights) == 2000
    figure = lines_figure(drawn)
    assert len(figure.layout.shapes) <= MAX_HEADS * len(STEPS)
    assert sum(len(segments(shape.path)) for shape in figure.layout.shapes) == 2000
    assert column(figure.data[1]) == [(i, f"w{i}") for i in range(500)]
    # Plotly sets a text's lines 1.3 times the font apart: so far must the rows be.
    top, bottom = sorted(figure.layout.yaxis.range)
    height = float(panel_height(drawn).removesuffix("px"))
    pitch = (height - 45) / (bottom - top)
    assert pitch == pytest.approx(1.3 * figure.data[1].textfont.size, abs=1e-3)


def column(trace: Any, every: int = 1) -> list[tuple[float, str]]:
    """Where each label of a column stands: the lines of a text lie around its place."""
    return [
        (middle + every * (line - text.count("<br>") / 2), label)
        for middle, text in zip(trace.y[1:], trace.text[1:], strict=True)
        for line, label in enumerate(text.split("<br>"))
    ]


def test_texts_beyond_the_rows_label_every_kth_token_and_say_so() -> None:
    weights = np.eye(1300)[None, None]
    cap = masked_capture(word_tokens(" ".join(f"w{i}" for i in range(1300))), weights)
    drawn = head_lines(cap, 0, [0], count=10)
    figure = lines_figure(drawn)
    assert column(figure.data[1], every=3)[:2] == [(0, "w0"), (3, "w3")]
    assert "One token in 3 is labelled." in lines_caption(drawn)
    np.testing.assert_array_equal(np.isnan(np.array(figure.data[0].z, float)[:, 0]), False)


def test_groups_hold_every_line_once() -> None:
    drawn = head_lines(long_capture(60), 0, range(3), threshold=0.02, count=500)
    groups = line_groups(drawn)
    assert sum(len(group.queries) for group in groups) == len(drawn.weights)


def test_csv_has_a_row_a_line() -> None:
    drawn = head_lines(causal_pair(), 0, [1], threshold=0.6)
    rows = list(csv.reader(io.StringIO(lines_table(drawn).csv())))
    assert rows == [
        ["layer", "head", "query_index", "query", "key_index", "key", "weight"],
        ["0", "1", "0", "a", "0", "a", "1.0"],
        ["0", "1", "1", "b", "1", "b", "1.0"],
    ]


def test_lines_of_a_model_are_its_largest_weights(tiny: Loader) -> None:
    """Against a plain sort of the captured attention of two heads."""
    cap = explorer.capture(tiny("bert"), "The dog ate an apple.", pair="Apple announced a phone.")
    drawn = head_lines(cap, 1, [2, 0], threshold=0.0, count=25)
    attention = cap.attention(1)[[2, 0]]
    np.testing.assert_array_equal(drawn.weights, np.sort(attention.ravel())[::-1][:25])
    np.testing.assert_array_equal(attention[drawn.line_heads, drawn.line_queries, drawn.line_keys], drawn.weights)


def test_a_block_of_a_pair_has_its_own_queries_and_keys(tiny: Loader) -> None:
    cap = explorer.capture(tiny("bert"), "The dog ate.", pair="Apple announced a phone.")
    drawn = head_lines(cap, 0, [1], switches=MapOptions(part="A→B"), threshold=0.0, count=2000)
    first, second = (np.flatnonzero(cap.query_tokens.segment == text) for text in (0, 1))
    assert drawn.queries == tuple(cap.tokens[i] for i in first)
    assert drawn.keys == tuple(cap.tokens[i] for i in second)
    block = cap.attention(0, 1)[np.ix_(first, second)]
    np.testing.assert_array_equal(drawn.weights, np.sort(block.ravel())[::-1])
    assert "Block A→B: queries of text A, keys of B; neither special tokens nor" in lines_caption(drawn)


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ("", [2]),
        ("0,2,3", [2, 0, 3]),
        ("0,1,2,3,4,5,6,7,8", [2, 0, 1, 3, 4, 5, 6]),  # one for each colour
    ],
)
def test_the_heads_beside_the_chosen_one(beside: str, expected: list[int]) -> None:
    assert heads_of(LinesSettings(head=2, other_heads=beside)) == expected


@pytest.mark.parametrize("beside", ["x", "1.2", "-1", "²"])
def test_heads_beside_the_chosen_one_that_are_no_numbers(beside: str) -> None:
    with pytest.raises(ValueError, match="is not a list of heads: write numbers, as 1,5"):
        heads_of(LinesSettings(head=2, other_heads=beside))

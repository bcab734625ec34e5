"""Pictures, captions and files of what attention takes, against numbers by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer.records import AttentionShape, Costs, CostSettings, ModelShape
from explorer.views.inside.cost.compute import costs, sharings
from explorer.views.inside.cost.data import table as costs_table
from explorer.views.inside.cost.figure import cache_figure, cost_caption, operations_figure, with_unit
from explorer.views.inside.cost.sharing_figure import sharing_caption, sharing_figure

SMALL = AttentionShape("decoder", True, 2, 4, 2, 3, 3)
DECODER = ModelShape("small", (SMALL,), 1000, "float32", "recorder", None, 10.0, 0.0)


def _joined(figure: Any, panel: str) -> set[tuple[float, float]]:
    """(query head, place of the key/value head) of each thin line in a panel."""
    pairs = set()
    for line in figure.data:
        if line.xaxis == panel and line.mode == "lines" and line.line.width == 1:
            assert list(line.y) == [1, 0, None] * (len(line.x) // 3)
            pairs |= set(zip(line.x[::3], line.x[1::3], strict=True))
    return pairs


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_join_queries_with_what_they_read(theme: str) -> None:
    shape = replace(SMALL, n_heads=6, n_kv_heads=2)
    figure = sharing_figure(shape, sharings(shape), 4, theme)
    assert _joined(figure, "x") == {(head, head) for head in range(6)}
    assert _joined(figure, "x2") == {(0, 1), (1, 1), (2, 1), (3, 4), (4, 4), (5, 4)}
    assert _joined(figure, "x3") == {(head, 2.5) for head in range(6)}
    accented = [line.x for line in figure.data if line.mode == "lines" and line.line.width == 4]
    assert accented == [(4, 4), (4, 4), (4, 2.5)]
    headings = [note.text for note in figure.layout.annotations]
    assert headings == [
        "<b>multi-head</b> · 6 key/value heads",
        "<b>grouped</b> · 2 key/value heads · this model",
        "<b>multi-query</b> · 1 key/value head",
    ]
    queries, keys = [t for t in figure.data if t.xaxis == "x2" and t.mode == "markers+text"]
    assert list(queries.text) == ["0", "1", "2", "3", "4", "5"]
    assert queries.hovertext[4] == "query head 4 reads key/value head 1"
    assert keys.hovertext[1] == "key/value head 1, read by query heads 3 to 5"
    assert queries.marker.color[:3] == (keys.marker.color[0],) * 3
    assert queries.marker.color[3:] == (keys.marker.color[1],) * 3
    assert keys.marker.color[0] != keys.marker.color[1]


def test_many_heads_are_drawn_with_few_numbers() -> None:
    shape = replace(SMALL, n_heads=64, n_kv_heads=8)
    figure = sharing_figure(shape, sharings(shape), 40)
    assert len(_joined(figure, "x2")) == 64
    queries = next(t for t in figure.data if t.xaxis == "x2" and t.mode == "markers+text")
    assert [text for text in queries.text if text] == ["0", "40", "63"]
    near = next(
        t for t in sharing_figure(shape, sharings(shape), 2).data if t.xaxis == "x2" and t.mode == "markers+text"
    )
    assert [text for text in near.text if text] == ["2", "63"]


def test_bad_heads_and_themes() -> None:
    with pytest.raises(ValueError, match="head 4 is out of range: heads are 0 to 3"):
        sharing_figure(SMALL, sharings(SMALL), 4)
    with pytest.raises(ValueError, match="unknown theme"):
        cache_figure(costs(DECODER, CostSettings()), "grey")


def test_the_caption_says_who_shares_with_whom() -> None:
    shape = replace(SMALL, n_heads=6, n_kv_heads=2)
    said_of = sharing_caption("a/b", shape, sharings(shape), 4)
    assert said_of.startswith(
        "a/b, decoder self-attention: grouped attention, 6 query heads (above) over 2 key/value "
        "heads (below) in each of 2 layers; a line for each query head and what it reads. Head 4 "
        "shares key/value head 1 with 3, 5. Beside it the same layer as it would be with "
        "multi-head (6), multi-query (1)."
    )
    alone = sharing_caption("a/b", shape.shared(6), sharings(shape.shared(6)), 4)
    assert "Head 4 reads key/value head 4 alone." in alone


def _traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_hold_the_formulas(theme: str) -> None:
    shown = costs(DECODER, CostSettings(2000, 3, "int8"))
    figure = cache_figure(shown, theme)
    curves = _traces(figure)
    assert set(curves) == {"multi-head, 4", "grouped, 2 (this model)", "multi-query, 1"}
    for name, heads in [("multi-head, 4", 4), ("grouped, 2 (this model)", 2), ("multi-query, 1", 1)]:
        lengths = np.array(curves[name].x)
        assert (lengths[0], lengths[-1]) == (1, 1_000_000)
        np.testing.assert_array_equal(curves[name].y, 2 * heads * 6 * 3 * lengths)
    marked = next(trace for trace in figure.data if trace.mode == "markers+text")
    assert (marked.x, marked.y, marked.text) == ((2000,), (144_000,), ("144 kB",))
    heights = [line.y0 for line in figure.layout.shapes]
    assert heights == [24e9, 40e9, 80e9, 141e9, 192e9, 1000]
    names = [note.text for note in figure.layout.annotations]
    assert names[0] == "RTX 4090 24 GB"
    assert names[-1] == "weights in int8: 1 kB"
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_maps_beside_what_a_capture_keeps() -> None:
    curves = _traces(operations_figure(costs(DECODER, CostSettings())))
    n = np.array(curves["all maps: N²"].x, float)
    np.testing.assert_array_equal(curves["all maps: N²"].y, n**2 * 4 * 2 * 4)
    np.testing.assert_array_equal(curves["q, k, v: N"].y, n * 2 * (4 * 3 + 2 * 6) * 4)
    np.testing.assert_array_equal(curves["all N tokens: N²"].y, n**2 * 2 * 4 * 12)
    np.testing.assert_array_equal(curves["one more, cached: N"].y, n * 2 * 4 * 12)


def _encoder() -> Costs:
    shape = replace(SMALL, name="encoder", causal=False)
    return costs(replace(DECODER, stacks=(shape,), max_tokens=512), CostSettings())


def test_an_encoder_keeps_no_cache() -> None:
    shown = _encoder()
    assert shown.step is None
    assert shown.needed == shown.forward.total
    assert set(_traces(operations_figure(shown))) == {"all maps: N²", "q, k, v: N", "all N tokens: N²"}
    assert cache_figure(shown).layout.title.text.startswith("Keys and values, if all were kept ·")
    caption = cost_caption(shown)
    assert "is an encoder: it reads all tokens at once and keeps no cache" in caption
    assert "It reads at most 512 tokens" in caption


def test_the_caption_says_what_is_counted() -> None:
    cross = replace(SMALL, name="cross", causal=False)
    windowed = replace(SMALL, windows=(4, None))
    shape = replace(DECODER, stacks=(replace(cross, name="encoder"), windowed, cross))
    caption = cost_caption(costs(shape, CostSettings(10, 1, "float16")))
    assert "the decoder’s own cache and that of cross attention" in caption
    assert "keeps its window’s tokens only" in caption
    # (14 + 20) tokens over the layers · 2 heads · 6 numbers · 2 bytes.
    assert "keys and values take 816 B" in caption


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (2_147_483_648, "2.15 GB"),
        (999_600, "1 MB"),
        (12_345, "12.3 kB"),
        (5e17, "500 PB"),
    ],
)
def test_numbers_as_they_are_said(number: float, expected: str) -> None:
    assert with_unit(number, "B") == expected


def test_csv_has_every_number() -> None:
    shown = costs(DECODER, CostSettings(4096, 2, "float16", "1"))
    rows = list(csv.DictReader(io.StringIO(costs_table(shown).csv())))
    asked = next(row for row in rows if row["what"] == "cache" and row["sharing"] == "multi-query")
    assert asked == {
        "what": "cache",
        "sharing": "multi-query",
        "key_value_heads": "1",
        "batch": "2",
        "precision": "float16",
        "tokens": "4096",
        "value": str(2 * 6 * 4096 * 2 * 2),
        "unit": "bytes",
    }
    of_maps = {int(row["tokens"]): int(row["value"]) for row in rows if row["what"] == "maps"}
    assert of_maps[1_000_000] == 10**12 * 4 * 2 * 4
    assert {row["what"] for row in rows} == {
        "weights",
        "cache a token",
        "cache",
        "capture",
        "operations, cells left",
        "maps",
        "queries, keys, values",
        "operations, all tokens",
        "operations, one more token",
    }

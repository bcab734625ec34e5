"""Two heads, two texts or two models: their maps aligned, and the difference between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import (
    AttentionStack,
    CapturedText,
    FloatArray,
    HeadComparison,
    HeadMap,
    IntArray,
    MapOptions,
    Tokens,
)
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.text.tokens import numbered
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.heatmap.compute import AS_CAPTURED, drawn_groups, head_map, options_of

_NAMED = 8  # words that a remark lists before it counts the rest


@dataclass(frozen=True)
class Side:
    """One of the two that are compared; ``stack`` None means the only or first one."""

    cap: CapturedText
    layer: int
    head: int
    stack: str | None = None

    @property
    def source(self) -> AttentionStack:
        """The stack its head is in."""
        return self.cap.stack(self.stack)


@dataclass(frozen=True)
class Row:
    """How a row or column of a map reads, and whether it is a special token.

    ``place`` is "begin" or "later" for a special token that the tokenizer added.
    """

    text: str
    special: bool = False
    place: str = ""

    def name(self, ignore_case: bool) -> tuple[str, str]:
        """What two rows must have in common to be the same word."""
        if self.place:
            return ("special", self.place)
        text = unicodedata.normalize("NFC", self.text)
        return ("", text.casefold() if ignore_case and not self.special else text)


def compute(session: Session, settings: ComparisonSettings, progress: Progress | None = None) -> HeadComparison:
    """The chosen head, the other one, and the difference.

    Raises:
        ValueError: a text the second model cannot read, or a head it does not have.
        ModelError: a model that cannot be loaded.
    """
    stack = settings.stack or None
    cap = session.capture(settings.request, progress)
    request, layer, head = other_side(cap, settings)
    other = session.capture(request, progress)
    first = Side(cap, settings.layer, settings.head, stack)
    second = Side(other, layer, head, stack if stack in other.stacks else None)
    return compare_heads(first, second, options_of(settings, cap.pair))


def other_side(cap: CapturedText, settings: ComparisonSettings) -> tuple[TextRequest, int, int]:
    """What the chosen head is compared with: its text, its layer and its head.

    With all of its settings empty it is the next head (of several heads taken together, the next
    layer), so that the view opens on a difference. Another text is read without the first one's
    second text and target.

    Raises:
        ValueError: a layer or head that is no number.
    """
    request, layer, head = settings.request, settings.layer, settings.head
    model, text = settings.other_model.strip(), settings.other_text.strip()
    other_layer, other_head = settings.other_layer.strip(), settings.other_head.strip()
    if not any((model, text, other_layer, other_head)):
        source = cap.stack(settings.stack or None)
        if settings.aggregate == "head":
            head = (head + 1) % source.n_heads
        else:
            layer = (layer + 1) % source.n_layers
    if model:
        request = replace(request, model=model)
    if text:
        request = replace(request, text=settings.other_text, pair="", target="")
    return request, _number(other_layer, layer), _number(other_head, head)


def _number(typed: str, otherwise: int) -> int:
    if typed and not typed.isdecimal():
        raise ValueError(f"{typed[:40]} is not a layer or head: give a number, counted from 0")
    return int(typed) if typed else otherwise


def compare_heads(first: Side, second: Side, options: MapOptions = AS_CAPTURED) -> HeadComparison:
    """Two maps and the second minus the first, on the tokens both have.

    Where the tokens differ both maps are merged to words (sum over a key's pieces, mean over
    a query's) and aligned: words in common stay in reading order, longest runs first
    (``difflib``); case is ignored where one of the tokenizers ignores it. Special tokens that
    a tokenizer added are matched by place: the first of the text, or a later one. What only
    one side has, and what one side's mask forbids, has no difference.

    Args:
        first: what is subtracted.
        second: what it is subtracted from.
        options: how both maps are read; a part is ignored unless both have a second text.

    Raises:
        ValueError: a stack, layer or head that a side does not have.
    """
    paired = first.cap.pair is not None and second.cap.pair is not None
    merged = options.words or not _same_tokens(first, second)
    read = replace(options, words=merged, part=options.part if paired else "all")
    one, other = (head_map(side.cap, side.layer, side.head, side.stack, read) for side in (first, second))
    rows = [_rows(side, read) for side in (first, second)]
    ignore_case = merged and any(
        is_uncased(tokens) for side in (first, second) for tokens in (side.source.query_tokens, side.source.key_tokens)
    )
    queries, keys = (_aligned(rows[0][axis], rows[1][axis], merged, ignore_case) for axis in (0, 1))
    shared = _shares_a_word(queries, rows[0][0]) and _shares_a_word(keys, rows[0][1])
    remarks = _on_stacks(one, other) + _on_truncation(one, other)
    if merged and not options.words:
        remarks.append(
            "The tokens differ, so both maps are merged to words: summed over a key’s pieces, averaged over a query’s."
        )
    remarks += _on_words(rows, queries, keys)
    if shared:
        remarks += _on_masks(one, other, queries, keys)
    else:
        remarks.append("The two texts have no word in common, so there is no difference map.")
    return HeadComparison(
        first=one,
        second=other,
        queries=_labels(queries, rows[0][0], rows[1][0]) if merged else one.queries,
        keys=_labels(keys, rows[0][1], rows[1][1]) if merged else one.keys,
        query_places=queries,
        key_places=keys,
        difference=_difference(one, other, queries, keys) if shared else None,
        remarks=tuple(remarks),
    )


def align(first: Sequence[object], second: Sequence[object]) -> IntArray:
    """Two sequences in one order: for each step the place in the first and the second.

    Returns:
        [n, 2]; -1 where that sequence has no such item. Items are the same where they are
        equal; what only the first has stands before what only the second has.
    """
    most = min(len(first), len(second))
    # A common beginning and end need no search, which is slow where items repeat a lot.
    begin = next((i for i in range(most) if first[i] != second[i]), most)
    end = next((i for i in range(most - begin) if first[-1 - i] != second[-1 - i]), most - begin)
    places = [(i, i) for i in range(begin)]
    matcher = SequenceMatcher(None, first[begin : len(first) - end], second[begin : len(second) - end], autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            places += [(begin + a0 + i, begin + b0 + i) for i in range(a1 - a0)]
        else:
            places += [(begin + i, -1) for i in range(a0, a1)]
            places += [(-1, begin + i) for i in range(b0, b1)]
    places += [(len(first) - i, len(second) - i) for i in range(end, 0, -1)]
    return np.array(places, dtype=np.int64).reshape(-1, 2)


def is_uncased(tokens: Tokens) -> bool:
    """Whether the tokenizer turned an upper-case letter of this text into a lower-case one."""
    for index in np.flatnonzero(tokens.segment >= 0):
        start, end = tokens.offsets[index]
        typed, label = tokens.texts[tokens.segment[index]][start:end], tokens.labels[index]
        if any(c.isupper() and c not in label and c.lower() in label for c in typed):
            return True
    return False


def _same_tokens(first: Side, second: Side) -> bool:
    return all(
        one.labels == other.labels and np.array_equal(one.special, other.special)
        for one, other in (
            (first.source.query_tokens, second.source.query_tokens),
            (first.source.key_tokens, second.source.key_tokens),
        )
    )


def _rows(side: Side, options: MapOptions) -> tuple[list[Row], list[Row]]:
    """What the rows and the columns of a side's map stand for."""
    groups = drawn_groups(side.cap, side.source, options)
    tokens = (side.source.query_tokens, side.source.key_tokens)
    return _read(tokens[0], groups[0]), _read(tokens[1], groups[1])


def _read(tokens: Tokens, groups: list[list[int]]) -> list[Row]:
    rows = []
    for group in groups:
        segment, special = int(tokens.segment[group[0]]), bool(tokens.special[group[0]])
        if segment < 0 and special:
            place = "begin" if group[0] == 0 else "later"
            rows.append(Row(tokens.labels[group[0]], True, place))
            continue
        start, end = tokens.offsets[group][:, 0].min(), tokens.offsets[group][:, 1].max()
        typed = tokens.texts[max(segment, 0)][start:end].strip()
        rows.append(Row(typed or tokens.labels[group[0]], special))
    return rows


def _aligned(first: list[Row], second: list[Row], merged: bool, ignore_case: bool) -> IntArray:
    if not merged:  # the same tokens, one by one
        return np.repeat(np.arange(len(first))[:, None], 2, axis=1)
    names = [[row.name(ignore_case) for row in rows] for rows in (first, second)]
    return align(names[0], names[1])


def _shares_a_word(places: IntArray, first: list[Row]) -> bool:
    """Whether anything but special tokens is on both sides (or anything, of those alone)."""
    common = [first[i] for i, j in places.tolist() if i >= 0 and j >= 0]
    if all(row.special for row in first):
        return bool(common)
    return any(not row.special for row in common)


def _labels(places: IntArray, first: list[Row], second: list[Row]) -> tuple[str, ...]:
    """How the aligned rows read, repeats numbered; both names where a match has two."""
    labels, special = [], []
    for i, j in places.tolist():
        row = first[i] if i >= 0 else second[j]
        other = second[j].text if i >= 0 and j >= 0 and row.special else row.text
        labels.append(row.text if row.text == other else f"{row.text} / {other}")
        special.append(row.special)
    return numbered(labels, special)


def placed(drawn: HeadMap, queries: IntArray, keys: IntArray) -> FloatArray:
    """A side's weights on the aligned tokens [Q, K]; NaN where it has none."""
    weights = np.where(drawn.allowed, drawn.weights.astype(float), np.nan)
    cells = weights[np.ix_(np.maximum(queries, 0), np.maximum(keys, 0))]
    return np.where(np.logical_and.outer(queries >= 0, keys >= 0), cells, np.nan)


def _difference(first: HeadMap, second: HeadMap, queries: IntArray, keys: IntArray) -> FloatArray:
    return placed(second, queries[:, 1], keys[:, 1]) - placed(first, queries[:, 0], keys[:, 0])


def _on_stacks(first: HeadMap, second: HeadMap) -> list[str]:
    if first.stack == second.stack:
        return []
    return [f"The first is the {first.stack} stack, the second the {second.stack} stack."]


def _on_words(rows: list[tuple[list[Row], list[Row]]], queries: IntArray, keys: IntArray) -> list[str]:
    """What was matched under two names, and what has no partner."""
    remarks = []
    alike = rows[0][0] == rows[0][1] and rows[1][0] == rows[1][1]
    axes = [(0, queries, "words")] if alike else [(0, queries, "queries"), (1, keys, "keys")]
    for axis, places, what in axes:
        first, second = rows[0][axis], rows[1][axis]
        pairs = [(first[i], second[j]) for i, j in places.tolist() if i >= 0 and j >= 0]
        renamed = {(a.text, b.text): None for a, b in pairs if a.special and a.text != b.text}
        remarks += [f"“{a}” is matched with “{b}”." for a, b in renamed]
        if any(a.text != b.text for a, b in pairs if not a.special):
            remarks.append("Upper and lower case are not told apart.")
        for side, which in ((0, "first"), (1, "second")):
            alone = [rows[side][axis][p[side]].text for p in places.tolist() if p[1 - side] < 0]
            remarks += _without_partner(alone, what, which)
    return list(dict.fromkeys(remarks))


def _without_partner(alone: list[str], what: str, which: str) -> list[str]:
    if not alone:
        return []
    listed = ", ".join(alone[:_NAMED])
    more = f" and {len(alone) - _NAMED:,} more" if len(alone) > _NAMED else ""
    one = what[:-1] if what != "queries" else "query"
    count = (
        f"1 {one} of the {which} text has" if len(alone) == 1 else (f"{len(alone):,} {what} of the {which} text have")
    )
    return [f"{count} no partner: {listed}{more}."]


def _on_truncation(first: HeadMap, second: HeadMap) -> list[str]:
    return [
        f"The {which} text is truncated: {drawn.source.truncation}."
        for which, drawn in (("first", first), ("second", second))
        if drawn.source.truncation
    ]


def _on_masks(first: HeadMap, second: HeadMap, queries: IntArray, keys: IntArray) -> list[str]:
    """How many cells only one side's mask forbids, and whose."""
    both = np.logical_and.outer((queries >= 0).all(axis=1), (keys >= 0).all(axis=1))
    masked = [
        both & np.isnan(placed(drawn, queries[:, side], keys[:, side])) for side, drawn in enumerate((first, second))
    ]
    remarks = []
    for here, there, drawn, which in (
        (masked[0], masked[1], first, "first"),
        (masked[1], masked[0], second, "second"),
    ):
        if count := int((here & ~there).sum()):
            kind = "causal mask" if drawn.causal else "mask"
            cells = "1 cell" if count == 1 else f"{count:,} cells"
            remarks.append(f"{cells} that only the {which}’s {kind} forbids: no difference.")
    return remarks


def comparison_facts(comparison: HeadComparison) -> str:
    """One line: the mean size of the difference, and where it is largest either way."""
    difference = comparison.difference
    if difference is None or np.isnan(difference).all():
        return "no cell in common"
    parts = [f"mean size of the difference {np.nanmean(np.abs(difference)):.3f}"]
    for place, sign in ((np.nanargmax(difference), 1), (np.nanargmin(difference), -1)):
        query, key = np.unravel_index(place, difference.shape)
        value = difference[query, key]
        if value * sign > 0:
            where = f"{comparison.queries[query]} → {comparison.keys[key]}"
            parts.append(f"{'most' if sign > 0 else 'least'} {value:+.3f} at {where}")
    return " · ".join(parts)

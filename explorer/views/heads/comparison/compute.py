"""Two heads, texts or models: their maps aligned, and the difference between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import BoolArray, CapturedText, FloatArray, HeadComparison, HeadMap, IntArray, MapOptions, Tokens
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.text.tokens import numbered
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.heatmap.compute import AS_CAPTURED, head_map, options_of, token_groups

_MOST_LISTED = 8  # words that a remark lists before it counts the rest


@dataclass(frozen=True)
class Side:
    """One side of the comparison; ``stack`` None means the only or first one."""

    cap: CapturedText
    layer: int
    head: int
    stack: str | None = None

    @property
    def tokens(self) -> tuple[Tokens, Tokens]:
        """The queries and the keys of its head."""
        source = self.cap.stack(self.stack)
        return source.query_tokens, source.key_tokens


@dataclass(frozen=True)
class Row:
    """The text of a row or column of a map, and whether it is a special token.

    ``place`` is "begin" or "later" for a special token that the tokenizer added.
    """

    text: str
    special: bool = False
    place: str = ""

    def match_key(self, ignore_case: bool) -> tuple[str, str]:
        """A key that two rows share if they are the same word."""
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
    """The text, layer and head that the chosen head is compared with.

    If all its settings are empty, it is the next head (the next layer for several heads together), so
    that the view opens on a difference. Another text is read without the first one's second text and target.

    Raises:
        ValueError: a layer or head that is not a number.
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


def _number(text: str, default: int) -> int:
    if text and not text.isdecimal():
        raise ValueError(f"{text[:40]} is not a layer or head: give a number, counted from 0")
    return int(text) if text else default


def compare_heads(first: Side, second: Side, options: MapOptions = AS_CAPTURED) -> HeadComparison:
    """Two maps and the second minus the first, on the tokens of both.

    If the tokens differ, both maps are merged to words (sum over a key's pieces, mean over
    a query's) and aligned: words in common stay in reading order, longest runs first
    (``difflib``); case is ignored if one of the tokenizers ignores it. Special tokens that
    a tokenizer added are matched by place: the first of the text, or a later one. A cell that only
    one side has, or that one side's mask forbids, has no difference. The part in ``options`` is
    ignored unless both sides have a second text.

    Raises:
        ValueError: a stack, layer or head that a side does not have.
    """
    sides = (first, second)
    paired = all(side.cap.pair is not None for side in sides)
    merged = options.words or not _same_tokens(first, second)
    applied = replace(options, words=merged, part=options.part if paired else "all")
    one, other = (head_map(side.cap, side.layer, side.head, side.stack, applied) for side in sides)
    rows = [_rows(side, applied) for side in sides]
    ignore_case = merged and any(is_uncased(tokens) for side in sides for tokens in side.tokens)
    queries, keys = (_aligned(rows[0][axis], rows[1][axis], merged, ignore_case) for axis in (0, 1))
    shared = _shares_a_word(queries, rows[0][0]) and _shares_a_word(keys, rows[0][1])
    remarks = []
    if one.stack != other.stack:
        remarks.append(f"The first is the {one.stack} stack, the second the {other.stack} stack.")
    for which, side_map in (("first", one), ("second", other)):
        if side_map.source.truncation:
            remarks.append(f"The {which} text is truncated: {side_map.source.truncation}.")
    if merged and not options.words:
        remarks.append(
            "The tokens differ, so both maps are merged to words: summed over a key’s pieces, averaged over a query’s."
        )
    remarks += _on_words(rows, queries, keys)
    difference = placed(other, queries[:, 1], keys[:, 1]) - placed(one, queries[:, 0], keys[:, 0]) if shared else None
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
        difference=difference,
        remarks=tuple(remarks),
    )


def align(first: Sequence[object], second: Sequence[object]) -> IntArray:
    """Two sequences in one order: the index of each item in the first and the second [n, 2].

    It is -1 if that sequence does not have the item. Items only of the first come before items only
    of the second.
    """
    most = min(len(first), len(second))
    # A common beginning and end need no search, which is slow for items that repeat a lot.
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
        for one, other in zip(first.tokens, second.tokens, strict=True)
    )


def _rows(side: Side, options: MapOptions) -> list[list[Row]]:
    """The rows and the columns of a side's map."""
    groups = token_groups(side.cap, side.cap.stack(side.stack), options)
    return [_rows_of(*axis) for axis in zip(side.tokens, groups, strict=True)]


def _rows_of(tokens: Tokens, groups: list[list[int]]) -> list[Row]:
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
    return align(*([row.match_key(ignore_case) for row in rows] for rows in (first, second)))


def _shares_a_word(places: IntArray, first: list[Row]) -> bool:
    """Whether both sides share a token that is not special (any token, if all are special)."""
    common = [first[i] for i, j in places.tolist() if i >= 0 and j >= 0]
    if all(row.special for row in first):
        return bool(common)
    return any(not row.special for row in common)


def _labels(places: IntArray, first: list[Row], second: list[Row]) -> tuple[str, ...]:
    """The labels of the aligned rows, repeats numbered; both texts of a match whose texts differ."""
    labels, special = [], []
    for i, j in places.tolist():
        row = first[i] if i >= 0 else second[j]
        other = second[j].text if i >= 0 and j >= 0 and row.special else row.text
        labels.append(row.text if row.text == other else f"{row.text} / {other}")
        special.append(row.special)
    return numbered(labels, special)


def placed(side: HeadMap, queries: IntArray, keys: IntArray) -> FloatArray:
    """A side's weights on the aligned tokens [Q, K]; NaN for cells that it lacks."""
    weights = np.where(side.allowed, side.weights.astype(float), np.nan)
    cells = weights[np.ix_(np.maximum(queries, 0), np.maximum(keys, 0))]
    return np.where(np.logical_and.outer(queries >= 0, keys >= 0), cells, np.nan)


def on_both_sides(queries: IntArray, keys: IntArray) -> BoolArray:
    """Which aligned cells [Q, K] have a query and a key on both sides."""
    return np.logical_and.outer((queries >= 0).all(axis=1), (keys >= 0).all(axis=1))


def _on_words(rows: list[list[list[Row]]], queries: IntArray, keys: IntArray) -> list[str]:
    """Remarks on words that match under two spellings, and on words without a partner."""
    remarks = []
    same_axes = rows[0][0] == rows[0][1] and rows[1][0] == rows[1][1]
    axes = [(0, queries, "words")] if same_axes else [(0, queries, "queries"), (1, keys, "keys")]
    for axis, places, kind in axes:
        first, second = rows[0][axis], rows[1][axis]
        pairs = [(first[i], second[j]) for i, j in places.tolist() if i >= 0 and j >= 0]
        renamed = {(a.text, b.text): None for a, b in pairs if a.special and a.text != b.text}
        remarks += [f"“{a}” is matched with “{b}”." for a, b in renamed]
        if any(a.text != b.text for a, b in pairs if not a.special):
            remarks.append("Upper and lower case are treated as the same.")
        for side, which in ((0, "first"), (1, "second")):
            if alone := [rows[side][axis][p[side]].text for p in places.tolist() if p[1 - side] < 0]:
                listed = ", ".join(alone[:_MOST_LISTED])
                more = f" and {len(alone) - _MOST_LISTED:,} more" if len(alone) > _MOST_LISTED else ""
                count = _count(len(alone), "query" if kind == "queries" else kind[:-1], kind)
                verb = "has" if len(alone) == 1 else "have"
                remarks.append(f"{count} of the {which} text {verb} no partner: {listed}{more}.")
    return list(dict.fromkeys(remarks))


def _on_masks(first: HeadMap, second: HeadMap, queries: IntArray, keys: IntArray) -> list[str]:
    """How many cells only one side's mask forbids, and whose."""
    both, sides = on_both_sides(queries, keys), (first, second)
    masked = [both & np.isnan(placed(side, queries[:, i], keys[:, i])) for i, side in enumerate(sides)]
    remarks = []
    for i, which in enumerate(("first", "second")):
        if count := int((masked[i] & ~masked[1 - i]).sum()):
            mask = "causal mask" if sides[i].causal else "mask"
            remarks.append(f"{_count(count, 'cell', 'cells')} that only the {which}’s {mask} forbids: no difference.")
    return remarks


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"


def comparison_facts(comparison: HeadComparison) -> str:
    """One line: the mean absolute difference, and its largest and smallest cell."""
    difference = comparison.difference
    if difference is None or np.isnan(difference).all():
        return "no cell in common"
    parts = [f"mean absolute difference {np.nanmean(np.abs(difference)):.3f}"]
    for name, place, sign in (("most", np.nanargmax(difference), 1), ("least", np.nanargmin(difference), -1)):
        query, key = np.unravel_index(place, difference.shape)
        value = difference[query, key]
        if value * sign > 0:
            parts.append(f"{name} {value:+.3f} at {comparison.queries[query]} → {comparison.keys[key]}")
    return " · ".join(parts)

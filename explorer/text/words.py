"""Words in a text, and their tokens."""

from __future__ import annotations

from unicodedata import is_normalized, normalize

import numpy as np
import regex

from explorer.records import FloatArray, Tokens
from explorer.text.tokens import numbered

# Letters, digits and their combining marks, joined by an apostrophe; or one other character.
_WORD = regex.compile(r"[\w\p{M}\u200c\u200d]+(?:['’][\w\p{M}]+)*|\S")


def word_groups(tokens: Tokens) -> list[list[int]]:
    """Token indices grouped into words by character offsets, in reading order.

    A token without characters in the text, such as a special one, is its own group.
    """
    starts = [np.array([m.start() for m in _WORD.finditer(text)]) for text in tokens.texts]
    groups: list[list[int]] = []
    previous = None
    for index in range(len(tokens)):
        word = _word_of(tokens, index, starts)
        if word is not None and word == previous:
            groups[-1].append(index)
        else:
            groups.append([index])
        previous = word
    return groups


def _word_of(tokens: Tokens, index: int, starts: list[np.ndarray]) -> tuple[int, int] | None:
    """Segment and number of the word in which a token begins."""
    segment, (start, end) = int(tokens.segment[index]), tokens.offsets[index]
    if segment < 0 or start == end:
        return None
    covered = tokens.texts[segment][start:end]
    first = int(start) + len(covered) - len(covered.lstrip())
    return segment, int(np.searchsorted(starts[segment], first, side="right"))


def word_labels(tokens: Tokens, groups: list[list[int]]) -> tuple[str, ...]:
    """Labels of the groups: the words as typed, repeats numbered."""
    labels = [_group_text(tokens, group) for group in groups]
    return numbered(labels, [bool(tokens.special[group[0]]) for group in groups])


def _group_text(tokens: Tokens, group: list[int]) -> str:
    segment = int(tokens.segment[group[0]])
    typed = ""
    if segment >= 0:
        start, end = tokens.offsets[group][:, 0].min(), tokens.offsets[group][:, 1].max()
        typed = tokens.texts[segment][start:end].strip()
    return typed if typed and typed.isprintable() else tokens.labels[group[0]]


def merge_words(weights: FloatArray, query_groups: list[list[int]], key_groups: list[list[int]]) -> FloatArray:
    """Attention between words [Q', K']: sum over a key's pieces, mean over a query's (Clark et al. 2019)."""
    summed = np.stack([weights[:, group].sum(axis=1) for group in key_groups], axis=1)
    return np.stack([summed[group].mean(axis=0) for group in query_groups])


def find_word(text: str, word: str, match_case: bool = False, inside: bool = False) -> list[tuple[int, int]]:
    """Start and end of each occurrence of ``word`` in ``text``.

    As a whole word, or with ``inside`` in longer ones too. An accent is found in either Unicode
    form, as one character with its letter or as two.
    """
    flags = 0 if match_case else regex.IGNORECASE
    pattern = regex.escape(normalize("NFC", word.strip()))
    if not inside:
        pattern = rf"(?<![\w\p{{M}}]){pattern}(?![\w\p{{M}}])"
    composed, spans = _composed(text)
    return [
        (spans[match.start()][0], spans[match.end() - 1][1])
        for match in regex.finditer(pattern, composed, flags=flags)
        if match.end() > match.start()
    ]


def _composed(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Text with accents composed (NFC), and the span in ``text`` of each of its characters."""
    if is_normalized("NFC", text):
        return text, [(i, i + 1) for i in range(len(text))]
    composed, spans = [], []
    for cluster in regex.finditer(r"\X", text):
        composed.append(normalize("NFC", cluster[0]))
        if composed[-1] == cluster[0]:
            spans += [(i, i + 1) for i in range(*cluster.span())]
        else:
            spans += [cluster.span()] * len(composed[-1])
    return "".join(composed), spans


def pieces_of(tokens: Tokens, span: tuple[int, int]) -> list[int]:
    """Indices of the tokens of the first text that overlap ``span``."""
    start, end = span
    text = tokens.texts[0]
    found = []
    for index in np.flatnonzero(tokens.segment == 0):
        a, b = (int(x) for x in tokens.offsets[index])
        a += len(text[a:b]) - len(text[a:b].lstrip())
        if a < end and b > start:
            found.append(int(index))
    return found

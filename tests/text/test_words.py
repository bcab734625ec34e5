"""Words in a text and the tokens they are made of, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.text.words import find_word, merge_words, pieces_of, word_groups, word_labels
from tests.captures_by_hand import paired, tokens


def test_pieces_are_grouped_by_the_word_they_begin_in() -> None:
    of = tokens("Unbelievable apples.", "[CLS]", "Un", "believ", "able", "apples", ".", "[SEP]")
    groups = word_groups(of)
    assert groups == [[0], [1, 2, 3], [4], [5], [6]]
    assert word_labels(of, groups) == ("[CLS]", "Unbelievable", "apples", ".", "[SEP]")


def test_a_space_inside_a_token_belongs_to_no_word() -> None:
    """Byte-level BPE writes the space before a word into its first token."""
    of = tokens("an apple", ("an", 0, 2), (" ap", 2, 5), ("ple", 5, 8))
    assert word_groups(of) == [[0], [1, 2]]
    assert word_labels(of, word_groups(of)) == ("an", "apple")


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("don't stop", ("don", "'", "t", "stop"), ("don't", "stop")),
        ("well-known", ("well", "-", "known"), ("well", "-", "known")),
        ("Wait...", ("Wait", ".", ".", "."), ("Wait", ".·1", ".·2", ".·3")),
        ("the cat the", ("the", "c", "at", "the"), ("the·1", "cat", "the·2")),
        ("cafe\u0301 ok", ("cafe", "\u0301", "ok"), ("cafe\u0301", "ok")),
        ("a<b>", ("a", "<", "b", ">"), ("a", "<", "b", ">")),
        ("שלום עולם", ("שלו", "ם", "עולם"), ("שלום", "עולם")),
    ],
)
def test_what_a_word_is(text: str, pieces: tuple[str, ...], expected: tuple[str, ...]) -> None:
    of = tokens(text, *pieces)
    assert word_labels(of, word_groups(of)) == expected


def test_the_bytes_of_one_character_are_one_word() -> None:
    of = tokens("hi 🍎", ("hi", 0, 2), ("\ufffd", 3, 4), ("\ufffd", 3, 4), ("\ufffd", 3, 4))
    assert word_groups(of) == [[0], [1, 2, 3]]
    assert word_labels(of, word_groups(of)) == ("hi", "🍎")


def test_words_of_a_pair_do_not_run_into_each_other() -> None:
    of = paired(tokens("ab", "ab"), tokens("ab cd", "ab", "cd"))
    assert word_groups(of) == [[0], [1], [2]]


def test_merging_sums_keys_and_averages_queries() -> None:
    weights = np.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5], [0.2, 0.3, 0.5]])
    merged = merge_words(weights, [[0], [1, 2]], [[0], [1, 2]])
    np.testing.assert_allclose(merged, [[0.5, 0.5], [0.1, 0.9]], atol=1e-15)


@pytest.mark.parametrize(
    ("text", "word", "spans"),
    [
        ("Apple ate an apple.", "apple", [(0, 5), (13, 18)]),
        ("pineapple apples", "apple", []),
        ("the apple's core", "apple", [(4, 9)]),
        ("apple_pie apple2", "apple", []),
        ("C++ and C", "C++", [(0, 3)]),
        ("a.b axb", "a.b", [(0, 3)]),
        ("ΟΔΟΣ και οδος", "οδος", [(0, 4), (9, 13)]),
        ("Élan élan elan", "élan", [(0, 4), (5, 9)]),
        ("New York, new york", "new york", [(0, 8), (10, 18)]),
        ("an apple", "  apple ", [(3, 8)]),
        ("un cafe\u0301 noir", "caf\u00e9", [(3, 8)]),
        ("un caf\u00e9 noir", "cafe\u0301", [(3, 7)]),
        ("cafe\u0301 et cafe\u0301s, caf\u00e9", "cafe\u0301", [(0, 5), (17, 21)]),
        ("cafe\u0301", "cafe", []),
        ("\u1112\u1161\u11ab \ud55c", "\ud55c", [(0, 3), (4, 5)]),
        ("e\u0301 a\u0301pple apple", "apple", [(10, 15)]),
        ("an apple", "", []),
    ],
)
def test_whole_words_are_found(text: str, word: str, spans: list[tuple[int, int]]) -> None:
    assert find_word(text, word) == spans


def test_case_can_be_matched() -> None:
    assert find_word("Apple ate an apple.", "Apple", match_case=True) == [(0, 5)]


def test_pieces_of_a_span() -> None:
    of = tokens("an unapple a", "[CLS]", "an", ("un", 3, 5), ("apple", 5, 10), "a", "[SEP]")
    assert pieces_of(of, (3, 10)) == [2, 3]
    assert pieces_of(of, (0, 2)) == [1]
    spaced = tokens("an apple", ("an", 0, 2), (" apple", 2, 8))
    assert pieces_of(spaced, (0, 2)) == [0]
    assert pieces_of(spaced, (3, 8)) == [1]


def test_pieces_are_those_of_the_first_text() -> None:
    of = paired(tokens("an apple", "an", "apple"), tokens("an apple", "an", "apple"))
    assert pieces_of(of, (3, 8)) == [1]

"""What is said of a set whose word stands elsewhere in one sense than in another, by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import explorer
from explorer.capture.capture import capture
from explorer.records import StudyOptions, WordStudy
from explorer.text.example_sets import EXAMPLE_SETS
from explorer.views.embeddings.balance import context_note, position_note, set_notes
from explorer.views.embeddings.study import word_study
from tests.captures_by_hand import HandCapture, reading, tokens

INSIDE = StudyOptions(inside=True)  # Chinese has no spaces between words


def made(*rows: tuple[str, str], causal: bool = False, **options: bool) -> WordStudy:
    """A study of sentences whose tokens are their words."""

    def read(text: str) -> HandCapture:
        of = tokens(text, *text.split())
        ones = np.ones((2, len(of), 3))
        return reading(of, np.eye(len(of)), causal, hidden=ones, static=ones[0])

    return word_study(read, rows, "apple", StudyOptions(**options))


def at(sense: str, *positions: int) -> list[tuple[str, str]]:
    """Sentences of a sense with the word at these tokens."""
    return [(sense, " ".join([*["so"] * place, "apple", "fell"])) for place in positions]


@pytest.mark.parametrize(
    "rows", [[*at("a", 1, 4, 2), *at("b", 4, 2, 1)], at("a", 1, 4, 2), [*at("a", 1, 2), *at("b", 2, 1), *at("", 1, 2)]]
)
def test_the_same_positions_are_balanced(rows: list[tuple[str, str]]) -> None:
    assert position_note(made(*rows)) is None


def test_positions_that_part_the_senses() -> None:
    """Every assignment of ten places to two senses of five, counted."""
    first, second = (0, 1, 1, 2, 3), (5, 6, 7, 7, 9)
    note = position_note(made(*at("fruit", *first), *at("company", *second)))
    assert note is not None
    assert note.startswith("the position of “apple” differs between the senses (mean token: fruit 1.4, company 6.8; p")
    assert note.endswith("position alone can separate these senses")
    places = np.array(first + second)
    apart = [
        abs(places[list(chosen)].mean() - np.delete(places, chosen).mean()) for chosen in combinations(range(10), 5)
    ]
    exact = np.mean(np.array(apart) >= 5.4 - 1e-9)
    told = float(note.split("p = ")[1].split(" ")[0])
    assert told == pytest.approx(exact, abs=0.006)


def test_positions_that_differ_by_chance() -> None:
    note = position_note(made(*at("a", 1, 2, 3, 6), *at("b", 1, 2, 4, 6)))
    assert note is not None
    assert "mean token: a 3.0, b 3.2" in note
    assert note.endswith("labels drawn at random differ as much, yet the set is not balanced")


def test_other_positions_of_the_same_mean_are_not_balanced() -> None:
    note = position_note(made(*at("a", 1, 3), *at("b", 2, 2)))
    assert note is not None
    assert "mean token: a 2.0, b 2.0; p = 1 by" in note


def test_what_a_causal_model_has_not_read_is_said() -> None:
    rows = [*at("a", 0, 3), *at("b", 3, 2)]
    note = context_note(made(*rows, causal=True))
    assert note is not None
    assert note.startswith("in sentences 1 and 4 fewer than 3 tokens stand before “apple”, or far")
    assert context_note(made(*rows)) is None
    assert context_note(made(*rows, causal=True, echo=True)) is None
    assert context_note(made(*at("a", 3, 4), causal=True)) is None


@pytest.mark.parametrize(
    ("before", "after", "noted"),
    [(3, 4, False), (3, 5, True), (6, 9, False), (6, 10, True), (2, 1, True), (2, 0, False)],
)
def test_context_after_the_word_is_held_against_that_before(before: int, after: int, noted: bool) -> None:
    sentence = " ".join([*["so"] * before, "apple", *["so"] * after])
    assert (context_note(made(("a", sentence), causal=True)) is not None) == noted


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("apple", "Yesterday I bought apple, then peeled and ate it."),
        ("apple", "Now they sell apple on every phone, laptop and watch in the world."),
        ("苹果", "苹果公司发布了新手机"),
    ],
)
def test_a_causal_model_is_told_of_what_comes_after(word: str, sentence: str, smollm2: explorer.LoadedModel) -> None:
    study = word_study(lambda text: capture(smollm2, text), [("a", sentence)], word, INSIDE)
    note = context_note(study)
    assert note is not None
    assert note.startswith("in sentence 1 fewer than 3 tokens stand before")


def test_context_before_the_word_needs_no_note(smollm2: explorer.LoadedModel) -> None:
    """A ready set, and a Chinese sentence whose word stands last."""
    chinese = [("a", "昨天她在公园里吃了一个红色的苹果。")]
    for rows, word in [(EXAMPLE_SETS["apple"].rows, "apple"), (chinese, "苹果")]:
        study = word_study(lambda text: capture(smollm2, text), rows, word, INSIDE)
        assert context_note(study) is None


@pytest.mark.parametrize("name", EXAMPLE_SETS)
def test_every_ready_set_has_its_context_before_the_word(name: str, smollm2: explorer.LoadedModel) -> None:
    """Counted by the tokenizer alone: three tokens before, and not half as many again after."""
    word = EXAMPLE_SETS[name].word
    for _, sentence in EXAMPLE_SETS[name].rows:
        start = sentence.lower().index(word)
        spans = smollm2.tokenizer(sentence, return_offsets_mapping=True)["offset_mapping"]
        before = sum(end <= start for _, end in spans)
        after = sum(begin >= start + len(word) for begin, _ in spans)
        assert before >= 3
        assert after <= 1.5 * before


def test_all_notes_in_order() -> None:
    position, context = set_notes(made(*at("a", 0), *at("b", 5), causal=True))
    assert position.startswith("the position")
    assert context.startswith("in sentence 1 fewer")

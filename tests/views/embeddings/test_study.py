"""A word study's options and remarks, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.measures.by_layer import CONTEXT_MEASURES
from explorer.records import StudyOptions
from explorer.views.embeddings.study import word_study
from tests.captures_by_hand import HandCapture, reading, tokens


def split(text: str) -> HandCapture:
    """A capture of a text whose tokens are its words, between special ones.

    A vector holds layer, place and length of its token; a static one the length only.
    """
    of = tokens(text, "[CLS]", *text.split(), "[SEP]")
    lengths = np.array([len(label) for label in of.labels], dtype=float)
    places = np.arange(len(of), dtype=float)
    hidden = np.stack([np.stack([np.full(len(of), layer), places, lengths], axis=1) for layer in (0.0, 1.0)])
    static = np.stack([0 * lengths, 0 * lengths, lengths], axis=1)
    return reading(of, np.eye(len(of)), hidden=hidden, static=static)


def places(word: str, *sentences: str, **options: object) -> list[tuple[int, int, int]]:
    """Sentence, which place of the word there, and its token, of each occurrence."""
    study = word_study(split, [("s", s) for s in sentences], word, StudyOptions(**options))  # type: ignore[arg-type]
    return [(o.sentence, o.occurrence, o.position) for o in study.occurrences]


def test_inside_longer_words_only_when_asked() -> None:
    sentences = ("a pineapple and an apple", "two apples")
    assert places("apple", *sentences) == [(0, 0, 5)]
    assert places("apple", *sentences, inside=True) == [(0, 0, 2), (0, 1, 5), (1, 0, 2)]
    study = word_study(split, [("", s) for s in sentences], "apple", StudyOptions(inside=True))
    assert study.remarks[-1] == ("“apple” is part of a longer token in sentences 1 and 2: that one is shown")


@pytest.mark.parametrize(
    ("which", "found", "said"),
    [
        ("all", [(0, 0, 1), (0, 1, 3), (1, 0, 2)], "each place is a point of its own"),
        ("first", [(0, 0, 1), (1, 0, 2)], "the first place is taken"),
        ("last", [(0, 1, 3), (1, 0, 2)], "the last place is taken"),
    ],
)
def test_which_of_several_places(which: str, found: list[tuple[int, int, int]], said: str) -> None:
    sentences = ("apple and Apple", "an apple")
    assert places("apple", *sentences, which=which) == found
    study = word_study(split, [("", s) for s in sentences], "apple", StudyOptions(which=which))
    assert study.remarks == (f"“apple” stands in sentence 1 more than once: {said}",)


def test_another_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown choice 'second': use all, first, last"):
        places("apple", "an apple", which="second")


def test_an_anchor_is_read_in_a_sentence_of_its_own() -> None:
    options = StudyOptions(anchors=("pear", "New York"))
    study = word_study(split, [("", "an apple")], "apple", options)
    pear, york = study.anchors
    assert (pear.word, pear.text) == ("pear", "The word is pear.")
    # "pear." is the fourth word, after [CLS]; "New York." two tokens, averaged.
    np.testing.assert_array_equal(pear.contextual, [[0, 4, 5], [1, 4, 5]])
    np.testing.assert_array_equal(pear.static, [0, 0, 5])
    np.testing.assert_array_equal(york.contextual, [[0, 4.5, 4], [1, 4.5, 4]])


def test_an_anchor_of_the_carriers_own_words_is_read_where_it_is_put_in() -> None:
    """ "The word is …" holds these itself; they are the fourth token, after [CLS]."""
    anchors = ("word", "is", "The", "or")
    study = word_study(split, [("", "an apple")], "apple", StudyOptions(anchors=anchors))
    assert [anchor.contextual[0, 1] for anchor in study.anchors] == [4] * 4


def test_the_sample_holds_other_tokens_and_no_special_ones() -> None:
    study = word_study(split, [("", "an apple fell"), ("", "no pear"), ("", "my apple")], "apple")
    assert study.sample.labels == ("an", "fell", "my")
    assert study.sample.sentences.tolist() == [0, 0, 2]
    np.testing.assert_array_equal(study.sample.vectors[1], [[1, 1, 2], [1, 3, 4], [1, 1, 2]])
    np.testing.assert_array_equal(study.sample.static[:, 2], [2, 4, 2])


def test_the_sample_is_evenly_taken() -> None:
    """Of 200 sentences it would be three tokens each to keep 600, but it is four at least."""
    long = "apple " + " ".join(f"w{i}" for i in range(16))
    study = word_study(split, [("", long)] * 200, "apple")
    assert study.sample.labels[:4] == ("w0", "w4", "w8", "w12")
    assert np.bincount(study.sample.sentences).tolist() == [4] * 200
    few = word_study(split, [("", long)] * 150, "apple")
    assert len(few.sample.labels) == 600
    assert CONTEXT_MEASURES["anisotropy"].formula.endswith(
        "sentences: 600 at most, or 4 of each where there are more than 150 sentences)"
    )


def test_intra_sentence_similarity_leaves_special_tokens_out() -> None:
    study = word_study(split, [("", "an apple")], "apple")
    first, second = np.array([0.0, 1, 2]), np.array([0.0, 2, 5])
    mean = (first + second) / 2
    cosines = [v @ mean / np.linalg.norm(v) / np.linalg.norm(mean) for v in (first, second)]
    np.testing.assert_allclose(study.intra_sentence[0], [np.mean(cosines)])


def test_an_echoed_sentence_is_read_twice_and_its_second_copy_taken() -> None:
    """The other tokens are those of the second copy, too."""
    assert places("apple", "the apple fell", echo=True) == [(0, 0, 5)]
    rows = [("a", "the apple fell"), ("b", "apple and apple")]
    study = word_study(split, rows, "apple", StudyOptions(echo=True))
    assert study.occurrences[0].text == "the apple fell the apple fell"
    assert [o.position for o in study.occurrences] == [5, 4, 6]
    assert study.sentences == tuple(rows)
    assert study.sample.labels == ("the", "fell", "and")
    np.testing.assert_array_equal(study.sample.vectors[0, :, 1], [4, 6, 5])
    assert study.remarks[-1].startswith("every sentence was read twice and “apple” taken from")


@pytest.mark.parametrize(
    ("word", "options", "said"),
    [
        ("pear", {}, "“pear” is in none of the 3 sentences: it is looked for as a whole word"),
        ("pine", {}, "as a whole word; 2 hold it inside longer words"),
        ("Tree", {"match_case": True}, "as a whole word; 1 hold it in any case"),
        ("pear", {"inside": True}, "it is looked for anywhere in a word"),
    ],
)
def test_a_word_in_no_sentence(word: str, options: dict[str, bool], said: str) -> None:
    rows = [("", s) for s in ("a pineapple", "pines", "a tree")]
    with pytest.raises(ValueError, match=said) as refused:
        word_study(split, rows, word, StudyOptions(**options))
    assert str(refused.value).endswith(said)


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (1, "sentence 2 does not hold “apple” and is left out"),
        (3, "sentences 2, 3 and 4 do not hold “apple” and are left out"),
        (9, "sentences 2, 3, 4, 5, 6, 7 and 3 more do not hold “apple” and are left out"),
    ],
)
def test_many_sentences_without_it_are_one_remark(absent: int, said: str) -> None:
    study = word_study(split, [("", "an apple"), *[("", "a pear")] * absent], "apple")
    assert study.remarks == (said,)


def test_a_sentence_that_cannot_be_read_is_numbered() -> None:
    def read(sentence: str) -> HandCapture:
        if "long" in sentence:
            raise ValueError("the text has 602 tokens; this model reads at most 512")
        return split(sentence)

    with pytest.raises(ValueError, match=r"^sentence 2: the text has 602 tokens"):
        word_study(read, [("", "an apple"), ("", "a long apple")], "apple")


@pytest.mark.parametrize("rows", [[("a", "an apple")], [("a", "an apple")] * 5])
def test_one_sentence_and_equal_ones(rows: list[tuple[str, str]]) -> None:
    study = word_study(split, rows, "apple")
    assert study.contextual.shape == (2, len(rows), 3)
    assert np.ptp(study.contextual, axis=1).max() == 0

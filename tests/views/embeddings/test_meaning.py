"""What a word means now, as it is chosen, drawn and saved; readings worked by hand."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from explorer.records import Meaning, NearestWords, Occurrence, Reading, TokenSample, WordStudy
from explorer.views.embeddings.meaning.compute import members, places
from explorer.views.embeddings.meaning.data import table as meaning_table
from explorer.views.embeddings.meaning.figure import meaning_caption, meaning_figure, panel_height


def _study() -> WordStudy:
    rows = (("fruit", "a ripe apple"), ("firm", "the apple shop"), ("fruit", "an apple"))
    return WordStudy(
        model="plain",
        revision=None,
        word="apple",
        sentences=rows,
        occurrences=tuple(
            Occurrence(number, 0, sense, text, (0, 1), 1, 1) for number, (sense, text) in enumerate(rows)
        ),
        contextual=np.ones((3, 3, 2)),
        static=np.ones((3, 2)),
        sample=TokenSample(np.ones((3, 0, 2)), np.ones((0, 2)), (), np.zeros(0, int)),
        intra_sentence=np.ones((3, 3)),
        sentence_tokens=np.full(3, 3),
    )


def _meaning(head: str = "next", following: str | None = "pie") -> Meaning:
    return Meaning(
        model="plain",
        revision=None,
        word="apple",
        place="sentence 1: a ripe apple pie.",
        nearest=NearestWords(("apple", "pear"), np.array([5, 9]), np.array([1.0, 0.5]), np.array([True, False])),
        reading=Reading(
            head=head,
            n_words=100,
            labels=(("apple", "<b>"), ("pie", "tree")),
            ids=np.array([[5, 7], [6, 8]]),
            values=np.array([[0.64, 0.16], [0.25, 0.09]]),
            own="apple",
            own_id=5,
            own_values=np.array([0.64, 0.01]),
            own_ranks=np.array([1, 30]),
            following=following,
            following_ranks=None if following is None else np.array([12, 1]),
        ),
        remarks=("a remark",),
    )


def test_each_occurrence_and_each_senses_mean_can_be_chosen() -> None:
    named = places(_study())
    assert named == {
        "0": "1 · a ripe apple",
        "1": "2 · the apple shop",
        "2": "3 · an apple",
        "sense:fruit": "mean of 2 · fruit",
    }
    assert members(_study(), "1") == (1,)
    assert members(_study(), "sense:fruit") == (0, 2)
    assert members(_study(), "sense:firm") == (0,)  # no such choice
    assert members(_study(), "7") == (0,)


def test_words_are_drawn_layers_down_and_the_own_one_bold() -> None:
    figure = meaning_figure(_meaning(), layer=9)
    static, words, own, following = figure.data
    assert [list(row) for row in words.text] == [["<b>apple</b>", "&lt;b&gt;"], ["pie", "tree"]]
    np.testing.assert_allclose(words.z, [[0.8, 0.4], [0.5, 0.3]])  # roots of the probabilities
    assert list(words.colorbar.ticktext) == ["0", "0.05", "0.25", "0.5", "1"]
    assert "layer 1 · number 1<br>“pie” (token 6)<br>probability 0.25" in words.customdata[1]
    assert static.text[0][0].startswith("<b>apple</b>")
    assert list(static.z[0]) == [1.0, 0.5]
    assert (list(own.x), list(own.y), own.name) == ([1, 30], [0, 1], "“apple” itself")
    assert (list(following.x), following.name) == ([12, 1], "what comes next, “pie”")
    (frame,) = figure.layout.shapes
    assert (frame.y0, frame.y1) == (0.5, 1.5)  # the last layer there is


def test_more_layers_need_more_room() -> None:
    shown = _meaning()
    deeper = Reading(**{**vars(shown.reading), "labels": shown.reading.labels * 4})
    assert panel_height(Meaning(**{**vars(shown), "reading": deeper})) > panel_height(shown)


@pytest.mark.parametrize(
    ("head", "title", "said"),
    [
        ("next", "what comes next", "final norm and unembedding (logit lens, nostalgebraist 2020)"),
        ("masked", "what it means now", "own masked-language-model head"),
        ("static", "what it means now", "Read by static vectors, with no part of the model"),
    ],
)
def test_the_caption_says_what_reads(head: str, title: str, said: str) -> None:
    shown = _meaning(head, None)
    assert meaning_figure(shown, "dark").layout.title.text == f"“apple” in plain · {title}"
    caption = meaning_caption(shown)
    assert caption.startswith("“apple” in plain, sentence 1: a ripe apple pie. ")
    assert said in caption
    assert caption.endswith("A remark.")


def test_a_row_a_word_is_saved() -> None:
    rows = list(csv.DictReader(io.StringIO(meaning_table(_meaning()).csv())))
    assert [tuple(row.values()) for row in rows] == [
        ("", "static", "1", "apple", "5", "1.0"),
        ("", "static", "2", "pear", "9", "0.5"),
        ("0", "next", "1", "apple", "5", "0.64"),
        ("0", "next", "2", "<b>", "7", "0.16"),
        ("0", "next: following", "12", "pie", "", ""),
        ("0", "next: own", "1", "apple", "5", "0.64"),
        ("1", "next", "1", "pie", "6", "0.25"),
        ("1", "next", "2", "tree", "8", "0.09"),
        ("1", "next: following", "1", "pie", "", ""),
        ("1", "next: own", "30", "apple", "5", "0.01"),
    ]

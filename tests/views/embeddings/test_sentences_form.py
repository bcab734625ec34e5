"""The form of the Embeddings page: what it asks for, and what it reads of a file."""

from __future__ import annotations

import base64

import pytest

from explorer.records import StudyOptions
from explorer.session.requests import EXAMPLE_ANCHORS, StudyRequest, WordRequest
from explorer.views.embeddings.sentences_panel import FORM, in_fields, layout, request_from, uploaded


def sent(data: bytes) -> str:
    """A file as the browser sends it."""
    return f"data:text/csv;base64,{base64.b64encode(data).decode()}"


def test_fields_become_a_request() -> None:
    request = request_from("minilm", " apple ", "a | An apple.\n\nApple", True, False, "last", True, "pear, fig,")
    assert request == {
        "model": "minilm",
        "word": "apple",
        "sentences": "a | An apple.\n\nApple",
        "match_case": True,
        "inside": False,
        "which": "last",
        "echo": True,
        "anchors": "pear, fig",
    }
    assert list(request) == list(WordRequest.defaults())
    assert WordRequest.of(request).study == StudyRequest(
        "minilm",
        "apple",
        (("a", "An apple."), ("", "Apple")),
        StudyOptions(True, False, "last", ("pear", "fig"), True),
    )
    assert len(FORM) == 7


@pytest.mark.parametrize(
    ("word", "typed", "told", "read"),
    [
        ("apple", "banana,orange , Microsoft, Google", EXAMPLE_ANCHORS, ("banana", "orange", "Microsoft", "Google")),
        ("apple", "", "", ()),
        ("apple", "banana", "banana", ("banana",)),
        ("bat", "bird, mouse, ball, racket", EXAMPLE_ANCHORS, ("bird", "mouse", "ball", "racket")),
        ("zebra", "", EXAMPLE_ANCHORS, ()),
        ("zebra", "horse,horse", "horse", ("horse",)),
    ],
)
def test_anchors_come_with_the_word_unless_others_are_named(
    word: str, typed: str, told: str, read: tuple[str, ...]
) -> None:
    request = request_from("minilm", word, f"a | The {word}.", None, None, None, None, typed)
    assert request["anchors"] == told
    assert WordRequest.of(request).study.options.anchors == read
    assert in_fields(request)["anchors"] == ", ".join(read)


def test_limits_are_said_beforehand() -> None:
    """On hover, over the anchors, the upload and the text: what a refusal would say."""
    form = str(layout())
    assert form.count("at most 12: each is read") == 1
    assert form.count("at most 2 MB and 500 sentences of 5,000 characters each") == 1
    assert form.count("At most 500 sentences of 5,000 characters each") == 1


def test_fields_nobody_touched() -> None:
    request = request_from("minilm", "apple", "An apple.", None, None, None, None, None)
    assert WordRequest.of(request).study.options == StudyOptions()


@pytest.mark.parametrize(
    ("data", "name", "lines"),
    [
        (b"a\tAn apple.\nb\tTwo apples.\n", "x.tsv", "a | An apple.\nb | Two apples."),
        (b'sentence,sense\n"Red, ripe apple.",a\n', "x.csv", "a | Red, ripe apple."),
        ("\ufeffa\tקניתי apple 🍎.".encode(), "x.txt", "a | קניתי apple 🍎."),
    ],
)
def test_files_become_lines(data: bytes, name: str, lines: str) -> None:
    assert uploaded(sent(data), name) == lines


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "x.tsv", "x.tsv has no sentence"),
        (b"\x89PNG\0\0", "x.png", "x.png is not a text file"),
        (b'a,"An apple.\n', "x.csv", "x.csv, line 1 cannot be read as CSV: its quote is never"),
        (b"a\tAn apple.\n" * 501, "x.tsv", "x.tsv: there are 501 sentences; at most 500 are"),
        (b"a\t" + b"x" * 2_000_000, "x.tsv", "x.tsv has 2.0 MB; at most 2 MB are read"),
    ],
)
def test_files_that_cannot_be_used(data: bytes, name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        uploaded(sent(data), name)

"""What is read: a text by a model, or a word across sentences; and the settings that name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from explorer.records import ANY_PLACE, CapturedText, StudyOptions
from explorer.records.source import truncation
from explorer.session.settings import Settings, setting
from explorer.text.example_sets import EXAMPLE_SETS, OPENING, OPENING_MODEL, OPENING_TEXT
from explorer.text.sentences import check_rows, parse_anchors, parse_sentences, sentences_text


@dataclass(frozen=True)
class ModelRequest(Settings):
    """A model by its name."""

    model: str = setting(OPENING_MODEL, "A bundled name, a hub id or a folder.")


@dataclass(frozen=True)
class TextRequest(ModelRequest):
    """A model and what it is to read; the same request is captured once."""

    text: str = setting(OPENING_TEXT, "The text to read.")
    pair: str = setting("", "A second text, for an encoder that reads pairs.")
    target: str = setting("", "What a decoder is given; empty: what the model generates.")
    truncate: bool = setting(False, "Read the first tokens of a text over the model's limit.")

    @property
    def request(self) -> TextRequest:
        """The model and the text alone, without the settings that a subclass adds."""
        return TextRequest(self.model, self.text, self.pair, self.target, self.truncate)

    def unread(self, read: TextRequest) -> tuple[str, ...]:
        """What to say of texts that were given here and that the model, in ``read``, does not read."""
        remarks = []
        if self.pair and not read.pair:
            remarks.append(f"the second text is left out: {self.model} reads one text at a time")
        if self.target and not read.target:
            remarks.append(f"the target text is left out: {self.model} is not an encoder–decoder")
        return tuple(remarks)


@dataclass(frozen=True)
class HeadRequest(TextRequest):
    """One head of a captured text."""

    stack: str = setting("", "encoder, decoder or cross; empty: the first stack that there is.")
    layer: int = setting(0, "Layer, counted from 0.")
    head: int = setting(0, "Head, counted from 0.")


def request_of(cap: CapturedText, target: str | None = None) -> TextRequest:
    """The request that a capture answers."""
    cut = bool(truncation(cap.stack(cap.stacks[-1])))
    return TextRequest(cap.model_name, cap.text, cap.pair or "", target or "", cut)


@dataclass(frozen=True)
class StudyRequest:
    """A model, the word to follow, and the (sense, sentence) pairs it is looked for in."""

    model: str
    word: str
    sentences: tuple[tuple[str, str], ...]
    options: StudyOptions = ANY_PLACE


# Stands for the anchor words that come with the word's example set; for another word there are none.
EXAMPLE_ANCHORS = "of the example set"


@dataclass(frozen=True)
class WordRequest(ModelRequest):
    """A word across sentences, as a person writes it."""

    word: str = setting(OPENING.word, "The word to follow.")
    sentences: str = setting(sentences_text(OPENING.rows), "One sentence a line: sense | sentence.")
    match_case: bool = setting(False, "Tell Apple from apple.")
    inside: bool = setting(False, "Find the word inside longer ones, too.")
    which: str = setting("all", "Which place counts where a sentence has several.", ("all", "first", "last"))
    echo: bool = setting(False, "Read every sentence twice and take the word from the second copy.")
    anchors: str = setting(EXAMPLE_ANCHORS, "Anchor words, separated by commas.")

    @property
    def anchor_words(self) -> tuple[str, ...]:
        """The anchor words.

        Raises:
            ValueError: more than can be shown.
        """
        return anchors_of_set(self.word) if self.anchors == EXAMPLE_ANCHORS else parse_anchors(self.anchors)

    def in_json(self) -> dict[str, Any]:
        """The settings, with the anchor words themselves in a list."""
        return {**super().in_json(), "anchors": list(self.anchor_words)}

    @property
    def study(self) -> StudyRequest:
        """The word study that these settings ask for.

        Raises:
            ValueError: no word, no sentence, or more than can be compared.
        """
        rows, word = parse_sentences(self.sentences), self.word.strip()
        if not word:
            raise ValueError("the word is empty: type the word to follow")
        check_rows(rows)
        options = StudyOptions(
            match_case=self.match_case, inside=self.inside, which=self.which, anchors=self.anchor_words, echo=self.echo
        )
        return StudyRequest(self.model, word, tuple(rows), options)


def anchors_of_set(word: str) -> tuple[str, ...]:
    """The anchor words of a word's example set; none for another word."""
    return next((one.anchors for one in EXAMPLE_SETS.values() if one.word == word.strip()), ())


def anchors_setting(word: str, typed: str) -> str:
    """Typed anchor words as a setting; ``EXAMPLE_ANCHORS`` where they are those of the example set.

    Raises:
        ValueError: more than can be shown.
    """
    anchors = parse_anchors(typed)
    return EXAMPLE_ANCHORS if anchors == anchors_of_set(word) else ", ".join(anchors)


def sentences_setting(rows: Sequence[tuple[str, str]]) -> str:
    """Senses and sentences as a setting; with tabs where a sense has a "|"."""
    plain = sentences_text(rows)
    if parse_sentences(plain) == list(rows):
        return plain
    return "\n".join(f"{sense}\t{sentence}" for sense, sentence in rows)


@dataclass(frozen=True)
class ModelFacts:
    """What the page's bar shows of a loaded model, and which fields it needs."""

    line: str
    takes_pairs: bool
    is_encoder_decoder: bool

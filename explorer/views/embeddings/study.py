"""One word across sentences: its vectors collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.by_layer import LEAST_OTHERS_EACH, MOST_OTHERS
from explorer.analysis.measures.contextual import intra_sentence
from explorer.capture.capture import Capture, capture
from explorer.records import (
    ANY_PLACE,
    Anchor,
    CapturedText,
    FloatArray,
    Occurrence,
    StudyOptions,
    Tokens,
    TokenSample,
    WordStudy,
)
from explorer.records.source import Source
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.text.words import find_word, pieces_of

WHICH = ("all", "first", "last")
CARRIER = "The word is {}."  # what an anchor is read in
_MOST_NUMBERS = 6  # of sentences that a remark names


def word_study(
    read: Callable[[str], CapturedText],
    rows: Sequence[tuple[str, str]],
    word: str,
    options: StudyOptions = ANY_PLACE,
    places: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> WordStudy:
    """Collect a word's static and contextual vectors from sentences.

    A word in pieces is the mean of its pieces; sentences without it are left out. ``remarks``
    reports both.

    Args:
        read: captures a sentence, or with ``options.echo`` the sentence twice.
        rows: (sense, sentence).
        word: the word to follow.
        options: how the word is searched for, and anchor words.
        places: the name of each sentence in errors; None numbers them from 1.
        progress: called before each sentence; an error it raises ends the work.

    Raises:
        ValueError: no word, no sentence, an unreadable sentence, a word that is in none of
            them, or an unknown option.
        ModelError: the model failed on a sentence.
    """
    word = word.strip()
    _check(rows, word, options)
    found = _Collected(word, options, len(rows))
    for number, (sense, sentence) in enumerate(rows):
        if progress is not None:
            progress(f"sentence {number + 1} of {len(rows)}", number / len(rows))
        place = places[number] if places else f"sentence {number + 1}"
        try:
            found.take(number, sense, sentence, read)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    return found.study(tuple(rows), tuple(_anchor(read, name) for name in options.anchors))


def _check(rows: Sequence[tuple[str, str]], word: str, options: StudyOptions) -> None:
    if not word:
        raise ValueError("the word is empty: type the word to follow")
    if not rows:
        raise ValueError("there is no sentence: type at least one that holds the word")
    if options.which not in WHICH:
        raise ValueError(f"unknown choice '{options.which}': use {', '.join(WHICH)}")


def _anchor(read: Callable[[str], CapturedText], word: str) -> Anchor:
    """An anchor word, read in a neutral sentence."""
    text = CARRIER.format(word)
    source = read(text).stack()
    start = CARRIER.index("{}")
    pieces = pieces_of(source.query_tokens, (start, start + len(word)))
    if not pieces:
        raise ValueError(f"the anchor “{word}” has no token of its own")
    hidden, static = source.hidden, source.static
    return Anchor(word, text, hidden[:, pieces].mean(axis=1), static[pieces].mean(axis=0))


class _Collected:
    """The occurrences found so far."""

    def __init__(self, word: str, options: StudyOptions, sentences: int) -> None:
        self.word, self.options = word, options
        self.tokens_each = max(LEAST_OTHERS_EACH, MOST_OTHERS // sentences)
        self.occurrences: list[Occurrence] = []
        self.contextual: list[FloatArray] = []
        self.static: list[FloatArray] = []
        self.others: list[tuple[FloatArray, FloatArray, list[str], int]] = []
        self.intra: list[FloatArray] = []
        self.lengths: list[int] = []
        self.remarks: list[str] = []
        self.without: list[int] = []
        self.several: list[int] = []
        self.longer: list[int] = []

    def take(self, number: int, sense: str, sentence: str, read: Callable[[str], CapturedText]) -> None:
        """Look for the word in one sentence."""
        cap = read(f"{sentence} {sentence}" if self.options.echo else sentence)
        self.model, self.revision = cap.model_name, cap.revision
        begin = len(sentence) + 1 if self.options.echo else 0
        spans = [
            span
            for span in find_word(cap.text, self.word, self.options.match_case, self.options.inside)
            if span[0] >= begin
        ]
        if not spans:
            self.without.append(number + 1)
            return
        if len(spans) > 1:
            self.several.append(number + 1)
        chosen = {"all": spans, "first": spans[:1], "last": spans[-1:]}[self.options.which]
        source = cap.stack()
        self.causal = source.causal
        tokens, hidden, table = source.query_tokens, source.hidden, source.static
        plain = np.flatnonzero(~tokens.special & (tokens.offsets[:, 1] >= begin))
        taken: set[int] = set()
        for place, span in enumerate(spans):
            pieces = pieces_of(tokens, span)
            taken |= set(pieces)
            if span not in chosen:
                continue
            if not pieces:
                self.remarks.append(f"sentence {number + 1}: “{self.word}” has no token of its own")
                continue
            if _covers_more(tokens, pieces, span):
                self.longer.append(number + 1)
            around = int((plain < pieces[0]).sum()), int((plain > pieces[-1]).sum())
            self.occurrences.append(Occurrence(number, place, sense, cap.text, span, len(pieces), pieces[0], around))
            self.contextual.append(hidden[:, pieces].mean(axis=1))
            self.static.append(table[pieces].mean(axis=0))
        self.intra.append(intra_sentence(hidden[:, plain]))
        self.lengths.append(len(plain))
        others = [int(i) for i in plain if i not in taken]
        kept = others[:: -(-len(others) // self.tokens_each)] if others else []
        labels = [tokens.labels[i] for i in kept]
        self.others.append((hidden[:, kept], table[kept], labels, number))

    def study(self, rows: tuple[tuple[str, str], ...], anchors: tuple[Anchor, ...]) -> WordStudy:
        """All occurrences as a record.

        Raises:
            ValueError: the word is in no sentence.
        """
        if not self.occurrences:
            raise ValueError(_nowhere(self.word, self.options, rows))
        return WordStudy(
            model=self.model,
            revision=self.revision,
            word=self.word,
            sentences=rows,
            occurrences=tuple(self.occurrences),
            contextual=np.stack(self.contextual, axis=1),
            static=np.stack(self.static),
            sample=TokenSample(
                vectors=np.concatenate([vectors for vectors, *_ in self.others], axis=1),
                static=np.concatenate([static for _, static, *_ in self.others]),
                labels=tuple(label for *_, labels, _ in self.others for label in labels),
                sentences=np.repeat(
                    [number for *_, number in self.others], [len(labels) for *_, labels, _ in self.others]
                ),
            ),
            intra_sentence=np.stack(self.intra, axis=1),
            sentence_tokens=np.array(self.lengths),
            anchors=anchors,
            options=self.options,
            causal=self.causal,
            remarks=(*self._remarks(), *_remarks_on_pieces(self.occurrences, self.word)),
        )

    def _remarks(self) -> list[str]:
        """Sentences without the word, several occurrences, longer tokens, and echo."""
        remarks = list(self.remarks)
        if self.without:
            verb, are = ("does", "is") if len(self.without) == 1 else ("do", "are")
            remarks.insert(0, f"{which_sentences(self.without)} {verb} not hold “{self.word}” and {are} left out")
        if self.several:
            shown = {"all": "each place is a point of its own"}.get(
                self.options.which, f"the {self.options.which} place is taken"
            )
            remarks.append(f"“{self.word}” stands in {which_sentences(self.several)} more than once: {shown}")
        if self.longer:
            where = which_sentences(sorted(set(self.longer)))
            remarks.append(f"“{self.word}” is part of a longer token in {where}: that one is shown")
        if self.options.echo:
            remarks.append(
                f"every sentence was read twice and “{self.word}” taken from the second copy, so "
                "that all of its context stands before it (echo embeddings, Springer et al. 2024)"
            )
        return remarks


def _covers_more(tokens: Tokens, pieces: Sequence[int], span: tuple[int, int]) -> bool:
    """Whether a word's tokens hold letters beside it."""
    first, last = int(tokens.offsets[pieces[0]][0]), int(tokens.offsets[pieces[-1]][1])
    return bool((tokens.texts[0][first : span[0]] + tokens.texts[0][span[1] : last]).strip())


def which_sentences(sentences: Sequence[int]) -> str:
    """Numbers of sentences in words: "sentence 3", "sentences 1, 2 and 5", or the first few."""
    *first, last = (str(number) for number in sentences)
    if not first:
        return f"sentence {last}"
    if len(first) < _MOST_NUMBERS:
        return f"sentences {', '.join(first)} and {last}"
    rest = len(sentences) - _MOST_NUMBERS
    return f"sentences {', '.join(first[:_MOST_NUMBERS])} and {rest} more"


def _nowhere(word: str, options: StudyOptions, rows: Sequence[tuple[str, str]]) -> str:
    """The error for a word in no sentence, with the options that would find it."""
    how = "anywhere in a word" if options.inside else "as a whole word"
    message = f"“{word}” is in none of the {len(rows)} sentences: it is looked for {how}"
    found = [
        (option, sum(bool(find_word(text, word, case, inside)) for _, text in rows))
        for option, case, inside in (
            ("in any case", False, options.inside),
            ("inside longer words", options.match_case, True),
        )
    ]
    hints = [f"{count} hold it {option}" for option, count in found if count]
    return f"{message}; {', '.join(hints)}" if hints else message


def _remarks_on_pieces(occurrences: Sequence[Occurrence], word: str) -> list[str]:
    cut = sorted({o.sentence + 1 for o in occurrences if o.pieces > 1})
    if not cut:
        return []
    where = f"sentence {cut[0]}" if len(cut) == 1 else f"{len(cut)} sentences"
    most = max(o.pieces for o in occurrences)
    return [f"“{word}” is cut into {most} pieces in {where}: the mean of its pieces is shown"]


def study_of(
    session: Session, request: StudyRequest, progress: Progress | None = None, places: Sequence[str] | None = None
) -> WordStudy:
    """A word across sentences; ``places`` names each of them in errors.

    Raises:
        ValueError: no sentence, an unreadable one (by its number), or a word that is in none.
        ModelError: the model cannot be loaded or failed.
    """
    progress = progress or session.progress

    def collect() -> WordStudy:
        model = session.model(request.model, progress)

        def read(sentence: str) -> Capture:
            # The encoder reads the sentence; a decoder need not generate for that.
            return capture(model, sentence, target=sentence if model.is_encoder_decoder else None)

        inputs = request.sentences, request.word, request.options
        try:
            return word_study(read, *inputs, progress=progress)
        except ValueError:
            # Only errors name places, so the cached study does not depend on them.
            return word_study(read, *inputs, places)

    return session.get_or_compute(("study", request), collect, progress)


def source_of(study: WordStudy) -> Source:
    """The model of a word study, which has no single text."""
    return Source(study.model, study.revision)


def sentences_of(study: WordStudy) -> dict[str, Any]:
    """The word and its sentences, as the JSON of every view of a word has them."""
    return {"word": study.word, "sentences": [{"text": text, "sense": sense} for sense, text in study.sentences]}


def check_occurrence(study: WordStudy, setting: str, place: int) -> None:
    """Raise a ValueError that names ``setting`` if the study has no such occurrence."""
    last = len(study.occurrences) - 1
    if not 0 <= place <= last:
        raise ValueError(f"{setting}={place} is not a place of “{study.word}”: use 0 to {last}")

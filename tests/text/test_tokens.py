"""Labels, offsets and notes, for each kind of tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import transformers as tf
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from explorer.records import Tokens
from explorer.text.tokens import describe_generated, encode
from tests import vocabularies


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    makers: dict[str, Callable[[], tf.PreTrainedTokenizerBase]] = {
        "wordpiece": vocabularies.wordpiece,
        "byte-level": vocabularies.byte_level,
        "roberta": vocabularies.roberta_like,
        "llama": vocabularies.llama_like,
        "unigram": vocabularies.unigram,
        "marian": lambda: vocabularies.marian(tmp_path_factory.mktemp("spm")),
    }
    made: dict[str, Any] = {}

    def of(name: str) -> Any:
        if name not in made:
            made[name] = makers[name]()
        return made[name]

    return of


KINDS = ["wordpiece", "byte-level", "roberta", "llama", "unigram", "marian"]
Tokenizer = Callable[[str], Any]


def _tokens(tokenizer: Any, text: str, pair: str | None = None) -> Tokens:
    return encode(tokenizer, text, pair, max_tokens=None)[1]


def _spans(tokens: Tokens) -> list[str]:
    return [tokens.texts[max(seg, 0)][a:b] for (a, b), seg in zip(tokens.offsets, tokens.segment, strict=True)]


class TestLabels:
    """Marks gone, repeats numbered, special tokens as they are."""

    def test_wordpiece(self, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer("wordpiece"), "When the THE dog, the dogs")
        assert tokens.labels == ("[CLS]", "whe", "n", "the·1", "the·2", "dog·1", ",", "the·3", "dog·2", "s", "[SEP]")
        assert _spans(tokens) == ["", "Whe", "n", "the", "THE", "dog", ",", "the", "dog", "s", ""]
        assert tokens.special.tolist() == [True, *[False] * 9, True]
        assert tokens.segment.tolist() == [-1, *[0] * 9, -1]
        assert set(tokens.notes) == {""}

    def test_byte_level(self, tokenizer: Tokenizer) -> None:
        """A space belongs to the word after it, and is not shown; a lone one is."""
        tokens = _tokens(tokenizer("byte-level"), "When the dog  and")
        assert tokens.labels == ("Whe", "n", "the", "dog", "␣", "and")
        assert _spans(tokens) == ["Whe", "n", "the", "dog", "", "and"]

    def test_llama(self, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer("llama"), "the dog ate the apple")
        assert tokens.labels[:4] == ("<s>", "the·1", "dog", "ate")
        assert tokens.labels[4] == "the·2"
        assert [span.strip() for span in _spans(tokens)[:5]] == ["", "the", "dog", "ate", "the"]
        assert tokens.special.tolist() == [True, *[False] * (len(tokens) - 1)]

    def test_space_put_in_front_stands_for_nothing(self, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer("unigram"), "Whe dog")
        assert tokens.labels[0] == "␣"
        assert tokens.offsets[0].tolist() == [0, 0]
        assert "".join(_spans(tokens)).split() == ["Whe", "dog"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_repeats(self, kind: str, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer(kind), "on dog dog dog cat")
        assert [label for label in tokens.labels if label.startswith("dog")] == ["dog·1", "dog·2", "dog·3"]

    @pytest.mark.parametrize(
        ("kind", "typed"),
        [
            ("wordpiece", "[SEP]"),
            ("roberta", "</s>"),
            ("llama", "<s>"),
            ("unigram", "</s>"),
            ("byte-level", "<|endoftext|>"),
        ],
    )
    def test_special_tokens_typed_by_hand(self, kind: str, typed: str, tokenizer: Tokenizer) -> None:
        """They are the model's, are marked, and are never numbered."""
        tokens = _tokens(tokenizer(kind), f"dog {typed} cat {typed}")
        at = [i for i, span in enumerate(_spans(tokens)) if span == typed]
        assert len(at) == 2
        assert tokens.special[at].all()
        assert {tokens.labels[i] for i in at} == {typed}
        assert {tokens.notes[i] for i in at} == {""}

    def test_hash_marks_that_are_text(self) -> None:
        """GPT-2 has ``####`` in its vocabulary: no piece of a word."""
        vocabulary = {"####": 0, "<|endoftext|>": 1}
        gpt2 = tf.GPT2Tokenizer(
            vocab=vocabulary | {c: i + 2 for i, c in enumerate(["#", "##"])}, merges=[("#", "#"), ("##", "##")]
        )
        assert _tokens(gpt2, "####").labels == ("####",)

    def test_unknown_token(self, tokenizer: Tokenizer) -> None:
        """Kept as the model reads it, never numbered; the hover has what was typed."""
        tokens = _tokens(tokenizer("wordpiece"), "the 🙂 and Ω")
        assert tokens.labels == ("[CLS]", "the", "[UNK]", "and", "[UNK]", "[SEP]")
        assert tokens.notes == ("", "", "typed: 🙂", "", "typed: Ω", "")
        assert not tokens.special[[2, 4]].any()

    def test_unknown_control_character(self, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer("unigram"), "a\x1bdog")
        assert tokens.notes[tokens.labels.index("<unk>")] == "typed: \\x1b"


class TestUnicode:
    """What was typed is what is shown."""

    @pytest.mark.parametrize("kind", ["byte-level", "roberta", "llama"])
    def test_split_characters(self, kind: str, tokenizer: Tokenizer) -> None:
        """Each piece is � with its bytes, numbered; all cover the character."""
        tokens = _tokens(tokenizer(kind), "dog 🙂 é")
        pieces = [i for i, label in enumerate(tokens.labels) if label.startswith("\ufffd")]
        assert [tokens.labels[i] for i in pieces] == [f"\ufffd·{n}" for n in range(1, 7)]
        notes = [tokens.notes[i].removeprefix("bytes ") for i in pieces]
        assert bytes.fromhex(" ".join(notes)).decode() == "🙂é"
        assert [_spans(tokens)[i] for i in pieces] == ["🙂"] * 4 + ["é"] * 2

    @pytest.mark.parametrize("kind", ["byte-level", "roberta", "llama"])
    @pytest.mark.parametrize("text", ["שלום עולם", "日本語 と abc", "مرحبا", "👩‍👩‍👧 x", "İstanbul", "e\u0301"])
    def test_any_script_is_covered(self, kind: str, text: str, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer(kind), text)
        covered = {i for a, b in tokens.offsets for i in range(a, b)}
        assert {i for i, c in enumerate(text) if not c.isspace()} <= covered
        assert all(tokens.labels)

    def test_control_characters_show_their_code(self, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer("byte-level"), "a\x00b\tc\nd\x1b")
        assert tokens.labels == ("a", "\\x00", "b", "⇥", "c", "⏎", "d", "\\x1b")

    def test_characters_that_would_turn_or_hide_text(self) -> None:
        """Direction marks show their code, joiners only where they stand alone."""
        words = ["<unk>", "a\u202eb", "\u200b", "👩\u200d👧"]
        word_level = tf.PreTrainedTokenizerFast(tokenizer_object=_word_level(words), unk_token="<unk>")
        tokens = _tokens(word_level, "a\u202eb \u200b 👩\u200d👧")
        assert tokens.labels == ("a\\u202eb", "\\u200b", "👩\u200d👧")

    def test_html_is_text(self, tokenizer: Tokenizer) -> None:
        text = "<script>alert(1)</script>"
        tokens = _tokens(tokenizer("byte-level"), text)
        assert "".join(label.partition("·")[0] for label in tokens.labels) == text


def _word_level(words: list[str]) -> Any:
    backend = Backend(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return backend


class TestOffsets:
    """Where each token stands, in its own segment."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("text", ["the dog sat on the mat", "  the\n dog ,  and the window. "])
    def test_in_reading_order(self, kind: str, text: str, tokenizer: Tokenizer) -> None:
        tokens = _tokens(tokenizer(kind), text)
        assert "".join("".join(_spans(tokens)).split()) == "".join(text.split())
        typed = tokens.offsets[tokens.segment >= 0]
        assert (np.diff(typed[:, 0]) >= 0).all()
        assert (typed[:, 0] <= typed[:, 1]).all()
        assert (tokens.offsets[tokens.segment < 0] == 0).all()

    @pytest.mark.parametrize("kind", ["wordpiece", "roberta", "unigram"])
    def test_pair(self, kind: str, tokenizer: Tokenizer) -> None:
        """Positions in the second text begin anew."""
        tokens = _tokens(tokenizer(kind), "the dog", "a cat")
        for segment, text in enumerate(("the dog", "a cat")):
            spans = [s for s, seg in zip(_spans(tokens), tokens.segment, strict=True) if seg == segment]
            assert "".join("".join(spans).split()) == text.replace(" ", "")
        assert tokens.texts == ("the dog", "a cat")

    def test_slow_tokenizer_and_letters_that_grow(self, tokenizer: Tokenizer) -> None:
        """İ is two characters in lower case; positions stay those of the text."""
        tokens = _tokens(tokenizer("marian"), "İ the dog")
        assert _spans(tokens)[tokens.labels.index("dog")] == "dog"


class TestGenerated:
    """Tokens no text was typed for."""

    @pytest.mark.parametrize("kind", ["wordpiece", "byte-level", "roberta", "unigram"])
    def test_places_in_what_is_said(self, kind: str, tokenizer: Tokenizer) -> None:
        own = tokenizer(kind)
        ids = own("the dog sat on the mat").input_ids
        tokens = describe_generated(own, ids)
        assert tokens.texts == (own.decode(ids, skip_special_tokens=True),)
        assert "".join(_spans(tokens)) == tokens.texts[0]
        assert tokens.special.tolist() == [i in own.all_special_ids for i in ids]

    def test_split_character(self, tokenizer: Tokenizer) -> None:
        own = tokenizer("byte-level")
        tokens = describe_generated(own, own("a🙂").input_ids)
        assert _spans(tokens)[-1] == "🙂"

    def test_unknown_is_not_special(self, tokenizer: Tokenizer) -> None:
        own = tokenizer("wordpiece")
        tokens = describe_generated(own, [own.unk_token_id, own.sep_token_id])
        assert tokens.special.tolist() == [False, True]


class TestRefused:
    """Text no tokenizer can do anything with."""

    @pytest.mark.parametrize("text", ["", " ", "\n\t  ", "\u2003\u00a0"])
    def test_empty(self, text: str, tokenizer: Tokenizer) -> None:
        with pytest.raises(ValueError, match="the text is empty: type at least one word"):
            _tokens(tokenizer("wordpiece"), text)
        with pytest.raises(ValueError, match="the second text is empty: type at least one word"):
            _tokens(tokenizer("wordpiece"), "dog", text)

    def test_lone_surrogate(self, tokenizer: Tokenizer) -> None:
        with pytest.raises(ValueError, match=r"half a character .* at position 4: remove it"):
            _tokens(tokenizer("wordpiece"), "dog \ud83d cat")

    @pytest.mark.parametrize("text", [None, 7, b"dog", ["dog"]])
    def test_no_string(self, text: Any, tokenizer: Tokenizer) -> None:
        with pytest.raises(ValueError, match=f"the text is a {type(text).__name__}; it must be"):
            _tokens(tokenizer("wordpiece"), text)

    def test_nothing_left(self, tokenizer: Tokenizer) -> None:
        """BERT's tokenizer drops control characters: no token is left, in either half."""
        own = tokenizer("wordpiece")
        with pytest.raises(ValueError, match="the text has no token this model knows"):
            _tokens(own, "\x01\x02")
        with pytest.raises(ValueError, match="the second text has no token this model knows"):
            _tokens(own, "dog", "\x01\x02")

    def test_too_long(self, tokenizer: Tokenizer) -> None:
        with pytest.raises(ValueError) as error:
            encode(tokenizer("wordpiece"), "dog " * 2000, max_tokens=512)
        assert str(error.value) == (
            "the text has 2,002 tokens; this model reads at most 512: shorten it, or truncate it"
        )

    def test_just_short_enough(self, tokenizer: Tokenizer) -> None:
        inputs, tokens = encode(tokenizer("wordpiece"), "dog " * 510, max_tokens=512)
        assert len(tokens) == len(inputs["input_ids"]) == 512

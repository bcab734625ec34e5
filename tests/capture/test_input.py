"""Capture given what people give it: a clear message or a right result, never anything else."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

import explorer
from tests import reference
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder, Loader

ODD_TEXTS = {
    "one token": "dog",
    "one letter": "a",
    "control characters": "a\x00b\x1b[31m\x07 c",
    "emoji": "the 👩\u200d👩\u200d👧\u200d👦 and 🙂🙂",
    "right to left": "שלום עולם",
    "mixed scripts": "the שלום and 日本語 and Привет and مرحبا",
    "HTML": "<b>dog</b> &amp; <img src=x onerror=alert(1)>",
    "script": "<script>alert('dog')</script>",
    "combining marks": "e\u0301\u0301\u0301 Z\u0351\u036b\u0343",
    "direction marks": "the \u202edog\u202c cat",
    "line ends": "the dog\r\n\r\n\tthe cat\u2028",
    "outside the first plane": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 the dog",
    "special tokens": "[SEP] <s> </s> [CLS] [MASK] <|endoftext|> <pad> dog",
    "one long word": "dog" * 60,
    "punctuation": "... ,,, ;;; .,.",
}


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "t5", "deberta-v2"])
@pytest.mark.parametrize("case", list(ODD_TEXTS))
def test_odd_text_is_captured_right(case: str, name: str, tiny: Loader, folder: Folder) -> None:
    text, family = ODD_TEXTS[case], FAMILIES[name]
    cap = explorer.capture(tiny(name), text, target=text if family.is_encoder_decoder else None)
    decoder_ids = cap.stack("decoder").query_tokens.ids.tolist() if family.is_encoder_decoder else None
    expected = reference.eager(family, folder(name), text, decoder_ids=decoder_ids)
    for stack, layers in expected.attention.items():
        for layer, weights in enumerate(layers):
            np.testing.assert_allclose(cap.stack(stack).attention(layer), weights, atol=1e-5)
    first = cap.stack()
    assert len(first.queries) == len(first.offsets) == len(expected.ids["input_ids"])
    assert all(label.isprintable() and label for label in first.queries)


@pytest.mark.parametrize("name", ["gpt2", "gpt-oss", "gemma2"])
def test_single_token(name: str, folder: Folder, tiny: Loader) -> None:
    """One query, one key: all the weight there is (less a sink's)."""
    loaded = tiny(name)
    cap = explorer.capture(loaded, "a")
    expected = reference.eager(FAMILIES[name], folder(name), "a")
    for layer, weights in enumerate(expected.attention["decoder"]):
        np.testing.assert_allclose(cap.attention(layer), weights, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "gpt2", "bart"])
@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u2003"])
def test_empty(text: str, name: str, tiny: Loader) -> None:
    with pytest.raises(ValueError, match="the text is empty: type at least one word"):
        explorer.capture(tiny(name), text)


@pytest.mark.parametrize("name", ["bert", "gpt2", "bart", "llama"])
def test_hundred_thousand_characters(name: str, tiny: Loader) -> None:
    """Said with both numbers: what was given and what may be."""
    loaded, text = tiny(name), ("the dog " * 12_500)
    assert len(text) == 100_000
    with pytest.raises(ValueError) as error:
        explorer.capture(loaded, text)
    found = re.fullmatch(
        r"the text has (\d+,\d{3}) tokens; this model reads at most (\d+): "
        r"shorten it, or truncate it",
        str(error.value),
    )
    assert found
    assert int(found[1].replace(",", "")) == len(loaded.tokenizer(text).input_ids)
    assert int(found[2]) == loaded.max_tokens


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        # Written out: RoBERTa keeps two of its 258 rows, BART's and OPT's tables have two more.
        ("bert", 256),
        ("distilbert", 256),
        ("roberta", 256),
        ("albert", 256),
        ("gpt2", 256),
        ("opt", 256),
        ("bart", 256),
        ("llama", 512),
        ("gpt-neox", 512),
        ("marian", 256),
    ],
)
def test_longest_text_is_read(name: str, limit: int, tiny: Loader) -> None:
    """The limit itself can be read: it is neither too small nor too large."""
    loaded = tiny(name)
    assert loaded.max_tokens == limit
    added = loaded.tokenizer.num_special_tokens_to_add()
    piece = "a" if name == "marian" else " a"
    one = len(loaded.tokenizer(piece * 100).input_ids) - len(loaded.tokenizer(piece * 99).input_ids)
    assert one == 1
    text = piece * (limit - added)
    while len(loaded.tokenizer(text).input_ids) > limit:
        text = text[len(piece) :]
    target = "a" if loaded.is_encoder_decoder else None
    assert len(explorer.capture(loaded, text, target=target).stack().queries) == limit


def test_lone_surrogate(tiny: Loader) -> None:
    for how in ({"text": "dog \udc00"}, {"text": "dog", "pair": "\ud800"}):
        with pytest.raises(ValueError, match="a lone surrogate"):
            explorer.capture(tiny("bert"), **how)


class TestPair:
    """A second text."""

    @pytest.mark.parametrize("half", ["", "  "])
    def test_empty_half(self, half: str, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="the second text is empty: type at least one word"):
            explorer.capture(tiny("bert"), "dog", pair=half)
        with pytest.raises(ValueError, match="the text is empty: type at least one word"):
            explorer.capture(tiny("bert"), half, pair="dog")

    @pytest.mark.parametrize("name", ["gpt2", "llama", "t5", "bart", "marian"])
    def test_model_without_pairs(self, name: str, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="takes no second text: only encoders such as BERT"):
            explorer.capture(tiny(name), "dog", pair="cat")

    def test_too_long_together(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="has 403 tokens; this model reads at most 256"):
            explorer.capture(tiny("bert"), "dog " * 200, pair="dog " * 200)


class TestTarget:
    """What the decoder is given."""

    @pytest.mark.parametrize("name", ["gpt2", "bert"])
    def test_model_without_target(self, name: str, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="takes no target text: it is no encoder–decoder"):
            explorer.capture(tiny(name), "dog", target="cat")

    def test_empty(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="the target text is empty: type at least one word"):
            explorer.capture(tiny("t5"), "dog", target=" ")

    def test_too_long(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match=r"the target text has 2\d\d tokens; .* at most 256"):
            explorer.capture(tiny("bart"), "dog", target=" dog" * 254 + " dog")

    def test_nothing_to_generate_with(self, folder: Folder, tmp_path: Any) -> None:
        tf.AutoModel.from_pretrained(folder("t5")).save_pretrained(tmp_path)
        tf.AutoTokenizer.from_pretrained(folder("t5")).save_pretrained(tmp_path)
        loaded = explorer.load_model(str(tmp_path), device="cpu")
        with pytest.raises(ValueError, match="no language-model head to generate with: give a"):
            explorer.capture(loaded, TEXT)
        assert explorer.capture(loaded, TEXT, target="dog").stacks[2] == "cross"

    def test_settings_of_the_checkpoint_do_not_matter(self, folder: Folder, tmp_path: Any, tiny: Loader) -> None:
        """Greedy is greedy: published BART asks for beams and forbids repeats."""
        model = tf.AutoModelForSeq2SeqLM.from_pretrained(folder("bart"))
        model.generation_config.update(
            num_beams=4,
            no_repeat_ngram_size=1,
            early_stopping=True,
            length_penalty=2.0,
            do_sample=True,
            temperature=3.0,
            repetition_penalty=5.0,
            max_length=9,
            min_length=8,
        )
        model.save_pretrained(tmp_path)
        tf.AutoTokenizer.from_pretrained(folder("bart")).save_pretrained(tmp_path)
        loaded = explorer.load_model(str(tmp_path), device="cpu")
        ours = explorer.capture(loaded, TEXT).stack("decoder").query_tokens.ids.tolist()
        plain = explorer.capture(tiny("bart"), TEXT).stack("decoder").query_tokens.ids.tolist()
        assert ours == plain


class TestOutOfRange:
    """Layers and heads that are not there."""

    @pytest.mark.parametrize(
        ("layer", "head", "message"),
        [
            (3, 0, "layer 3 is out of range: .* has layers 0 to 2"),
            (-1, 0, "layer -1 is out of range"),
            (0, 4, "head 4 is out of range: .* has heads 0 to 3"),
            (0, -1, "head -1 is out of range"),
        ],
    )
    def test_said(self, layer: int, head: int, message: str, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), "the dog")
        for ask in (cap.attention, cap.q, cap.k, cap.v, cap.head_output):
            with pytest.raises(ValueError, match=message) as error:
                ask(layer, head)
            assert "\n" not in str(error.value)

    def test_mask_and_bias(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), "the dog")
        for ask in (cap.allowed, cap.output_bias, cap.attention):
            with pytest.raises(ValueError, match="layer 9 is out of range"):
                ask(9)


def test_unknown_attribute(tiny: Loader) -> None:
    cap = explorer.capture(tiny("gpt2"), "the dog")
    with pytest.raises(AttributeError, match="a capture has no 'attentions'"):
        _ = cap.attentions
    assert not hasattr(cap, "_secret")


class TestFailing:
    """The model fails: one line, and the next capture is sound."""

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (torch.OutOfMemoryError("CUDA out of memory.\nMore"), "^out of memory while .* was read"),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "^out of memory while"),
            (RuntimeError("broken\nin two"), "failed while reading 3 tokens: broken$"),
            (IndexError("no such row"), "failed while reading 3 tokens: no such row$"),
        ],
    )
    def test_while_reading(
        self, error: Exception, message: str, tiny: Loader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(tf.BertModel, "forward", fail)
            with pytest.raises(explorer.ModelError, match=message) as raised:
                explorer.capture(tiny("bert"), "dog")
            assert "\n" not in str(raised.value)
        assert tiny("bert").method == "recorder"
        assert explorer.capture(tiny("bert"), "dog").attention(0).shape == (4, 3, 3)

    def test_while_making_a_map(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        cap = explorer.capture(tiny("bert"), "dog")

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        with monkeypatch.context() as patch:
            patch.setattr(torch.Tensor, "softmax", fail)
            for ask in (lambda: cap.attention(0), lambda: cap.head_output(0, 0)):
                with pytest.raises(explorer.ModelError, match=r"^out of memory while making"):
                    ask()
        assert cap.attention(0).shape == (4, 3, 3)

    def test_interrupt_is_let_through(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(tf.BertModel, "forward", fail)
        with pytest.raises(KeyboardInterrupt):
            explorer.capture(tiny("bert"), "dog")

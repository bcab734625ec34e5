"""What only some architectures do on the way into and out of their residual stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

import explorer
from tests.checkpoints import TEXT, spread
from tests.vocabularies import byte_level, wordpiece


def _load(path: Path, model: tf.PreTrainedModel, tokenizer: Any) -> explorer.LoadedModel:
    spread(model).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return explorer.load_model(str(path), device="cpu")


def test_granite_multiplies_its_rows(tmp_path: Path) -> None:
    tokenizer = byte_level()
    config = tf.GraniteConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        embedding_multiplier=3.0,
        attention_multiplier=0.3,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
    )
    cap = explorer.capture(_load(tmp_path, tf.GraniteForCausalLM(config), tokenizer), TEXT)
    # Granite has no learned positions: what its first block is given is the row itself.
    np.testing.assert_allclose(cap.static, cap.hidden[0], rtol=1e-6)


def test_table_of_another_width(tmp_path: Path) -> None:
    """MobileBERT makes a row of three neighbours: no token has one of its own."""
    tokenizer = wordpiece()
    config = tf.MobileBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        embedding_size=16,
        intra_bottleneck_size=16,
        true_hidden_size=16,
    )
    loaded = _load(tmp_path, tf.MobileBertForMaskedLM(config), tokenizer)
    cap = explorer.capture(loaded, TEXT)
    with pytest.raises(explorer.ModelError) as error:
        _ = cap.static
    assert str(error.value) == (
        "mobilebert: how its embedding table of width 16 reaches its residual stream of width 32 is not known here"
    )
    assert cap.attention(1).shape[0] == 4


def test_output_projection_of_another_name(tmp_path: Path) -> None:
    """Attention is captured all the same; only what a head writes cannot be said."""
    tokenizer = byte_level()
    config = tf.GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4)
    loaded = _load(tmp_path, tf.GPT2LMHeadModel(config), tokenizer)
    cap = explorer.capture(loaded, TEXT)
    for block in loaded.model.transformer.h:
        block.attn.c_proj = torch.nn.Identity()
    with pytest.raises(explorer.ModelError, match="no output projection known for GPT2Attention"):
        cap.head_output(0, 0)
    assert cap.attention(1).shape[0] == 4

"""A two-layer GPT-2 whose heads are known because every weight is set by hand.

The residual stream has a place for each token, for each position, and for each token once
more: what the previous token was. Layer 0: head 0 looks at the previous token (its key for
position j is the query of position j + 1) and copies that token to the third part; head 1
looks at all copies of its own token, itself among them. Layer 1: head 0 looks at everything
alike; head 1 looks where the previous token was its own token: an induction head (Elhage
et al. 2021, "A Mathematical Framework for Transformer Circuits").
"""

from __future__ import annotations

from pathlib import Path

import torch
import transformers as tf

from tests.vocabularies import byte_level

PREVIOUS, COPIES, UNIFORM, INDUCTION = (0, 0), (0, 1), (1, 0), (1, 1)
N_POSITIONS = 128


def write(folder: Path) -> Path:
    """Save the model and its tokenizer as ``save_pretrained`` does."""
    tokenizer = byte_level()
    _model(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _model(n_tokens: int) -> tf.GPT2LMHeadModel:
    width = 2 * n_tokens + N_POSITIONS
    config = tf.GPT2Config(
        vocab_size=n_tokens,
        n_positions=N_POSITIONS,
        n_embd=width,
        n_layer=2,
        n_head=2,
        n_inner=1,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = tf.GPT2LMHeadModel(config).eval()
    token = slice(0, n_tokens)
    position = slice(n_tokens, n_tokens + N_POSITIONS)
    before = slice(n_tokens + N_POSITIONS, width)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if ".ln_" in name and name.endswith("weight") else 0.0)
        model.transformer.wte.weight[:, token] = torch.eye(n_tokens)
        model.transformer.wpe.weight[:, position] = torch.eye(N_POSITIONS)
        _attend(model, PREVIOUS, position, position, shift=1)
        _attend(model, COPIES, token, token)
        _attend(model, INDUCTION, token, before)
        # What head 0 of layer 0 carries on: the token it looks at, at the size it has in the
        # stream, which the norm before the layer made larger (two ones among zeros).
        attention, two = model.transformer.h[0].attn, torch.tensor([1.0, 1.0] + [0.0] * (width - 2))
        values = slice(2 * width, 2 * width + n_tokens)
        attention.c_attn.weight[token, values] = torch.eye(n_tokens)
        attention.c_proj.weight[:n_tokens, before] = torch.eye(n_tokens) * two.std(correction=0)
    return model


def _attend(model: tf.GPT2LMHeadModel, head: tuple[int, int], of: slice, to: slice, shift: int = 0) -> None:
    """Make a head look where ``to`` has at a key what ``of`` has at the query, moved on."""
    layer, number = head
    weight = model.transformer.h[layer].attn.c_attn.weight
    width, size = weight.shape[0], of.stop - of.start
    queries, keys = number * width // 2, width + number * width // 2
    weight[of, queries : queries + size] = torch.eye(size)
    weight[to, keys : keys + size] = torch.roll(torch.eye(size), shift, dims=1)

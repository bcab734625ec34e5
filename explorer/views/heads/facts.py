"""A head in one line: its entropy, and its attention sinks or the token it attends to most."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.analysis.measures.blocks import Sides, head_blocks
from explorer.analysis.measures.heads import MEASURES
from explorer.analysis.measures.measure import means_of_head
from explorer.records import AttentionStack, FloatArray, Sink

# Sinks are reported if the first token, special tokens and punctuation get more than this together.
_LEAST_TOTAL = 0.5
_LEAST_SHARE = 0.1  # of a token that is reported as a sink
# What a head with a high score attends to, for measures that are shares of its weight.
_TARGETS = {
    "previous_token": "previous token",
    "next_token": "next token",
    "same_token": "same token",
    "sink_first": "first token",
    "sink_special": "special tokens",
    "sink_punctuation": "punctuation",
    "duplicate_token": "earlier copies",
    "induction": "after earlier copies",
}


def attention_sinks(source: AttentionStack, layer: int, head: int) -> tuple[Sink, ...]:
    """The attention sinks of a head: tokens without content that take most of its weight.

    A head has sinks if the first token, special tokens and punctuation marks together get over
    half of its queries' weight (Clark et al. 2019, Xiao et al. 2023); the sinks are those of
    them that get a tenth or more, the largest first.

    Raises:
        ValueError: a layer or head out of range.
    """
    return _sinks(source, received(source, layer, head))


def received(source: AttentionStack, layer: int, head: int) -> FloatArray:
    """The share of all queries' weight that each key gets [K].

    Raises:
        ValueError: a layer or head out of range.
    """
    total = np.zeros(len(source.key_tokens))
    for block in head_blocks(source, layer, head):
        total += block.weights[0].sum(axis=0, dtype=np.float64)
    return total / len(source.query_tokens)


def _sinks(source: AttentionStack, shares: FloatArray) -> tuple[Sink, ...]:
    keys = source.key_tokens
    sides = Sides(source.query_tokens, keys, source.name == "cross")
    contentless = keys.special | sides.punctuation | (np.arange(len(keys)) == 0)
    if shares[contentless].sum() <= _LEAST_TOTAL:
        return ()
    sinks = [int(key) for key in np.argsort(-shares, kind="stable") if contentless[key]]
    return tuple(Sink(key, keys.labels[key], float(shares[key])) for key in sinks if shares[key] >= _LEAST_SHARE)


def head_facts(source: AttentionStack, layer: int, head: int) -> str:
    """One line about a head: its entropy, its weight on the previous token, and where it attends most.

    Raises:
        ValueError: a layer or head out of range.
    """
    means = means_of_head(source, layer, head, [MEASURES["entropy"], MEASURES["previous_token"]])
    parts = [f"entropy {means['entropy']:.2f} nats"]
    if not np.isnan(means["previous_token"]):
        parts.append(f"previous {means['previous_token']:.2f}")
    shares = received(source, layer, head)
    if sinks := _sinks(source, shares):
        names = ", ".join(f"{sink.label} ({sink.share:.0%})" for sink in sinks[:3])
        parts.append(f"attention {'sink' if len(sinks) == 1 else 'sinks'} {names}")
    else:
        most = int(shares.argmax())
        parts.append(f"attends most to “{source.key_tokens.labels[most]}” ({shares[most]:.0%})")
    return " · ".join(parts)


def facts_of_heads(measures: Mapping[str, FloatArray]) -> list[list[str]]:
    """A line about every head [L][H]: its entropy, and its two largest shares of weight."""
    n_layers, n_heads = measures["entropy"].shape
    return [
        [_fact({name: float(values[layer, head]) for name, values in measures.items()}) for head in range(n_heads)]
        for layer in range(n_layers)
    ]


def _fact(scores: Mapping[str, float]) -> str:
    shares = {name: scores[name] for name in _TARGETS if not np.isnan(scores[name])}
    largest = sorted(shares, key=lambda name: -shares[name])[:2]
    return " · ".join(
        [f"entropy {scores['entropy']:.2f}", *(f"{_TARGETS[name]} {shares[name]:.2f}" for name in largest)]
    )

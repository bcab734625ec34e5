"""What can be said of a head in a line: how widely it looks, and where it rests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.analysis.measures.blocks import Sides, head_blocks
from explorer.analysis.measures.heads import MEASURES
from explorer.analysis.measures.measure import means_of_head
from explorer.records import AttentionStack, FloatArray, Sink

# A head that puts more than this on the first token, special tokens and punctuation rests there.
_RESTS = 0.5
_NAMED = 0.1  # the least share of a token that is named as such a place
# Of the measures that are shares of a head's weight, what a head does that scores high.
_DOING = {
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
    """The sinks of a head that rests: tokens without content that take most of its weight.

    A head rests if the first token, special tokens and punctuation marks together get over
    half of its queries' weight (Clark et al. 2019, Xiao et al. 2023); its sinks are those of
    them that get a tenth or more, the largest first. None for any other head.

    Raises:
        ValueError: a layer or head out of range.
    """
    return _resting(source, received(source, layer, head))


def received(source: AttentionStack, layer: int, head: int) -> FloatArray:
    """The share of all queries' weight that each key gets [K].

    Raises:
        ValueError: a layer or head out of range.
    """
    total = np.zeros(len(source.key_tokens))
    for block in head_blocks(source, layer, head):
        total += block.weights[0].sum(axis=0, dtype=np.float64)
    return total / len(source.query_tokens)


def _resting(source: AttentionStack, shares: FloatArray) -> tuple[Sink, ...]:
    keys = source.key_tokens
    sides = Sides(source.query_tokens, keys, source.name == "cross")
    empty = keys.special | sides.punctuation | (np.arange(len(keys)) == 0)
    if shares[empty].sum() <= _RESTS:
        return ()
    places = [int(place) for place in np.argsort(-shares, kind="stable") if empty[place]]
    return tuple(Sink(place, keys.labels[place], float(shares[place])) for place in places if shares[place] >= _NAMED)


def head_facts(source: AttentionStack, layer: int, head: int) -> str:
    """One line about a head: how spread it is, its previous token, and where it looks most.

    Raises:
        ValueError: a layer or head out of range.
    """
    chief = [MEASURES["entropy"], MEASURES["previous_token"]]
    means = means_of_head(source, layer, head, chief)
    parts = [f"entropy {means['entropy']:.2f} nats"]
    if not np.isnan(means["previous_token"]):
        parts.append(f"previous {means['previous_token']:.2f}")
    shares = received(source, layer, head)
    if sinks := _resting(source, shares):
        places = ", ".join(f"{sink.label} ({sink.share:.0%})" for sink in sinks[:3])
        parts.append(f"rests on {places}")
    else:
        most = int(shares.argmax())
        parts.append(f"looks most at “{source.key_tokens.labels[most]}” ({shares[most]:.0%})")
    return " · ".join(parts)


def facts_of_heads(measures: Mapping[str, FloatArray]) -> list[list[str]]:
    """A line about every head [L][H]: entropy, and the two things it does most.

    Args:
        measures: [L, H] by name, as ``compute_all`` gives them.
    """
    n_layers, n_heads = measures["entropy"].shape
    return [
        [_chief({name: float(values[layer, head]) for name, values in measures.items()}) for head in range(n_heads)]
        for layer in range(n_layers)
    ]


def _chief(of_head: Mapping[str, float]) -> str:
    shares = {name: of_head[name] for name in _DOING if of_head[name] == of_head[name]}
    most = sorted(shares, key=lambda name: -shares[name])[:2]
    doing = [f"{_DOING[name]} {shares[name]:.2f}" for name in most]
    return " · ".join([f"entropy {of_head['entropy']:.2f}", *doing])

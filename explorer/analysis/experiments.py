"""What needs more forward passes than one: nulls by shuffling, and probes on made-up texts.

Each takes ``progress``, called with a sentence and a share of 1 before each pass; what it
raises ends the experiment.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.heads import MEASURES, compute_all, named
from explorer.analysis.measures.patterns import best_offset
from explorer.capture.capture import Capture, capture, capture_ids, decoder_start
from explorer.capture.loading import LoadedModel
from explorer.records import FloatArray, IntArray, Null, Tokens
from explorer.text.tokens import encode

__all__ = ["best_offset", "induction_probe", "null", "nulls", "nulls_of"]

# Scores are means of float32 weights: below this they do not differ.
_RESOLUTION = 1e-6


def null(
    model: LoadedModel,
    text: str,
    measure: str,
    draws: int = 20,
    seed: int = 0,
    *,
    pair: str | None = None,
    target: str | None = None,
    stack: str | None = None,
    progress: Progress | None = None,
) -> Null:
    """A measure of every head beside what it is with the text's tokens shuffled.

    See ``nulls``, which does it for several measures at the cost of one.
    """
    return nulls(model, text, [measure], draws, seed, pair=pair, target=target, stack=stack, progress=progress)[
        measure
    ]


def nulls(
    model: LoadedModel,
    text: str,
    names: Iterable[str] | None = None,
    draws: int = 20,
    seed: int = 0,
    *,
    pair: str | None = None,
    target: str | None = None,
    stack: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Null]:
    """Several measures of every head beside what they are with the text's tokens shuffled.

    A score without its null is half a score: a head that puts most weight on the previous
    token whatever the tokens are has learned a position, one that does so only in this
    order has read the text. Tokens of one segment change places among each other; special
    tokens stay where they are. An encoder–decoder's two texts are shuffled each in itself,
    and what was generated is not generated again.

    Args:
        model: from ``load_model``.
        text: what the encoder or the only stack reads.
        names: which measures; None means all.
        draws: how many times the tokens are shuffled; at least 2.
        seed: of the generator that shuffles them.
        pair: a second segment.
        target: what an encoder–decoder's decoder is given.
        stack: which stack; None means the only one, or the first.
        progress: called before each forward pass.

    Raises:
        ValueError: an unusable text, an unknown measure or stack, or too few draws.
        ModelError: the model failed on a text.
    """
    named(names)  # before the model works in vain
    return nulls_of(capture(model, text, pair, target), names, draws, seed, stack, progress)


def nulls_of(
    cap: Capture,
    names: Iterable[str] | None = None,
    draws: int = 20,
    seed: int = 0,
    stack: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Null]:
    """As ``nulls``, of a text that is captured already."""
    if draws < 2:
        raise ValueError(f"{draws} draws have no spread: use at least 2")
    names = [measure.name for measure in named(names)]
    scores = compute_all(cap, stack, names)
    generator = np.random.default_rng(seed)
    shuffled: dict[str, list[FloatArray]] = {name: [] for name in names}
    for number in range(draws):
        if progress is not None:
            progress(f"shuffling the tokens, {number + 1} of {draws}", number / draws)
        found = compute_all(_shuffled(cap, generator), stack, names)
        for name in names:
            shuffled[name].append(found[name])
    return {name: _null(name, scores[name], np.stack(shuffled[name]), draws, seed) for name in names}


def induction_probe(
    model: LoadedModel,
    length: int = 50,
    draws: int = 4,
    seed: int = 0,
    *,
    stack: str | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """How far each head continues a repeated sequence that means nothing.

    The ``induction`` measure on two copies of a random token sequence, mean over draws. No
    token comes twice within a copy, so every token of the second copy has one place to look
    at: the token after its first copy. Before the copies stands the model's own first
    special token: the one its tokenizer puts before a text, or else its begin token, or
    else none. An encoder–decoder reads the same on both sides, its start token before it.

    Source: Olsson et al. 2022, "In-context Learning and Induction Heads".

    Args:
        model: from ``load_model``.
        length: tokens a copy.
        draws: how many sequences.
        seed: of the generator that draws them.
        stack: which stack; None means the only one, or the first.
        progress: called before each sequence.

    Returns:
        Float64 [L, H] in 0…1; NaN on cross attention.

    Raises:
        ValueError: a length the model cannot read twice or has no tokens for, no draws, or
            an unknown stack.
        ModelError: the model failed on a sequence.
    """
    if draws < 1:
        raise ValueError(f"{draws} draws are none: use at least 1")
    first, known = _first_token(model), _ordinary_ids(model)
    limit = model.max_tokens or 2 * len(known) + 1
    longest = min(len(known), (limit - 1) // 2)
    if not 2 <= length <= longest:
        raise ValueError(f"{model.name} can be probed with 2 to {longest:,} tokens a copy, not {length:,}")
    generator = np.random.default_rng(seed)
    scores = []
    for number in range(draws):
        if progress is not None:
            progress(f"random tokens twice, {number + 1} of {draws}", number / draws)
        copy = generator.choice(known, length, replace=False).tolist()
        ids = [*first, *copy, *copy]
        decoder_ids = [decoder_start(model), *copy, *copy] if model.is_encoder_decoder else []
        cap = capture_ids(model, ids, decoder_ids)
        scores.append(MEASURES["induction"].compute(cap, stack))
    mean: FloatArray = np.mean(scores, axis=0)
    return mean


def _shuffled(cap: Capture, generator: np.random.Generator) -> Capture:
    sides = [cap.stack(name).query_tokens for name in cap.stacks[:2]]
    return cap.reordered(*(_shuffle(tokens, generator) for tokens in sides))


def _shuffle(tokens: Tokens, generator: np.random.Generator) -> IntArray:
    """An order in which the tokens of each segment have changed places among each other."""
    order = np.arange(len(tokens))
    for segment in np.unique(tokens.segment):
        places = np.flatnonzero((tokens.segment == segment) & ~tokens.special)
        order[places] = generator.permutation(places)
    return order


def _null(name: str, score: FloatArray, drawn: FloatArray, draws: int, seed: int) -> Null:
    """Mean, spread and distance, over the draws in which a head has a score [draws, L, H]."""
    defined = ~np.isnan(drawn)
    count = defined.sum(axis=0)
    undefined = np.full(score.shape, np.nan)
    mean = np.divide(drawn.sum(axis=0, where=defined), count, out=undefined.copy(), where=count > 0)
    squares = ((drawn - mean) ** 2).sum(axis=0, where=defined)
    std = np.sqrt(np.divide(squares, count - 1, out=undefined.copy(), where=count > 1))
    # A head for which order is nothing differs from its null by rounding only: z is 0.
    z = (score - mean) / np.maximum(std, _RESOLUTION * np.maximum(1, np.abs(mean)))
    return Null(name, score, mean, std, z, draws, seed)


def _first_token(model: LoadedModel) -> list[int]:
    """The special token a text begins with; none where the model has none."""
    with model.lock:
        ids, tokens = encode(model.tokenizer, "a", max_tokens=None)
    if tokens.special[0]:
        return ids["input_ids"][:1]
    begin = model.tokenizer.bos_token_id
    return [] if begin is None else [begin]


def _ordinary_ids(model: LoadedModel) -> IntArray:
    """Vocabulary indices of all tokens but the special and the added ones, in order."""
    tokenizer = model.tokenizer
    marked = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return np.array(sorted(set(tokenizer.get_vocab().values()) - marked), dtype=np.int64)

"""Experiments with several forward passes: nulls by shuffling, and probes on synthetic texts.

Each takes ``progress``, called with a sentence and the share that is done before each pass; an
exception that it raises stops the experiment.
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

# Scores are means of float32 weights: smaller differences are rounding.
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
    """A measure of every head, with its null: the same measure of the text with shuffled tokens.

    See ``nulls``, which computes several measures at the cost of one.
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
    """Several measures of every head, with their nulls: the same measures with shuffled tokens.

    A score means little without its null: a head that puts most weight on the previous token
    for any tokens has learned a position, one that does so only in this order has read the
    text. Tokens are shuffled within their segment; special tokens keep their positions. An
    encoder–decoder's two texts are shuffled separately, and its output is not generated again.

    Args:
        model: from ``load_model``.
        text: input of the encoder or the only stack.
        names: which measures; None means all.
        draws: number of shuffles; at least 2.
        seed: of the random generator.
        pair: a second segment.
        target: input of an encoder–decoder's decoder.
        stack: None means the only one, or the first.
        progress: called before each forward pass.

    Raises:
        ValueError: an unusable text, an unknown measure or stack, or too few draws.
        ModelError: the model failed on a text.
    """
    named(names)  # an unknown name is an error before the model runs
    return nulls_of(capture(model, text, pair, target), names, draws, seed, stack, progress)


def nulls_of(
    cap: Capture,
    names: Iterable[str] | None = None,
    draws: int = 20,
    seed: int = 0,
    stack: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Null]:
    """``nulls`` of a text that is already captured."""
    if draws < 2:
        raise ValueError(f"{draws} draws have no spread: use at least 2")
    names = [measure.name for measure in named(names)]
    scores = compute_all(cap, stack, names)
    generator = np.random.default_rng(seed)
    shuffled: dict[str, list[FloatArray]] = {name: [] for name in names}
    for number in range(draws):
        if progress is not None:
            progress(f"shuffling the tokens, {number + 1} of {draws}", number / draws)
        sides = [cap.stack(side).query_tokens for side in cap.stacks[:2]]
        reordered = cap.reordered(*(_shuffle(tokens, generator) for tokens in sides))
        for name, values in compute_all(reordered, stack, names).items():
            shuffled[name].append(values)
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
    """How far each head continues a repeated random sequence, float64 [L, H] in 0…1.

    The ``induction`` measure on two copies of a random token sequence, mean over draws; NaN on
    cross attention. No token occurs twice within a copy, so that every token of the second copy
    has one token to attend to: the one after its first copy. The copies follow the model's first
    special token: the one its tokenizer puts before a text, or else its begin token, or else
    none. An encoder–decoder reads the same on both sides, after its start token.

    Source: Olsson et al. 2022, "In-context Learning and Induction Heads".

    Args:
        model: from ``load_model``.
        length: tokens per copy.
        draws: number of sequences.
        seed: of the random generator.
        stack: None means the only one, or the first.
        progress: called before each sequence.

    Raises:
        ValueError: a length that the model cannot read twice or has no tokens for, no draws, or
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
        scores.append(MEASURES["induction"].compute(capture_ids(model, ids, decoder_ids), stack))
    mean: FloatArray = np.mean(scores, axis=0)
    return mean


def _shuffle(tokens: Tokens, generator: np.random.Generator) -> IntArray:
    """A random order of the tokens within each segment; special tokens keep their positions."""
    order = np.arange(len(tokens))
    for segment in np.unique(tokens.segment):
        members = np.flatnonzero((tokens.segment == segment) & ~tokens.special)
        order[members] = generator.permutation(members)
    return order


def _null(name: str, score: FloatArray, shuffled: FloatArray, draws: int, seed: int) -> Null:
    """Mean, standard deviation and z, over the draws [draws, L, H] in which a head has a score."""
    defined = ~np.isnan(shuffled)
    count = defined.sum(axis=0)
    undefined = np.full(score.shape, np.nan)
    mean = np.divide(shuffled.sum(axis=0, where=defined), count, out=undefined.copy(), where=count > 0)
    squares = ((shuffled - mean) ** 2).sum(axis=0, where=defined)
    std = np.sqrt(np.divide(squares, count - 1, out=undefined.copy(), where=count > 1))
    # A head that ignores order differs from its null by rounding only: z is 0.
    z = (score - mean) / np.maximum(std, _RESOLUTION * np.maximum(1, np.abs(mean)))
    return Null(name, score, mean, std, z, draws, seed)


def _first_token(model: LoadedModel) -> list[int]:
    """The special token that a text begins with, if there is one."""
    with model.lock:
        ids, tokens = encode(model.tokenizer, "a", max_tokens=None)
    if tokens.special[0]:
        return ids["input_ids"][:1]
    begin = model.tokenizer.bos_token_id
    return [] if begin is None else [begin]


def _ordinary_ids(model: LoadedModel) -> IntArray:
    """Vocabulary indices of all tokens except special and added ones, in ascending order."""
    tokenizer = model.tokenizer
    marked = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return np.array(sorted(set(tokenizer.get_vocab().values()) - marked), dtype=np.int64)

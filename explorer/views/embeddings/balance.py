"""Notes on whether sentences allow a comparison of senses: the positions of the word."""

from __future__ import annotations

import numpy as np

from explorer.records import IntArray, WordStudy
from explorer.views.embeddings.study import which_sentences

_DRAWS, _SEED = 2_000, 0
_CHANCE = 0.05
# Fewer tokens than this before the word are no context; so many times more after it hold most.
_TOKENS_BEFORE = 3
_TIMES_AFTER = 1.5


def set_notes(study: WordStudy) -> list[str]:
    """What a reader must know about the sentences before comparing senses, one line per note."""
    return [note for note in (position_note(study), context_note(study)) if note]


def position_note(study: WordStudy) -> str | None:
    """A note where token positions of the word differ between the senses.

    Position alone separates the vectors of models with learned positions, and of causal models,
    by the length of the context. The difference of the senses' mean positions (of the two
    farthest apart) is compared with ``_DRAWS`` permutations of the labels.

    Returns:
        None where every sense has the word at the same positions, or there is one sense.
    """
    senses = list(dict.fromkeys(o.sense for o in study.occurrences))
    labels = np.array([senses.index(o.sense) for o in study.occurrences])
    positions = np.array([o.position for o in study.occurrences])
    where = [sorted(positions[labels == number].tolist()) for number in range(len(senses))]
    if all(places == where[0] for places in where):
        return None
    means = [float(np.mean(places)) for places in where]
    p = _chance(positions, labels)
    listed = ", ".join(f"{sense or 'no sense'} {mean:.1f}" for sense, mean in zip(senses, means, strict=True))
    if p <= _CHANCE:
        follows = "position alone can separate these senses"
    else:
        follows = "labels drawn at random differ as much, yet the set is not balanced"
    return (
        f"the position of “{study.word}” differs between the senses (mean token: {listed}; "
        f"p = {p:.2g} by permutation): {follows}"
    )


def _chance(positions: IntArray, labels: IntArray) -> float:
    """How often random labels have mean positions as far apart, this draw among them."""
    rng = np.random.default_rng(_SEED)
    draws = np.stack([labels, *(rng.permutation(labels) for _ in range(_DRAWS))])
    means = np.stack(
        [
            np.where(draws == number, positions, 0).sum(axis=1) / (labels == number).sum()
            for number in range(labels.max() + 1)
        ]
    )
    spread = np.ptp(means, axis=0)
    return float(np.mean(spread >= spread[0] - 1e-9))


def context_note(study: WordStudy) -> str | None:
    """A note on sentences where a causal model cannot read the word's context, which follows it."""
    if not study.causal or study.options.echo:
        return None
    unread = {o.sentence + 1 for o in study.occurrences if _stands_after(*o.around)}
    if not unread:
        return None
    return (
        f"in {which_sentences(sorted(unread))} fewer than {_TOKENS_BEFORE} tokens stand before "
        f"“{study.word}”, or far fewer than after it: {study.model} reads from left to right, so "
        "what comes after cannot act on it; “context first” on the Embeddings page reads each "
        "sentence twice"
    )


def _stands_after(before: int, after: int) -> bool:
    """Whether a word's context is after it, given how many tokens stand on both sides."""
    return after > 0 and (before < _TOKENS_BEFORE or after > _TIMES_AFTER * before)

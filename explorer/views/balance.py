"""Whether a set of sentences can say anything of senses: where in them the word stands."""

from __future__ import annotations

import numpy as np

from explorer.records import IntArray, WordStudy
from explorer.views.study import which_sentences

_DRAWS, _SEED = 2_000, 0
_CHANCE = 0.05
_WORDS_BEFORE = 3  # fewer than this are no context


def set_notes(study: WordStudy) -> list[str]:
    """What a reader must know of a study's sentences before comparing senses, a line each."""
    return [note for note in (position_note(study), context_note(study)) if note]


def position_note(study: WordStudy) -> str | None:
    """That the word stands at other token positions in one sense than in another.

    Position alone parts vectors of models that learn positions, and how much a causal model
    has read. The difference of the senses' mean positions (of the two farthest apart) is
    held against labels drawn at random, ``_DRAWS`` times.

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
    told = ", ".join(
        f"{sense or 'no sense'} {mean:.1f}" for sense, mean in zip(senses, means, strict=True)
    )
    if p <= _CHANCE:
        follows = "position alone can part these senses"
    else:
        follows = "labels drawn at random differ as much, yet the set is not balanced"
    return (
        f"the position of “{study.word}” differs between the senses (mean token: {told}; "
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
    """Of a causal model: in which sentences (nearly) nothing stands before the word."""
    if not study.causal or study.options.echo:
        return None
    bare = [
        o.sentence + 1
        for o in study.occurrences
        if len(o.text[: o.span[0]].split()) < _WORDS_BEFORE
    ]
    if not bare:
        return None
    return (
        f"in {which_sentences(sorted(set(bare)))} fewer than {_WORDS_BEFORE} words stand before "
        f"“{study.word}”: {study.model} reads from left to right, so what comes after cannot act "
        "on it; “context first” reads each sentence twice"
    )

"""What a vector means: words near it, words the model reads from it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class NearestWords:
    """The vocabulary's words nearest to a vector, nearest first [k].

    ``cosines`` are those with the words' static vectors; ``own`` marks the word's own tokens.
    """

    labels: tuple[str, ...]
    ids: IntArray
    cosines: FloatArray
    own: BoolArray


@dataclass(frozen=True)
class Reading:
    """Predictions from a word's vector at each layer, 0…L.

    ``head`` is "next" (a causal head, which predicts the next token), "masked" (a
    masked-language-model head, which predicts this one), or "static" (no head: the words with
    the nearest static vectors).
    """

    head: str
    n_words: int  # number of words that are ranked
    labels: tuple[tuple[str, ...], ...]  # the first k words at each layer [L+1][k]
    ids: IntArray  # [L+1, k]
    values: FloatArray  # their probability, or cosine where ``head`` is "static" [L+1, k]
    own: str  # the word's own token
    own_id: int
    own_values: FloatArray  # [L+1]
    own_ranks: IntArray  # [L+1], from 1
    following: str | None = None  # the next token in the sentence; None where it is not predicted
    following_ranks: IntArray | None = None  # [L+1]


@dataclass(frozen=True)
class Meaning:
    """What a word means at one occurrence, or at several by their mean vector."""

    model: str
    revision: str | None
    word: str
    place: str  # the vector's occurrences, in words
    nearest: NearestWords  # words nearest to its static vector
    reading: Reading
    remarks: tuple[str, ...] = ()

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
    """What is read from a word's vector at each layer, 0…L.

    Attributes:
        head: what reads: "next" (a causal head, which predicts what comes next), "masked" (a
            masked-language-model head, which predicts what stands here), or "static" (no head:
            the words whose static vectors are nearest).
        n_words: how many words a rank is among.
        labels: the first k words at each layer [L+1][k].
        values: their probability, or cosine where ``head`` is "static" [L+1, k].
        own: the word's own token, and its value and rank (1 is first) at each layer [L+1].
        following: what comes next in the sentence, and its rank; None where nothing is read
            of it.
    """

    head: str
    n_words: int
    labels: tuple[tuple[str, ...], ...]
    ids: IntArray
    values: FloatArray
    own: str
    own_id: int
    own_values: FloatArray
    own_ranks: IntArray
    following: str | None = None
    following_ranks: IntArray | None = None


@dataclass(frozen=True)
class Meaning:
    """What a word means at one place, or on average over the places of a sense.

    Attributes:
        place: which vector it is, in words.
        nearest: words nearest to its static vector.
        remarks: what a reader must know of it, in words.
    """

    model: str
    revision: str | None
    word: str
    place: str
    nearest: NearestWords
    reading: Reading
    remarks: tuple[str, ...] = ()

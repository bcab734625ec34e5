"""Example sets: one word each, in sentences of two senses.

The sentences are in ``example_sets.tsv``. The word is lower case and in the middle of each, one
token for both bundled models. What reveals its sense comes before it, as a causal model reads
nothing else. Both senses have the word at the same token positions in both models, because
position alone can separate vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.text.sentences import Rows

OPENING_MODEL = "minilm"
OPENING_TEXT = "She ate an apple while Apple announced a phone."


@dataclass(frozen=True)
class ExampleSet:
    """A word and its sentences by sense."""

    title: str  # its name in the page's list
    word: str  # in every sentence, once
    rows: Rows  # (sense, sentence); the n-th sentence of either sense has the word at the same position
    anchors: tuple[str, ...]  # words of reference, of both senses


def _read(name: str, title: str, anchors: str) -> ExampleSet:
    lines = (line.split("\t") for line in _LINES)
    rows = tuple((sense, sentence) for owner, sense, sentence in lines if owner == name)
    return ExampleSet(title, title.partition(":")[0], rows, tuple(anchors.split()))


_LINES = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
EXAMPLE_SETS = {
    name: _read(name, title, anchors)
    for name, title, anchors in (
        ("apple", "apple: fruit or company", "banana orange Microsoft Google"),
        ("bank", "bank: river or money", "river shore money loan"),
        ("bat", "bat: animal or sport", "bird mouse ball racket"),
        ("spring", "spring: season or coil", "summer winter coil wire"),
        ("light", "light: lamp or weight", "lamp sun heavy thin"),
        ("python", "python: snake or language", "snake lizard Java code"),
        # The labels A and B were assigned to its pairs of sentences at random, once.
        ("control", "apple: a fruit throughout, labels by lot (control)", "banana orange Microsoft Google"),
    )
}
OPENING = EXAMPLE_SETS["apple"]

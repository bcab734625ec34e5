"""What is measured: texts of an exact number of tokens, and heads from all over a model."""

from __future__ import annotations

import random
from typing import Any

ADJECTIVES = ("old", "young", "green", "quiet", "small", "great", "dark", "early", "strange", "simple")
NOUNS = (
    "river",
    "house",
    "child",
    "teacher",
    "garden",
    "letter",
    "city",
    "window",
    "doctor",
    "mountain",
    "story",
    "winter",
    "market",
    "bridge",
    "forest",
    "captain",
    "horse",
    "kitchen",
    "machine",
    "summer",
)
VERBS = ("found", "followed", "left", "saw", "built", "kept", "heard", "reached", "painted", "sold")
PLACES = ("near", "behind", "across", "under", "before", "after", "with", "without", "from", "around")


def text_of(tokenizer: Any, n_tokens: int, seed: int = 0) -> str:
    """English sentences that make exactly so many tokens, special ones included.

    Raises:
        ValueError: so few tokens that the special ones leave no room.
    """
    chance = random.Random(seed)
    words = [word for _ in range(n_tokens) for word in _sentence(chance)]

    def length(n_words: int) -> int:
        return len(tokenizer(" ".join(words[:n_words]), verbose=False)["input_ids"])

    few, many = 0, len(words)  # the most words that fit are between these
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if length(middle) <= n_tokens else (few, middle)
    text = " ".join([*words[:few], *["so"] * (n_tokens - length(few))])
    if not few or len(tokenizer(text, verbose=False)["input_ids"]) != n_tokens:
        raise ValueError(f"no text of {n_tokens} tokens could be made: ask for more")
    return text


def _sentence(chance: random.Random) -> list[str]:
    who, whom, where = chance.sample(NOUNS, 3)
    return [
        "The",
        chance.choice(ADJECTIVES),
        who,
        chance.choice(VERBS),
        "the",
        whom,
        chance.choice(PLACES),
        "a",
        chance.choice(ADJECTIVES),
        f"{where}.",
    ]


def some_heads(n_layers: int, n_heads: int, count: int, seed: int = 0) -> list[tuple[int, int]]:
    """So many different heads, (layer, head), drawn at random; all of a smaller model.

    Never the first, which the page opens on: a click on it would change nothing.
    """
    places = range(1, n_layers * n_heads)
    drawn = random.Random(seed).sample(places, min(count, len(places)))
    return [divmod(place, n_heads) for place in drawn]

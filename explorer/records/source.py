"""What a record was made of: the model and what it read."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import AttentionStack, CapturedText


@dataclass(frozen=True)
class Source:
    """The model that a record was made with, and the text it read.

    Attributes:
        model: its name.
        revision: the checkpoint's commit, or a bundled model's package and version.
        text: the text; None where the record is of no single text.
        pair: the second text of a pair.
        truncation: which part of a longer text was read, in words; empty where all of it was.
    """

    model: str
    revision: str | None
    text: str | None = None
    pair: str | None = None
    truncation: str = ""

    @classmethod
    def of(cls, cap: CapturedText, stack: str | None = None) -> Source:
        """The source of what is computed from one stack of a capture; None means the first."""
        return cls(cap.model_name, cap.revision, cap.text, cap.pair, truncation(cap.stack(stack)))


def truncation(stack: AttentionStack) -> str:
    """Which part of a longer text was read, in words; empty where all of it was."""
    queries, keys = stack.query_tokens, stack.key_tokens
    if len(keys.texts) > 1 and keys.given is not None:
        return f"{len(keys):,} of both texts’ {keys.given:,} tokens are shown, the longer text cut first"
    sides = [(keys, "")] if queries is keys else [(queries, "query "), (keys, "key ")]
    parts = [
        f"the first {len(tokens):,} of {tokens.given:,} {side}tokens"
        for tokens, side in sides
        if tokens.given is not None
    ]
    return f"{' and '.join(parts)} are shown" if parts else ""

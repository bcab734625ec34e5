"""The source of a result: the model and its input."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import AttentionStack, CapturedText


@dataclass(frozen=True)
class Source:
    """The model and the text of a result."""

    model: str
    revision: str | None  # the checkpoint's commit, or a bundled model's package and version
    text: str | None = None  # None where the result is not of a single text
    pair: str | None = None  # the second text of a pair
    truncation: str = ""  # the part of a longer text that was read, in words; empty where all of it was

    @classmethod
    def of(cls, cap: CapturedText, stack: str | None = None) -> Source:
        """The source of results from one stack of a capture; None means the first."""
        return cls(cap.model_name, cap.revision, cap.text, cap.pair, truncation(cap.stack(stack)))


def truncation(stack: AttentionStack) -> str:
    """The part of a longer text that was read, in words; empty where all of it was."""
    queries, keys = stack.query_tokens, stack.key_tokens
    if len(keys.texts) > 1 and keys.n_untruncated is not None:
        return f"{len(keys):,} of both texts’ {keys.n_untruncated:,} tokens are shown, the longer text cut first"
    sides = [(keys, "")] if queries is keys else [(queries, "query "), (keys, "key ")]
    parts = [
        f"the first {len(tokens):,} of {tokens.n_untruncated:,} {side}tokens"
        for tokens, side in sides
        if tokens.n_untruncated is not None
    ]
    return f"{' and '.join(parts)} are shown" if parts else ""

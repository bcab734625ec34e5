"""Text to readable tokens: labels, character offsets, special tokens."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from tokenizers.models import BPE, WordPiece

from explorer.records import IntArray, Tokens

_WHITE_SPACE = {"\n": "⏎", "\r": "⏎", "\t": "⇥"}
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_UNUSED = re.compile(r"[\[<]unused_?\d+[\]>]|<\|?reserved\w*\|?>", re.IGNORECASE)
_WORD_MARKS = ("Ġ", "▁")  # begin a word in byte-level BPE and SentencePiece
_ROLES = ("bos", "eos", "cls", "sep", "pad", "mask")
# Characters that would reverse the text around them: shown as their code instead.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class TextTooLong(ValueError):
    """A text of ``n_tokens`` tokens for a model that reads at most ``limit``."""

    def __init__(self, what: str, n_tokens: int, limit: int) -> None:
        super().__init__(
            f"the {what} has {n_tokens:,} tokens; this model reads at most {limit:,}: shorten it, or truncate it"
        )
        self.n_tokens, self.limit = n_tokens, limit


def check_text(text: str, what: str = "text") -> None:
    """Raise ValueError for a text that is empty, white space only, or not valid Unicode."""
    if not isinstance(text, str):
        raise ValueError(f"the {what} is a {type(text).__name__}; it must be a string")
    if not text.strip():
        raise ValueError(f"the {what} is empty: type at least one word")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the {what} holds half a character (a lone surrogate) at position {error.start}: remove it"
        ) from None


def encode(
    tokenizer: Any,
    text: str,
    pair: str | None = None,
    *,
    max_tokens: int | None,
    target: bool = False,
    truncate: bool = False,
) -> tuple[dict[str, list[int]], Tokens]:
    """Tokenize ``text`` (and ``pair``) as the model expects, special tokens included.

    With ``target`` the text is a decoder's input (some tokenizers differ there). With
    ``truncate`` a text that is too long loses its last tokens (of a pair the longer text
    first) but keeps the special tokens.

    Returns:
        The model's inputs as lists (``input_ids`` and, if the tokenizer makes them,
        ``token_type_ids``), and the tokens with their labels.

    Raises:
        TextTooLong: more tokens than ``max_tokens``, and not ``truncate``.
        ValueError: empty text, or no token left.
    """
    what = "target text" if target else "text"
    check_text(text, what)
    if pair is not None:
        check_text(pair, "second text")
    typed: dict[str, str | None]
    typed = {"text_target": text} if target else {"text": text, "text_pair": pair}
    encoding, n_untruncated = _call(tokenizer, typed), None
    if max_tokens is not None and len(encoding["input_ids"]) > max_tokens:
        n_untruncated = len(encoding["input_ids"])
        if not truncate:
            raise TextTooLong(what, n_untruncated, max_tokens)
        encoding = _call(tokenizer, typed, truncation="longest_first", max_length=max_tokens)
    ids, added = list(encoding["input_ids"]), list(encoding["special_tokens_mask"])
    texts = (text,) if pair is None else (text, pair)
    if tokenizer.is_fast:
        segment = [-1 if s is None else s for s in encoding.sequence_ids()]
        offsets = _trimmed_offsets(tokenizer, ids, encoding["offset_mapping"], segment, texts)
    else:
        segment = _segments(added, pair is not None)
        offsets = _aligned_offsets(tokenizer, ids, segment, texts)
    for number, which in enumerate((what, "second text")[: len(texts)]):
        if number not in segment:
            raise ValueError(f"the {which} has no token this model knows: type at least one word")
    inputs = {"input_ids": ids}
    if "token_type_ids" in encoding:
        inputs["token_type_ids"] = list(encoding["token_type_ids"])
    special = _special_mask(tokenizer, ids, added)
    tokens = describe(tokenizer, ids, special, offsets, segment, texts)
    return inputs, replace(tokens, n_untruncated=n_untruncated)


def _call(tokenizer: Any, typed: dict[str, str | None], **truncation: Any) -> Any:
    return tokenizer(
        **typed, return_special_tokens_mask=True, return_offsets_mapping=tokenizer.is_fast, verbose=False, **truncation
    )


def describe(
    tokenizer: Any,
    ids: list[int],
    special: list[bool],
    offsets: list[tuple[int, int]],
    segment: list[int],
    texts: tuple[str, ...],
) -> Tokens:
    """Tokens with their labels, from ids and offsets."""
    pieces = tokenizer.convert_ids_to_tokens(ids)
    bare = [
        piece if is_special else _label(tokenizer, index, piece)
        for index, piece, is_special in zip(ids, pieces, special, strict=True)
    ]
    notes = tuple(
        _byte_note(piece)
        if label == "\ufffd"
        else f"typed: {_visible(typed)}"
        if index == tokenizer.unk_token_id and not is_special and seg >= 0 and (typed := texts[seg][slice(*offset)])
        else ""
        for index, piece, label, is_special, offset, seg in zip(
            ids, pieces, bare, special, offsets, segment, strict=True
        )
    )
    return Tokens(
        ids=np.asarray(ids, dtype=np.int64),
        labels=numbered(bare, [s or i == tokenizer.unk_token_id for s, i in zip(special, ids, strict=True)]),
        offsets=np.asarray(offsets, dtype=np.int64).reshape(-1, 2),
        special=np.asarray(special, dtype=bool),
        segment=np.asarray(segment, dtype=np.int64),
        notes=notes,
        texts=texts,
    )


def describe_generated(tokenizer: Any, ids: list[int]) -> Tokens:
    """Tokens with their labels for a decoder's own output, without a typed text."""
    special = _special_mask(tokenizer, ids, [0] * len(ids))
    text, offsets = "", []
    for end, is_special in enumerate(special, start=1):
        if is_special:
            offsets.append((0, 0))
            continue
        # The decoded text grows with each token, by the token's characters. A character split
        # into several tokens ends in � until its last byte.
        longer = tokenizer.decode(ids[:end], skip_special_tokens=True)
        offsets.append((min(len(text.rstrip("\ufffd")), len(longer)), len(longer)))
        text = longer
    segment = [-1 if is_special else 0 for is_special in special]
    return describe(tokenizer, ids, special, offsets, segment, (text,))


def _special_mask(tokenizer: Any, ids: list[int], added: list[int]) -> list[bool]:
    """Tokens the tokenizer added, and special tokens typed by hand; never the unknown token.

    Byte-level tokenizers encode any text: a token they call unknown (GPT-2 and SmolLM2 their
    end of text) appears only where it was typed, and is special.
    """
    named = {getattr(tokenizer, f"{role}_token_id") for role in _ROLES}
    model = tokenizer.backend_tokenizer.model if tokenizer.is_fast else None
    unknown = set() if isinstance(model, BPE) and model.unk_token is None else {tokenizer.unk_token_id}
    known = set(tokenizer.all_special_ids) - unknown | named
    return [bool(mark) or index in known for index, mark in zip(ids, added, strict=True)]


def _segments(added: list[int], paired: bool) -> list[int]:
    """Segment of each token for tokenizers that do not report it: added tokens separate the two."""
    segment, seen_text, current = [], False, 0
    for is_added in added:
        if is_added:
            current = 1 if (seen_text and paired) else 0
            segment.append(-1)
        else:
            seen_text = True
            segment.append(current)
    return segment


def _trimmed_offsets(
    tokenizer: Any, ids: list[int], offsets: list[tuple[int, int]], segment: list[int], texts: tuple[str, ...]
) -> list[tuple[int, int]]:
    """Offsets of a fast tokenizer; a space that it put before the text covers no character."""
    pieces = tokenizer.convert_ids_to_tokens(ids)
    return [
        (a, a) if piece == "▁" and seg >= 0 and texts[seg][a:b].strip() else (a, b)
        for piece, (a, b), seg in zip(pieces, offsets, segment, strict=True)
    ]


def _aligned_offsets(
    tokenizer: Any, ids: list[int], segment: list[int], texts: tuple[str, ...]
) -> list[tuple[int, int]]:
    """Character positions for tokenizers without offsets: each piece is searched from left to right."""
    # Lower case may have another length (İ); then the original text is searched.
    lowered = [text.lower() if len(text.lower()) == len(text) else text for text in texts]
    cursor = [0] * len(texts)
    offsets = []
    for index, seg in zip(ids, segment, strict=True):
        if seg < 0:
            offsets.append((0, 0))
            continue
        piece = tokenizer.decode([index]).replace("▁", " ").strip()
        start = lowered[seg].find(piece.lower(), cursor[seg]) if piece else -1
        if start < 0:
            offsets.append((cursor[seg], cursor[seg]))
            continue
        cursor[seg] = start + len(piece)
        offsets.append((start, cursor[seg]))
    return offsets


def _label(tokenizer: Any, index: int, piece: str) -> str:
    """Decoded text of one token, without the tokenizer's marks, its invisible characters visible."""
    if index == tokenizer.unk_token_id:
        return piece
    if byte := _BYTE_TOKEN.fullmatch(piece):
        return _visible(bytes([int(byte[1], 16)]).decode("utf-8", errors="replace"))
    text = tokenizer.decode([index], clean_up_tokenization_spaces=False).replace("▁", " ")
    if piece.startswith("##") and len(piece) > 2 and _is_wordpiece(tokenizer):
        text = text.removeprefix("##")
    return _visible(text or piece.replace("▁", " "))


def _is_wordpiece(tokenizer: Any) -> bool:
    """Whether ``##`` marks a continuation of a word (GPT-2 has ``####`` as a word)."""
    if tokenizer.is_fast:
        return isinstance(tokenizer.backend_tokenizer.model, WordPiece)
    return not hasattr(tokenizer, "sp_model")


def _visible(text: str) -> str:
    """The text without outer spaces, with symbols or codes for invisible characters."""
    if "\ufffd" in text:
        return "\ufffd"
    stripped = text.strip()
    if not stripped:
        return "".join(_WHITE_SPACE.get(character, "␣") for character in text) or "∅"
    # Joiners belong inside an emoji or a word; alone they would make an empty label.
    alone = all(unicodedata.category(character) == "Cf" for character in stripped)
    return "".join(
        _code(c) if alone or unicodedata.category(c) == "Cc" or c in _BIDI_CONTROLS else c for c in stripped
    )


def _code(character: str) -> str:
    value = ord(character)
    return f"\\x{value:02x}" if value < 0x100 else f"\\u{value:04x}"


def _byte_note(piece: str) -> str:
    """The bytes of a part of a split character, in hexadecimal."""
    match = _BYTE_TOKEN.fullmatch(piece)
    values = [int(match[1], 16)] if match else [_BYTE_OF.get(c) for c in piece]
    if any(value is None for value in values):
        return ""
    return "bytes " + " ".join(f"{value:02X}" for value in values)


def numbered(labels: list[str], special: list[bool]) -> tuple[str, ...]:
    """Number repeated labels in reading order, except those of special tokens."""
    total = Counter(label for label, is_special in zip(labels, special, strict=True) if not is_special)
    seen: Counter[str] = Counter()
    numbered = []
    for label, is_special in zip(labels, special, strict=True):
        if is_special or total[label] < 2:
            numbered.append(label)
            continue
        seen[label] += 1
        numbered.append(f"{label}·{seen[label]}")
    return tuple(numbered)


def ordinary_ids(tokenizer: Any, rows: int) -> IntArray:
    """Rows of an embedding table with ordinary tokens, in ascending order.

    Without special and unused tokens, and rows without a token.
    """
    pieces = tokenizer.convert_ids_to_tokens(range(min(rows, len(tokenizer))))
    special = set(tokenizer.all_special_ids) | {
        index for index, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    ordinary = [i for i, piece in enumerate(pieces) if piece and i not in special and not _UNUSED.fullmatch(piece)]
    return np.array(ordinary, dtype=np.int64)


def vocabulary_labels(tokenizer: Any, ids: list[int]) -> tuple[str, ...]:
    """Labels of tokens outside any text; a token that continues a word begins with ``…``."""
    mark = tokenizer.convert_ids_to_tokens(tokenizer.encode("a a", add_special_tokens=False))[-1][:1]
    special = set(tokenizer.all_special_ids)
    labels = []
    for index, piece in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
        # A model may have more rows than its tokenizer has tokens.
        label = f"row {index}" if piece is None else piece
        if piece and index not in special:
            label = _label(tokenizer, index, piece)
            continues = not piece.startswith(mark) if mark in _WORD_MARKS else piece[:2] == "##"
            label = f"…{label}" if continues and label[:1].isalnum() else label
        labels.append(label)
    return tuple(labels)


# The bytes of the characters that byte-level BPE writes them with (Radford et al. 2019).
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [value for value in range(256) if value not in _PRINTABLE]
_BYTE_OF = {chr(value): value for value in _PRINTABLE} | {chr(256 + i): value for i, value in enumerate(_OTHERS)}

"""Sentences with sense labels, from typed or pasted text and from files."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Rows = tuple[tuple[str, str], ...]

MAX_SENTENCES = 500
MAX_CHARACTERS = 5_000  # of a sentence
MAX_BYTES = 2_000_000  # of a file
MAX_ANCHORS = 12

_HEADS = {"sense": ("sense", "label"), "sentence": ("sentence", "text")}
PASTED = "the sentences"  # name of a pasted table in errors
# A quote right after a separator, or after a whole quoted cell, which prose does not have.
_QUOTED_CELL = re.compile(r'\s*(?:"(?:[^"]|"")*"|[^,;"]*)[,;]"')
_ENDS_A_LINE = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


class Line(NamedTuple):
    """A row of a file, with its place as errors name it."""

    place: str
    sense: str
    sentence: str


def sentences_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines of ``sense | sentence``, the form of the page's editor."""
    return "\n".join(
        f"{_one_line(sense).replace('|', '/')} | {_one_line(sentence)}".strip() for sense, sentence in rows
    )


def _one_line(cell: str) -> str:
    return _ENDS_A_LINE.sub(" ", cell).strip()


def parse_sentences(text: str) -> list[tuple[str, str]]:
    """Read lines of ``sense | sentence`` (or with a tab); a line without a separator has no sense.

    Empty lines are left out. A CSV, or a table with a header, is read like a file.

    Raises:
        ValueError: a line of such a table that cannot be read.
    """
    by_comma = is_table(text)
    if by_comma is not None:
        return [(line.sense, line.sentence) for line in read_table(text, PASTED, by_comma)]
    rows = []
    for line in text.splitlines():
        sense, found, sentence = line.partition("\t" if "\t" in line.strip() else "|")
        row = (sense.strip(), sentence.strip()) if found else ("", line.strip())
        if any(row):
            rows.append(row)
    return rows[1:] if rows and _named_columns(rows[0]) == (0, 1) else rows


def is_table(text: str) -> bool | None:
    """Whether pasted text is a table with commas (or semicolons), True, or tabs, False.

    None for plain lines. A CSV without a header has quoted cells, or rows of two cells separated
    unlike in prose: without a space, and not within a number.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return None
    if _names_both(lines[0].split("\t")):
        return False
    if not any(mark in lines[0] for mark in ",;"):
        return None
    if _names_both(re.split("[,;]", lines[0].replace('"', ""))):
        return True
    if any(mark in line for line in lines for mark in "\t|"):
        return None
    if any(_QUOTED_CELL.match(line) for line in lines):
        return True
    try:
        cells = [cells for _, cells in _csv_rows(text, PASTED) if any(cells)]
    except ValueError:
        return None
    return True if all(map(_is_row, cells)) else None


def _names_both(cells: Sequence[str]) -> bool:
    columns = _named_columns(cells)
    return columns is not None and columns[0] is not None


def _is_row(cells: Sequence[str]) -> bool:
    """Whether cells are a sense and a sentence, not prose with a comma."""
    if len(cells) != 2 or not all(cells) or cells[1][0].isspace():
        return False
    return not (cells[0][-1].isdigit() and cells[1][0].isdigit())


def parse_anchors(text: str) -> tuple[str, ...]:
    """Unique words of reference from a comma-separated list.

    Raises:
        ValueError: more than ``MAX_ANCHORS``.
    """
    anchors = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if len(anchors) > MAX_ANCHORS:
        raise ValueError(f"there are {len(anchors)} anchor words; at most {MAX_ANCHORS} are shown")
    return anchors


def check_rows(rows: Sequence[tuple[str, str]]) -> None:
    """Raise ValueError for no or more than ``MAX_SENTENCES`` sentences, or an empty or too long one."""
    if not rows:
        raise ValueError("there is no sentence: type at least one that holds the word")
    if len(rows) > MAX_SENTENCES:
        raise ValueError(f"there are {len(rows)} sentences; at most {MAX_SENTENCES} are compared")
    for number, (sense, sentence) in enumerate(rows, start=1):
        if not sentence:
            raise ValueError(f"sentence {number} is empty: write one after “{sense} |”")
        if len(sentence) > MAX_CHARACTERS:
            raise ValueError(
                f"sentence {number} has {len(sentence):,} characters; at most {MAX_CHARACTERS:,} are read"
            )


def decoded(data: bytes, name: str) -> str:
    """The text of a file of sentences, as ``plain_text``.

    Raises:
        ValueError: not a text file, or in another encoding.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in data and not utf16:
        raise ValueError(f"{name} is not a text file: use sentences as TSV or CSV")
    return plain_text(data, name)


def plain_text(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte-order mark, as from Excel.

    Raises:
        ValueError: another encoding; the message has the line.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line} is not UTF-8: save it in that encoding") from None


def read_table(text: str, name: str, by_comma: bool | None = None) -> list[Line]:
    """Rows of a file, separated by commas (or semicolons) if ``by_comma``, else by tabs.

    None means commas for a name that ends in .csv. The first column is the sense and the second
    the sentence, unless the first row names the columns. A CSV of one column has no senses.
    Blank lines are left out.

    Raises:
        ValueError: a line that cannot be read, or no sentence at all.
    """
    if by_comma is None:
        by_comma = name.lower().endswith(".csv")
    if by_comma:
        rows = _csv_rows(text, name)
    else:
        rows = [(number, line.rstrip("\r").split("\t")) for number, line in enumerate(text.split("\n"), start=1)]
    rows = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    columns = _named_columns(rows[0][1]) if rows else None
    found = []
    for number, cells in rows[0 if columns is None else 1 :]:
        place = f"{name}, line {number}"
        if columns is None:
            sense, sentence = _plain_row(place, cells, len(rows[0][1]), by_comma)
        else:
            padded = [*cells, *[""] * (1 + max(i or 0 for i in columns) - len(cells))]
            sense, sentence = ("" if i is None else padded[i] for i in columns)
        if not sentence.strip():
            raise ValueError(f"{place} has no sentence{'' if by_comma else ' after its tab'}")
        found.append(Line(place, sense.strip(), sentence.strip()))
    if not found:
        raise ValueError(f"{name} has no sentence: write lines of sense, tab, sentence")
    return found


def _csv_rows(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Number of the first line and cells of each row."""
    first = text.lstrip().partition("\n")[0]
    semicolons = ";" in first and "," not in first
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolons else ",", strict=True)
    rows, number = [], 1
    try:
        for cells in reader:
            rows.append((number, cells))
            number = reader.line_num + 1
    except csv.Error as error:
        reason = "its quote is never closed" if "end of data" in str(error) else str(error)
        raise ValueError(
            f"{name}, line {number} cannot be read as CSV: {reason}; double the quotes within a quoted sentence"
        ) from None
    return rows


def _named_columns(cells: Sequence[str]) -> tuple[int | None, int] | None:
    """Columns of sense and sentence, if the first row names them."""
    names = [cell.strip().lower() for cell in cells]
    sense, sentence = (next((i for i, name in enumerate(names) if name in known), None) for known in _HEADS.values())
    if sentence is None or (sense is None and len(names) > 1):
        return None
    return sense, sentence


def _plain_row(place: str, cells: Sequence[str], first: int, by_comma: bool) -> tuple[str, str]:
    """Sense and sentence of a row whose columns have no names."""
    if not by_comma:
        if len(cells) == 1:
            raise ValueError(f"{place} has no tab: write the sense, a tab, and the sentence")
        return cells[0], "\t".join(cells[1:])
    if len(cells) != first or len(cells) > 2:
        raise ValueError(
            f"{place} has {len(cells)} columns instead of sense and sentence: put a sentence with commas in quotes"
        )
    return (cells[0], cells[1]) if first == 2 else ("", cells[0])

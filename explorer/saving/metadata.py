"""A file's record put into it and read out again, format by format.

Nothing but the record is changed: a picture's dots, a drawing's text and a table's rows stay.
"""

from __future__ import annotations

import csv
import html
import io
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL.PngImagePlugin import PngImageFile, PngInfo

from explorer.saving.provenance import Provenance

_NAME = "explorer"
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = re.compile(r"<svg\b[^>]*>")
_IN_SVG = re.compile(r'<metadata id="explorer">(.*?)(?:</metadata>|\Z)', re.DOTALL)
_IN_HTML = re.compile(r'<script type="application/json" id="explorer">(.*?)(?:</script>|\Z)', re.DOTALL)
HEAD = f"{_NAME}: "  # what the last column of a CSV is headed by, before its record


def in_png(data: bytes, record: Provenance, dots: float = 1.0) -> bytes:
    """A PNG with its size on paper, and its record as international text "explorer".

    Args:
        data: the picture.
        record: what made it.
        dots: for each 1/96 inch.
    """
    text, file = PngInfo(), io.BytesIO()
    text.add_itxt(_NAME, _written(record))
    with PngImageFile(io.BytesIO(data)) as image:
        image.save(file, "PNG", pnginfo=text, dpi=(96 * dots, 96 * dots))
    return file.getvalue()


def in_svg(data: str, record: Provenance) -> str:
    """A drawing with its record as metadata."""
    told = f'<metadata id="{_NAME}">{html.escape(_written(record), quote=False)}</metadata>'
    return _SVG.sub(lambda found: found[0] + told, data, count=1)


def in_pdf(data: bytes, record: Provenance, scale: float = 1.0) -> bytes:
    """A document ``scale`` times as large, with its record among its information."""
    from pypdf import PdfReader, PdfWriter  # slow to import, and only needed here

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page in writer.pages:
        page.scale_by(scale)
    writer.add_metadata({f"/{_NAME}": _written(record), "/Creator": "attention explorer"})
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def html_part(record: Provenance) -> str:
    """The element of a page that holds its record."""
    told = _written(record).replace("<", "\\u003c")
    return f'<script type="application/json" id="{_NAME}">{told}</script>'


def csv_head(record: Provenance) -> str:
    """What the last, empty column of a table is headed by."""
    return HEAD + _written(record)


def npz_bytes(arrays: dict[str, np.ndarray], record: Provenance) -> bytes:
    """Arrays by name, with the record as the text "explorer"."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays, **{_NAME: np.array(_written(record))})  # type: ignore[arg-type]
    return file.getvalue()


def read_provenance(data: bytes, name: str) -> Provenance:
    """The record of a file of any format that is written here.

    But of a PDF, whose objects are found by their places, a file's two ends are enough: the
    record is in one of them.

    Args:
        data: the file.
        name: what an error calls it.

    Raises:
        ValueError: it holds none, is no such file, or is damaged.
    """
    _, kind, read = next((reader for reader in _BINARY if data.startswith(reader[0])), (b"", "text", _text_record))
    try:
        record = read(data)
        _written(record).encode()  # what was read can be told again
    except Exception:  # each reader has errors of its own, and those of what it stands on
        raise ValueError(
            f"{name} cannot be read as {kind}: it is damaged or incomplete; give the file as it was saved here"
        ) from None
    if not _is_record(record):
        raise ValueError(
            f"{name} holds no record of what made it: give a file that was saved here, as PNG, "
            "SVG, PDF, HTML, CSV, JSON, NPZ or Parquet"
        )
    return dict(record)


def _is_record(found: Any) -> bool:
    named = {"kind": str, "link": str, "model": str, "settings": dict}
    return isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in named.items())


def _png_record(data: bytes) -> Any:
    # Only what is before the picture's dots is read, so that a file without its middle will do.
    told = PngImageFile(io.BytesIO(data)).info.get(_NAME)
    return None if told is None else json.loads(told)


def _pdf_record(data: bytes) -> Any:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    document = PdfReader(io.BytesIO(data))
    if document.is_encrypted or document.metadata is None:
        return None
    told = document.metadata.get(f"/{_NAME}")
    return None if told is None else json.loads(str(told))


def _npz_record(data: bytes) -> Any:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return json.loads(str(arrays[_NAME])) if _NAME in arrays else None


def _parquet_record(data: bytes) -> Any:
    from pyarrow import parquet  # large, and only needed here

    told = (parquet.read_schema(io.BytesIO(data)).metadata or {}).get(_NAME.encode())
    return None if told is None else _provenance(told.decode())


def _text_record(data: bytes) -> Any:
    # A byte that is no text is no harm outside the record.
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if text.lstrip().startswith("{"):
        return _provenance(text)
    if (found := _IN_SVG.search(text)) is not None:
        return json.loads(html.unescape(found[1]))
    if (found := _IN_HTML.search(text)) is not None:
        return json.loads(found[1])
    head = _last_head(text)
    return json.loads(head.removeprefix(HEAD)) if head.startswith(HEAD) else None


def _provenance(told: str) -> Any:
    _, key, last = told.rpartition('\n"provenance": ')
    if key:  # a line of its own, as files are written here: all before it may be missing
        return json.JSONDecoder().raw_decode(last)[0]
    found = json.loads(told)
    return found.get("provenance") if isinstance(found, dict) else None


def _last_head(text: str) -> str:
    """The head of a table's last column, however long it is; of what is no table, none."""
    before = csv.field_size_limit(max(len(text), 1))
    try:
        return "".join(next(csv.reader(io.StringIO(text, newline="")), [])[-1:])
    except csv.Error:
        return ""
    finally:
        csv.field_size_limit(before)


# What a file of a format begins with, what the format is called, and what reads its record: None
# where there is none, any error where it is damaged.
_BINARY: tuple[tuple[bytes, str, Callable[[bytes], Any]], ...] = (
    (_PNG, "PNG", _png_record),
    (b"%PDF", "PDF", _pdf_record),
    (b"PK", "NPZ", _npz_record),
    (b"PAR1", "Parquet", _parquet_record),
)


def _written(record: Provenance) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False)

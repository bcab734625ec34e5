"""What a PDF has on its pages: their sizes and their text."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass

from pypdf import PdfReader


@dataclass(frozen=True)
class Sheet:
    """One page: width and height in points, and its text without white space."""

    width: float
    height: float
    text: str


def pages(data: bytes) -> list[Sheet]:
    """The pages of a PDF, read without a browser."""
    return [
        Sheet(
            float(page.mediabox.width),
            float(page.mediabox.height),
            "".join(unicodedata.normalize("NFKC", page.extract_text()).split()),
        )
        for page in PdfReader(io.BytesIO(data), strict=True).pages
    ]

"""What a PDF that Chromium printed has on its pages: their sizes and their text."""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Sheet:
    """One page: width and height in points, and its text without white space."""

    width: float
    height: float
    text: str


def pages(data: bytes) -> list[Sheet]:
    """The pages of a PDF, read without a browser."""
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    objects = {
        int(number): body for number, body in re.findall(rb"(?ms)^(\d+) 0 obj\s(.*?)\nendobj", data)
    }
    found = []
    for body in objects.values():
        if not body.startswith(b"<</Type /Page\n"):
            continue
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", body)
        contents = re.search(rb"/Contents (\d+)", body)
        assert box is not None
        assert contents is not None
        fonts = {
            name: _unicode(objects, objects[int(number)])
            for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)
        }
        drawn = _stream(objects[int(contents[1])])
        found.append(Sheet(float(box[1]), float(box[2]), _text(drawn, fonts)))
    return found


def _stream(body: bytes) -> bytes:
    packed = re.search(rb"stream\r?\n(.*)\r?\nendstream", body, re.DOTALL)
    assert packed is not None
    return zlib.decompress(packed[1]) if b"/FlateDecode" in body else packed[1]


def _unicode(objects: dict[int, bytes], font: bytes) -> tuple[int, dict[int, str]]:
    """A font's bytes a glyph, and what each glyph stands for."""
    number = re.search(rb"/ToUnicode (\d+)", font)
    assert number is not None
    table = _stream(objects[int(number[1])])
    glyphs: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in re.findall(rb"<(\w+)> <(\w+)>", block):
            glyphs[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(rb"<(\w+)> <(\w+)> <(\w+)>", block):
            for glyph in range(int(first, 16), int(last, 16) + 1):
                glyphs[glyph] = chr(int(text, 16) + glyph - int(first, 16))
    return (1 if b"/Type3" in font else 2), glyphs


def _text(drawn: bytes, fonts: dict[bytes, tuple[int, dict[int, str]]]) -> str:
    text, size, glyphs = "", 2, {0: ""}
    for font, shown in re.findall(rb"/(F\d+) [\d.]+ Tf|<(\w+)> Tj", drawn):
        if font:
            size, glyphs = fonts[font]
            continue
        codes = bytes.fromhex(shown.decode())
        for place in range(0, len(codes), size):
            text += glyphs.get(int.from_bytes(codes[place : place + size]), "�")
    return "".join(unicodedata.normalize("NFKC", text).split())

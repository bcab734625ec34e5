"""Numbers in rows and columns, and how they are written as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows under a header; None is an empty cell, and so is what is no number (NaN)."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, header: Iterable[object], rows: Iterable[Sequence[Any]]) -> Table:
        """A table of any rows; its header's names are written out."""
        return cls(tuple(map(str, header)), tuple(tuple(row) for row in rows))

    def headed(self, said: str) -> Table:
        """The same with a last, empty column whose head says something of the whole.

        A comment line would be one more row to most readers of CSV.
        """
        return replace(self, header=(*self.header, said), rows=tuple((*row, None) for row in self.rows))

    def cut(self, truncation: str) -> Table:
        """The same, which says what of a longer text it is of; as it is where it is of all."""
        return self.headed(f"truncated: {truncation}") if truncation else self

    def csv(self) -> str:
        """The table as CSV in full precision."""
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(self.header)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return file.getvalue()


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and value != value else value

"""Tables of numbers, and their CSV form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows under a header; None and NaN are empty cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, header: Iterable[object], rows: Iterable[Sequence[Any]]) -> Table:
        """A table of any rows, with its header's names as strings."""
        return cls(tuple(map(str, header)), tuple(tuple(row) for row in rows))

    def headed(self, remark: str) -> Table:
        """The table with a remark, as the head of a last, empty column.

        Most readers of CSV would take a comment line for a row.
        """
        return replace(self, header=(*self.header, remark), rows=tuple((*row, None) for row in self.rows))

    def cut(self, truncation: str) -> Table:
        """The table with a remark on the part of a longer text that it is of, if any."""
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

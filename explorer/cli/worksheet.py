"""The command ``worksheet``: one query of a head, to be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from explorer.capture import Capture, capture
from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import standard_input
from explorer.cli.telling import sayer
from explorer.cli.writing import format_of, write
from explorer.export.formats import to_json
from explorer.export.printing import pdf_bytes
from explorer.export.worksheet import SHEETS, worksheet_json, worksheet_table
from explorer.export.worksheet_page import check_paper, worksheet_html
from explorer.head_maps import head_maps
from explorer.records import ModelError, QueryRow
from explorer.views.inside import query_row
from explorer.views.worksheet import check_digits


def worksheet(
    text: options.Text,
    layer: Annotated[int, typer.Option(help="Layer, counted from 0.")],
    head: Annotated[int, typer.Option(help="Head, counted from 0.")],
    query: Annotated[int, typer.Option(help="The token that attends, counted from 0.")],
    stack: options.Stack = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    digits: Annotated[
        int, typer.Option(help="Decimals on the page, 1 to 6; JSON and CSV are not rounded.")
    ] = 2,
    blank: Annotated[
        bool, typer.Option("--blank", help="Empty boxes to fill in, and a key on the last page.")
    ] = False,
    paper: Annotated[str, typer.Option(help="A4 or Letter, of a PDF.")] = "A4",
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write; .html, .pdf, .json or .csv names the format. "
            "[default: JSON to standard output]",
        ),
    ] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one query of a head step by step, as an exercise to print or as its numbers.

    \b
    Example:
      python -m explorer worksheet "She ate an apple." --layer 1 --head 8 --query 4 -o apple.html
    """  # noqa: D301
    kind = format_of(output, force, SHEETS)
    check_digits(digits)
    check_paper(paper)
    text = standard_input() if text == "-" else text
    loaded = load(model, device, dtype, revision, quiet)
    cap = capture(loaded, text, pair, target, truncate=truncate)
    row = _row(cap, layer, head, query, stack)
    if row.truncation:
        sayer(quiet)(f"truncated: {row.truncation}")
    settings = {"digits": digits, "blank": blank, "target": target, **settings_of(loaded)}
    make: dict[str, Callable[[], str | bytes]] = {
        "json": lambda: to_json(worksheet_json(row, settings)),
        "csv": lambda: worksheet_table(row).csv(),
        "html": lambda: worksheet_html(row, digits, blank),
        "pdf": lambda: pdf_bytes(worksheet_html(row, digits, blank, paper)),
    }
    write(make[kind](), output)


def _row(cap: Capture, layer: int, head: int, query: int, stack: str | None) -> QueryRow:
    """The query's row, with what it is before rotation where that is known."""
    cap.stack(stack).score_parts(layer, head, query)  # what there is not is said at once
    try:
        maps = head_maps(cap, layer, head, stack)
    except ModelError:
        maps = None
    return query_row(cap, layer, head, query, stack, maps)

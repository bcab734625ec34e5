"""The command ``worksheet``: one query of a head, to be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import sayer
from explorer.cli.writing import outlet
from explorer.export.files import SHEETS

if TYPE_CHECKING:
    from explorer.capture import Capture
    from explorer.models import Progress
    from explorer.records import QueryRow


def worksheet(
    text: options.Text = None,
    *,
    source: options.From = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    layer: options.Layer,
    head: options.Head,
    query: Annotated[
        int,
        typer.Option(help="The token that attends, counted from 0.", rich_help_panel=options.SHOW),
    ],
    stack: options.Stack = None,
    digits: Annotated[
        int,
        typer.Option(
            help="Decimals on the page, 1 to 6; JSON and CSV are not rounded.",
            rich_help_panel=options.SHOW,
        ),
    ] = 2,
    blank: Annotated[
        bool,
        typer.Option(
            "--blank",
            help="Empty boxes to fill in, and a key on the last page.",
            rich_help_panel=options.SHOW,
        ),
    ] = False,
    paper: Annotated[
        str, options.choice("A4", "Letter", panel=options.SHOW, help="A4 or Letter, of a PDF.")
    ] = "A4",
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: Annotated[Path | None, options.output(*SHEETS)] = None,
    form: Annotated[str | None, options.format_option(*SHEETS)] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one query of a head step by step, to be worked out.

    \b
    Examples:
      python -m explorer worksheet "She ate an apple." --layer 1 --head 8 --query 4 -o apple.html
      python -m explorer worksheet "She ate." --layer 1 --head 8 --query 2 --blank -o ate.pdf
    """  # noqa: D301
    from explorer.capture import capture
    from explorer.export.formats import to_json
    from explorer.export.printing import printer
    from explorer.export.worksheet import worksheet_json, worksheet_table
    from explorer.export.worksheet_page import check_paper, worksheet_html
    from explorer.views.worksheet import check_digits

    check_digits(digits)
    check_paper(paper)
    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts, SHEETS)
    loaded = load(model, device, dtype, revision, quiet)
    settings = {"digits": digits, "blank": blank, "target": target, **settings_of(loaded)}

    def content(one: GivenText, _tell: Progress | None) -> str | bytes:
        cap = capture(loaded, one.text, pair, target, truncate=truncate)
        row = _row(cap, layer, head, query, stack)
        if row.truncation:
            sayer(quiet)(f"{one.place}truncated: {row.truncation}")
        make: dict[str, Callable[[], str | bytes]] = {
            "json": lambda: to_json(worksheet_json(row, settings)),
            "csv": lambda: worksheet_table(row).csv(),
            "html": lambda: worksheet_html(row, digits, blank),
            "pdf": lambda: print_page(worksheet_html(row, digits, blank, paper)),
        }
        return make[out.kind]()

    with printer() as print_page:
        write_each(texts, out, content, quiet)


def _row(cap: Capture, layer: int, head: int, query: int, stack: str | None) -> QueryRow:
    """The query's row, with what it is before rotation where that is known."""
    from explorer.head_maps import head_maps
    from explorer.records import ModelError
    from explorer.views.inside import query_row

    cap.stack(stack).score_parts(layer, head, query)  # what there is not is said at once
    try:
        maps = head_maps(cap, layer, head, stack)
    except ModelError:
        maps = None
    return query_row(cap, layer, head, query, stack, maps)

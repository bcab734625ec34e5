"""The command ``worksheet``: one query of a head, to be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import sayer
from explorer.cli.writing import outlet
from explorer.saving.files import SHEETS

if TYPE_CHECKING:
    from explorer.capture.loading import Progress


def worksheet(
    text: options.Text = None,
    *,
    source: options.From = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    layer: options.Layer,
    head: options.Head,
    query: Annotated[int, typer.Option(help="The token that attends, counted from 0.", rich_help_panel=options.SHOW)],
    stack: options.Stack = None,
    digits: Annotated[
        int,
        typer.Option(help="Decimals on the page, 1 to 6; JSON and CSV are not rounded.", rich_help_panel=options.SHOW),
    ] = 2,
    blank: Annotated[
        bool,
        typer.Option(
            "--blank", help="Empty boxes to fill in, and a key on the last page.", rich_help_panel=options.SHOW
        ),
    ] = False,
    paper: Annotated[str, options.choice("A4", "Letter", panel=options.SHOW, help="A4 or Letter, of a PDF.")] = "A4",
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
    from explorer.saving.metadata import html_part, in_pdf
    from explorer.saving.printing import printer
    from explorer.saving.save import saved
    from explorer.views.inside.worksheet import VIEW
    from explorer.views.inside.worksheet.page import check_paper, worksheet_html
    from explorer.views.inside.worksheet.rounding import check_digits
    from explorer.views.inside.worksheet.view import drawn, page_record

    check_digits(digits)
    check_paper(paper)
    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts, SHEETS)
    session = session_with(model, device, dtype, revision, quiet)
    chosen = {
        **VIEW.settings.defaults(),
        "model": model,
        "pair": pair or "",
        "target": target or "",
        "truncate": truncate,
        "stack": stack or "",
        "layer": layer,
        "head": head,
        "query": query,
    }

    def content(one: GivenText, _tell: Progress | None) -> str | bytes:
        state = {**chosen, "text": one.text}
        exhibit, row = VIEW.make(session, VIEW.settings.of(state)), drawn(session, state)
        if row.truncation:
            sayer(quiet)(f"{one.place}truncated: {row.truncation}")
        if out.kind in ("json", "csv"):
            return saved(session, exhibit, out.kind)
        chosen_paper = paper if out.kind == "pdf" else ""
        told = page_record(session, exhibit, out.kind, digits, blank, chosen_paper)
        if out.kind == "html":
            return worksheet_html(row, digits, blank, about=html_part(told))
        return in_pdf(print_page(worksheet_html(row, digits, blank, paper)), told)

    with printer() as print_page:
        write_each(texts, out, content, quiet)

"""The command ``worksheet``: one query of a head, to be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import say_cut, sayer
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
    from explorer.saving.metadata import in_pdf
    from explorer.saving.printing import printer
    from explorer.saving.save import saved
    from explorer.saving.worksheet_page import page_provenance, worksheet_page
    from explorer.views.inside.worksheet import VIEW, WorksheetSettings
    from explorer.views.inside.worksheet.page import check_paper, worksheet_html
    from explorer.views.inside.worksheet.rounding import check_digits

    check_digits(digits)
    check_paper(paper)
    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts, SHEETS)
    session = session_with(model, device, dtype, revision, quiet)
    chosen = WorksheetSettings(
        model=model,
        pair=pair or "",
        target=target or "",
        truncate=truncate,
        stack=stack or "",
        layer=layer,
        head=head,
        query=query,
    )

    def content(one: GivenText, progress: Progress | None) -> str | bytes:
        view = VIEW.make(session, replace(chosen, text=one.text), progress)
        say_cut(sayer(quiet, one.place), view.truncation)
        if out.kind in ("json", "csv"):
            return saved(session, view, out.kind)
        if out.kind == "html":
            return worksheet_page(session, view, digits, blank)
        made = page_provenance(session, view, out.kind, digits, blank, paper)
        return in_pdf(print_page(worksheet_html(view.record, digits, blank, paper)), made)

    with printer() as print_page:
        write_each(texts, out, content, quiet)

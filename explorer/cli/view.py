"""The command ``view``: any view of the page, by its address, to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from explorer.cli import options
from explorer.cli.loading import session_of_view, told
from explorer.cli.telling import sayer
from explorer.cli.writing import format_of, write
from explorer.export.files import FORMATS

Link = Annotated[
    str,
    typer.Argument(
        metavar="LINK", help="The address of the view: what follows the host in the page's bar."
    ),
]


def view(
    link: Link,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Which view, where the page has several. [default: the one the address shows]",
            metavar="NAME",
            rich_help_panel=options.SHOW,
        ),
    ] = None,
    figure: Annotated[
        str,
        typer.Option(
            help="Which of the view's figures. [default: the chief one]",
            metavar="NAME",
            rich_help_panel=options.SHOW,
        ),
    ] = "",
    theme: Annotated[str, options.look("light", "dark", help="Light or dark.")] = "light",
    palette: Annotated[
        str,
        options.look(
            "viridis",
            "cividis",
            "greys",
            help="Colours; greys make all grey, for print. [default: as the address says]",
        ),
    ] = "",
    width: Annotated[
        float,
        typer.Option(
            help="Of the whole figure. [default: as its labels need]",
            show_default=False,
            rich_help_panel=options.LOOKS,
        ),
    ] = 0.0,
    unit: Annotated[
        str, options.look("cm", "inches", "columns", help="Of the width; a column has 8.5 cm.")
    ] = "cm",
    font: Annotated[
        str, options.look("sans", "Arial", "Times", "monospace", help="Of all labels.")
    ] = "sans",
    points: Annotated[
        float, typer.Option(help="Size of the letters, in points.", rich_help_panel=options.LOOKS)
    ] = 9.0,
    title: Annotated[bool, typer.Option(help="The heading.", rich_help_panel=options.LOOKS)] = True,
    caption: Annotated[
        bool, typer.Option(help="What the figure shows, below it.", rich_help_panel=options.LOOKS)
    ] = True,
    dots: Annotated[
        float,
        typer.Option(
            help="Of a PNG: dots a pixel of 1/96 inch, 1 to 4.", rich_help_panel=options.LOOKS
        ),
    ] = 2.0,
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    other_revision: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The same of a second model, which the view is made with.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    output: Annotated[Path | None, options.output(*FORMATS, several=False)] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write any view of the page, by the address that shows it.

    \b
    Examples:
      python -m explorer view "/?layer=1&head=8" --width 1 --unit columns -o head.pdf
      python -m explorer view "/?mode=lines&layer=1&head=8" --palette greys -o lines.svg
      python -m explorer view "/inside?layer=1&head=8&query=4" -o row.json
    """  # noqa: D301
    from explorer.exhibits import KINDS, asked_of, unread
    from explorer.exhibits.saving import Saving, figure_of, remarks_of, saved
    from explorer.export.files import PICTURES
    from explorer.figures.look import Look

    ending = format_of(output, force)
    if kind is not None and kind not in KINDS:
        raise ValueError(f"unknown view '{kind}': use {', '.join(KINDS)}")
    chosen, state, remarks = asked_of(link, KINDS[kind] if kind else None)
    look = Look(theme, palette, width, unit, font, points, title, caption)
    saving = Saving(figure, look, dots)
    say = sayer(quiet)
    for remark in remarks:
        say(remark)
    revisions = chosen.revisions(state, revision, other_revision)
    session = session_of_view(str(state["model"]), device, dtype, revisions, quiet)
    with told(session, quiet):
        exhibit = chosen.make(session, state)
        for remark in unread(state, exhibit):
            say(remark)
        if ending in PICTURES:
            for remark in remarks_of(figure_of(exhibit, saving)):
                say(remark)
        content: Any = saved(session, exhibit, ending, saving)
    write(content, output)

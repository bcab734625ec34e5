"""The command ``view``: any view of the page, by its address, to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperOption

from explorer.cli import options
from explorer.cli.helping import Command
from explorer.cli.loading import session_of_view, told
from explorer.cli.telling import say_cut, sayer
from explorer.cli.writing import format_of, write
from explorer.saving.files import FORMATS

Link = Annotated[
    str, typer.Argument(metavar="LINK", help="The address of the view: what follows the host in the page's bar.")
]


def _names(incomplete: str) -> list[str]:
    from explorer.views.registry import VIEWS

    return [name for name in VIEWS if name.startswith(incomplete)]


def _figures(incomplete: str) -> list[str]:
    from explorer.views.registry import VIEWS

    names = (name for one in VIEWS.values() if len(one.figures) > 1 for name in one.figures)
    return [name for name in names if name.startswith(incomplete)]


class ViewCommand(Command):
    """The command, whose help names the views that are registered when it is asked for."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its arguments and options."""
        from explorer.views.registry import VIEWS  # slow to import, and needed for this command only

        several = (f"{one.name} has {', '.join(one.figures)}" for one in VIEWS.values() if len(one.figures) > 1)
        names = {"{views}": ", ".join(VIEWS), "{figures}": "; ".join(several)}
        params = super().get_params(ctx)
        for param in params:
            for mark, listed in names.items():
                if isinstance(param, TyperOption):
                    param.help = (param.help or "").replace(mark, listed)
        return params


def view(
    link: Link,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=_names,
            rich_help_panel=options.SHOW,
            help="Which view, where the page has several: {views}. [default: the one the address shows]",
        ),
    ] = None,
    figure: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=_figures,
            rich_help_panel=options.SHOW,
            help="Which of the view's figures, where it has several: {figures}. [default: the first]",
        ),
    ] = "",
    theme: Annotated[str, options.look("light", "dark", help="light or dark.")] = "light",
    palette: Annotated[
        str,
        options.look(
            "viridis",
            "cividis",
            "greys",
            help="viridis, cividis or greys, which make all grey, for print. [default: as the address says]",
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
        str, options.look("cm", "inches", "columns", help="cm, inches or columns (8.5 cm each), of the width.")
    ] = "cm",
    font: Annotated[
        str,
        options.look("sans", "Arial", "Times", "monospace", help="sans, Arial, Times or monospace, of all labels."),
    ] = "sans",
    points: Annotated[
        float, typer.Option(help="Size of the letters, in points.", rich_help_panel=options.LOOKS)
    ] = 9.0,
    title: Annotated[bool, typer.Option(help="The heading.", rich_help_panel=options.LOOKS)] = True,
    caption: Annotated[
        bool, typer.Option(help="What the figure shows, below it.", rich_help_panel=options.LOOKS)
    ] = True,
    dots: Annotated[
        float, typer.Option(help="Of a PNG: dots a pixel of 1/96 inch, 1 to 4.", rich_help_panel=options.LOOKS)
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
    from explorer.figures.figure_style import FigureStyle
    from explorer.saving.save import Saving, saved
    from explorer.views.registry import view_at, view_named

    ending = format_of(output, force)
    chosen, settings, remarks = view_at(link, view_named(kind) if kind else None)
    style = FigureStyle(theme, palette, width, unit, font, points, title, caption)
    say = sayer(quiet)
    for remark in remarks:
        say(remark)
    revisions = chosen.revisions(settings, revision, other_revision)
    session = session_of_view(settings.model, device, dtype, revisions, quiet)
    with told(session, quiet):
        computed = chosen.make(session, settings)
        for remark in computed.unread(settings):
            say(remark)
        say_cut(say, computed.truncation)
        content = saved(session, computed, ending, Saving(figure, style, dots), tell=say)
    write(content, output)

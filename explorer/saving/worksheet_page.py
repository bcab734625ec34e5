"""A worksheet's page with what made it: its provenance, and the command that prints it again."""

from __future__ import annotations

import shlex

from explorer.saving.metadata import html_part
from explorer.saving.provenance import Provenance, revisions_in
from explorer.saving.save import record
from explorer.session.session import Session
from explorer.views.inside.worksheet import WorksheetSettings
from explorer.views.inside.worksheet.page import worksheet_html
from explorer.views.spec import ComputedView


def page_provenance(
    session: Session, view: ComputedView, ending: str, digits: int = 2, blank: bool = False, paper: str = ""
) -> Provenance:
    """The view's provenance, and the command that prints its page.

    Args:
        session: knows the model.
        view: the row.
        ending: "html" or "pdf".
        digits: decimals on the page.
        blank: whether boxes are left empty.
        paper: of a PDF, "A4" or "Letter".
    """
    settings, made = view.settings.as_dict(), record(session, view, "json")
    named = ("model", "layer", "head", "query", "pair", "target", "stack")
    given = {name: settings[name] for name in named if settings[name] != ""}
    given |= {"device": made["device"], "dtype": made["dtype"]}
    if pinned := revisions_in(made).get(str(settings["model"])):
        given["revision"] = pinned
    page = {"digits": digits, "blank": blank, **({"paper": paper} if paper else {})}
    options = [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in {**given, "truncate": settings["truncate"], **page}.items()
        if value is not False
    ]
    # After "--", for a text may begin as an option does.
    words = ["worksheet", *options, "-o", f"worksheet.{ending}", "--", str(settings["text"])]
    return {
        **made,
        "page": page,
        "python": ["from explorer.cli.main import main", f"main({words!r})"],
        "command": shlex.join(["python", "-m", "explorer", *words]),
    }


def worksheet_page(session: Session, view: ComputedView, digits: int = 2, blank: bool = False) -> str:
    """The row as an HTML page to print, with its provenance inside.

    Raises:
        TypeError: a view of another kind.
    """
    if not isinstance(view.settings, WorksheetSettings):
        raise TypeError(f"{view.spec.name} is not a worksheet")
    about = html_part(page_provenance(session, view, "html", digits, blank))
    return worksheet_html(view.record, digits, blank, about=about)

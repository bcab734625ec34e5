"""One query's row by hand, from q·k to what each key adds."""

from __future__ import annotations

import shlex

from explorer.figures.caption import AXIS
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import QueryRow
from explorer.saving.provenance import Provenance, revisions_in
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.inside.worksheet.compute import query_row_of
from explorer.views.inside.worksheet.data import worksheet_json, worksheet_table
from explorer.views.inside.worksheet.figure import strips_caption, strips_figure, strips_height
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import INSIDE, head_of, settings_of, text_request

# ``key``: which key's vectors are drawn; empty: the one with most weight.
DEFAULTS: dict[str, Value] = {**INSIDE, "key": "", "before": False}
_WIDTH = 760


def drawn(session: Session, state: State) -> QueryRow:
    """The row of a state.

    Raises:
        ValueError: an unusable text, or a layer, head, stack or query that is not there.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    return query_row_of(session, text_request(state), *head_of(state), int(state["query"]))


def key_of(row: QueryRow, state: State) -> int:
    """The key whose vectors are drawn.

    Raises:
        ValueError: a key the row does not have.
    """
    chosen = str(state["key"])
    if not chosen:
        return int(row.weights.argmax())
    if not chosen.isdecimal() or int(chosen) >= len(row.labels):
        raise ValueError(f"key {chosen} is out of range: keys are 0 to {len(row.labels) - 1}")
    return int(chosen)


def file_stem(row: QueryRow) -> str:
    """A file name that says which row it is."""
    return f"{model_stem(row.model)}-layer{row.layer}-head{row.head}-query{row.query}"


def make(session: Session, state: State) -> Exhibit:
    """The row as it is saved."""
    row = drawn(session, state)
    key = key_of(row, state)
    before = bool(state["before"]) and row.q_before is not None
    settings = {
        "target": state["target"] or None,
        "drawn_key": key,
        "before_rotation": before,
        **settings_of(session, state),
    }

    def strips(look: FigureStyle) -> SizedFigure:
        figure = strips_figure(row, key, before, look.theme)
        caption, height = strips_caption(row, key, before), strips_height(row, key)
        return SizedFigure(figure, caption, _WIDTH, height, AXIS)

    return KIND.exhibit(
        state,
        file_stem(row),
        result=lambda: worksheet_json(row, settings),
        table=lambda: worksheet_table(row),
        figures={"strips": strips},
        truncation=row.truncation,
    )


def page_record(
    session: Session, exhibit: Exhibit, ending: str, digits: int = 2, blank: bool = False, paper: str = ""
) -> Provenance:
    """What a row's page to print tells of itself: the view's record, and the command that prints.

    Args:
        session: knows the model.
        exhibit: the row.
        ending: "html" or "pdf".
        digits: decimals on the page.
        blank: whether boxes are left empty.
        paper: of a PDF, "A4" or "Letter".
    """
    from explorer.saving.save import record

    state, told = exhibit.settings.as_dict(), record(session, exhibit, "json")
    named = ("model", "layer", "head", "query", "pair", "target", "stack")
    given = {name: state[name] for name in named if state[name] != ""}
    given |= {"device": told["device"], "dtype": told["dtype"]}
    if pinned := revisions_in(told).get(str(state["model"])):
        given["revision"] = pinned
    page = {"digits": digits, "blank": blank, **({"paper": paper} if paper else {})}
    switches = {"truncate": state["truncate"], **page}
    options = [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in (given | switches).items()
        if value is not False
    ]
    # After "--", for a text may begin as an option does.
    words = ["worksheet", *options, "-o", f"worksheet.{ending}", "--", str(state["text"])]
    return {
        **told,
        "page": page,
        "python": ["from explorer.cli.main import main", f"main({words!r})"],
        "command": shlex.join(["python", "-m", "explorer", *words]),
    }


KIND: Kind = Kind("worksheet", "the row, step by step", "/inside", "row", DEFAULTS, make, ("strips",))

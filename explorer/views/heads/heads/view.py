"""The table of heads: every measure, what shuffled tokens give, the probe, the two tokens' link."""

from __future__ import annotations

from dataclasses import replace

from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.records import HeadsTable
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.heads.heads.compute import PROBE, head_columns, heads_table
from explorer.views.heads.heads.data import heads_json, heads_picture, measures_table
from explorer.views.heads.measured import best_offsets_of, induction_scores_of, measures_of, null_scores_of
from explorer.views.heads.overview.view import LINK, link_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import TEXT, settings_of, text_request

# How the page's table is sorted and filtered changes nothing of the numbers: a file has every
# head, by layer and head, and a link to the page opens the table as it was.
ORDER: dict[str, Value] = {"sort": "", "filter": ""}
DEFAULTS: dict[str, Value] = {
    **TEXT,
    "stack": "",
    "nulls": False,
    "probe": False,
    "query": "",
    "key": "",
    "palette": SEQUENTIAL,
    **ORDER,
}


def drawn(session: Session, state: State) -> HeadsTable:
    """The table of a state.

    Raises:
        ValueError: a stack or token that there is not, or an unreadable text.
        ModelError: the model cannot be loaded or failed.
    """
    request = text_request(state)
    cap = session.capture(request)
    stack = cap.stack(str(state["stack"]) or None).name
    measures = measures_of(session, request, stack)
    nulls = null_scores_of(session, request, stack) if state["nulls"] else {}
    offsets = best_offsets_of(session, request, stack) if state["nulls"] else None
    columns = head_columns(measures, nulls, offsets)
    if (linked := link_of(cap, state)) is not None:
        columns[LINK] = linked.values
    if state["probe"]:
        scores = induction_scores_of(session, request.model)
        if scores.shape == columns["entropy"].shape:  # it is of the decoder, where there are two
            columns[PROBE] = scores
    return replace(heads_table(cap, measures, nulls, stack), columns=columns)


def make(session: Session, state: State) -> Exhibit:
    """The table as it is saved."""
    shown = drawn(session, state)
    linked = link_of(session.capture(text_request(state)), state)
    name = "" if linked is None else linked.name
    link = {"query": int(state["query"]), "key": int(state["key"]), "name": name} if name else None
    settings = {"target": state["target"] or None, "link": link, **settings_of(session, state)}
    return KIND.exhibit(
        state,
        f"{model_stem(shown.model)}-{shown.stack}-heads",
        result=lambda: heads_json(shown, settings),
        table=lambda: measures_table(shown),
        figures={
            "measures": lambda look: heads_picture(shown, name, look.palette or str(state["palette"]), look.theme)
        },
        truncation=shown.truncation,
    )


KIND: Kind = Kind("heads", "the table of heads", "/", "map", DEFAULTS, make, ("measures",))

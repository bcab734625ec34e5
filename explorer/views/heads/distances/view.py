"""The map of heads: near each other where they look at the same tokens."""

from __future__ import annotations

from explorer.capture.loading import Progress
from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.records import HeadDistances
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.heads.distances.compute import distances_table, head_distances_of
from explorer.views.heads.distances.data import distances_json, distances_picture
from explorer.views.heads.distances.figure import LAYER
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import HEAD, TEXT, settings_of, text_request

# Which head is chosen is ringed on the page only.
DEFAULTS: dict[str, Value] = {**TEXT, "stack": HEAD["stack"], "mode": "map", "colour": LAYER, "palette": SEQUENTIAL}


def drawn(session: Session, state: State, tell: Progress | None = None) -> HeadDistances:
    """The heads of a state.

    Raises:
        ValueError: a stack the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded or failed.
    """
    request = text_request(state)
    stack = session.capture(request, tell).stack(str(state["stack"]) or None).name
    return head_distances_of(session, request, stack, tell)


def make(session: Session, state: State) -> Exhibit:
    """The map of heads as it is saved."""
    shown, colour = drawn(session, state), str(state["colour"])
    settings = {"colour": colour, "target": state["target"] or None, **settings_of(session, state)}
    return KIND.exhibit(
        state,
        f"{model_stem(shown.model)}-{shown.stack}-heads-distances",
        result=lambda: distances_json(shown, settings),
        table=lambda: distances_table(shown),
        figures={
            "heads": lambda look: distances_picture(shown, colour, look.palette or str(state["palette"]), look.theme)
        },
        truncation=shown.truncation,
    )


KIND: Kind = Kind("distances", "the map of heads", "/", "distances", DEFAULTS, make, ("heads",))

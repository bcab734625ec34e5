"""What can be saved of a view: its figures, its numbers, and the state that makes them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.figures.figure_style import Draw
from explorer.records.table import Table
from explorer.session.links import State, Value, link_to
from explorer.session.session import Session
from explorer.views.state import text_request, text_state


@dataclass(frozen=True)
class Exhibit:
    """A view, made of a state. What costs time is made when it is asked for.

    Attributes:
        kind: the name of its kind.
        link: the address that shows it.
        state: every setting that its numbers and figures depend on.
        stem: a file's name without ending.
        result: its numbers with the words that explain them, as JSON has them.
        table: the same as rows, as CSV has them.
        figures: what it can be drawn as, by name; the first is what it is mostly saved as.
        truncation: what of a longer text it is of, in words; nothing where it is of all.
        other: the name of a second model that it was made with; empty where there is none.
    """

    kind: str
    link: str
    state: State
    stem: str
    result: Callable[[], dict[str, Any]]
    table: Callable[[], Table]
    figures: Mapping[str, Draw]
    truncation: str = ""
    other: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Kind:
    """A view that can be saved: where a page shows it, and how it is made again.

    Attributes:
        name: as files tell it.
        title: as a menu offers it.
        path: of the page that shows it.
        mode: what is chosen there to see it.
        defaults: every setting of its state, with what it is where nothing is said.
        build: the view of a state; raises ValueError and ModelError in one line.
        figures: the names of its figures, the chief one first.
        second: the setting that names a second model; empty where it has none.
    """

    name: str
    title: str
    path: str
    mode: str
    defaults: Mapping[str, Value]
    build: Callable[[Session, State], Exhibit]
    figures: tuple[str, ...]
    second: str = ""

    def revisions(self, state: State, own: str | None, other: str | None) -> dict[str, str]:
        """The hub revision of each model of a state, by name, where one is asked for.

        Args:
            state: names the models.
            own: of the view's model.
            other: of a second one.

        Raises:
            ValueError: one is asked for of a second model, and none is named.
        """
        named = str(state[self.second]).strip() if self.second else ""
        if other and not named:
            raise ValueError(f"{self.name} has no second model here for the revision {other}")
        asked = {named: other, str(state["model"]): own}
        return {model: revision for model, revision in asked.items() if revision}

    def link(self, state: State) -> str:
        """The address of a state of this kind."""
        return link_to(self.path, state, self.defaults)

    def make(self, session: Session, state: State) -> Exhibit:
        """The view of a state, whose own tells no text that its model does not read.

        Raises:
            ValueError: a setting that the model or the text does not have.
            ModelError: the model cannot be loaded or failed.
        """
        if "text" in self.defaults:
            state = {**state, **text_state(session.read_of(text_request(state)))}
        return self.build(session, state)

    def exhibit(
        self,
        state: State,
        stem: str,
        result: Callable[[], dict[str, Any]],
        table: Callable[[], Table],
        figures: Mapping[str, Draw],
        truncation: str = "",
        other: Callable[[], str] = lambda: "",
    ) -> Exhibit:
        """A view of this kind; all else as for ``Exhibit``."""
        link = self.link(state)
        return Exhibit(self.name, link, state, stem, result, table, figures, truncation, other)

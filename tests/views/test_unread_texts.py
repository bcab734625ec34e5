"""A second text or target that a model does not read: no view tells it, whoever gave it is told."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from dash import Dash

import explorer
from explorer.saving.save import record
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heads import panel as heads_table
from explorer.views.heads.heatmap import panel as heads_map
from explorer.views.heads.page import MapSettings
from explorer.views.registry import VIEWS, link_to_view, view_at
from tests.callbacks import answer
from tests.conftest import Folder

TEXT, PAIR, TARGET = "The cat sat.", "A dog ran.", "Eine Katze."
# Of each family, what of a second text and a target it reads.
READ = {"bert": (PAIR, ""), "gpt2": ("", ""), "t5": ("", TARGET)}
SAID = (
    "the second text is left out: {} reads one text at a time",
    "the target text is left out: {} is not an encoder–decoder",
)


def link_of(folder: Path) -> str:
    settings = MapSettings(model=str(folder), text=TEXT, pair=PAIR, target=TARGET)
    return link_to_view(VIEWS["heatmap"], settings)


@pytest.mark.parametrize("name", READ)
class TestLeftOut:
    def test_a_view_of_an_address(self, session: Session, folder: Folder, name: str) -> None:
        view, settings, _ = view_at(link_of(folder(name)))
        computed = view.make(session, settings)
        assert isinstance(computed.settings, MapSettings)
        assert (computed.settings.pair, computed.settings.target) == READ[name]
        missing = [line for line, read in zip(SAID, READ[name], strict=True) if not read]
        assert list(computed.unread(settings)) == [line.format(folder(name)) for line in missing]
        told = record(session, computed, "json")
        assert (told["settings"]["pair"], told["settings"]["target"]) == READ[name]
        assert ("pair=" in told["link"], "target=" in told["command"]) == tuple(bool(read) for read in READ[name])

    def test_what_the_page_tells_of_its_screen(self, session: Session, folder: Folder, name: str) -> None:
        request = asdict(TextRequest(str(folder(name)), TEXT, PAIR, TARGET))
        app = Dash("part", prevent_initial_callbacks=True, suppress_callback_exceptions=True)
        app.layout = heads_map.layout()
        heads_map.register(app, session, Jobs())
        fields = {"heads-request": request, "heads-mode": "lines"}
        shown = answer(app, "heads-heatmap-state.data", "heads-request.data", fields)["heads-heatmap-state.data"]
        table = heads_table.stack_request(session, request, "")
        assert table is not None
        for state in (shown, table):
            assert (state["pair"], state["target"]) == READ[name]


def test_who_names_it_in_python_is_refused(folder: Folder) -> None:
    where = {"model": str(folder("gpt2")), "text": TEXT, "device": "cpu"}
    with pytest.raises(ValueError, match="gpt2 takes no second text"):
        explorer.view("heatmap", **where, pair=PAIR)
    with pytest.raises(ValueError, match="gpt2 takes no target text"):
        explorer.view(link_of(folder("gpt2")), device="cpu", target=TARGET)
    assert explorer.view("heatmap", **where, pair="").remarks == ()
    with pytest.warns(UserWarning, match="is left out") as warned:
        remarks = explorer.view(link_of(folder("gpt2")), device="cpu").remarks
    assert len(remarks) == 2
    assert tuple(str(one.message) for one in warned) == remarks


def test_another_model_of_a_comparison_reads_what_it_can(session: Session, folder: Folder) -> None:
    view = VIEWS["comparison"]
    values = {"model": str(folder("gpt2")), "other_model": str(folder("bert")), "text": TEXT}
    one, other = (
        view.make(session, view.settings.of({**values, "pair": pair})).result()["second"]["queries"]
        for pair in ("", PAIR)
    )
    assert one == other  # the page shows no field for what was typed
    swapped = {**values, "model": values["other_model"], "other_model": values["model"], "pair": PAIR}
    assert view.make(session, view.settings.of(swapped)).settings.as_dict()["pair"] == PAIR

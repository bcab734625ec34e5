"""The pages' wiring, and what their callbacks answer, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from dash import Dash
from dash.development.base_component import Component
from PIL import Image

from explorer.app import frame
from explorer.app.address import fields_of
from explorer.app.server import create_app
from explorer.saving.metadata import read_provenance
from explorer.session import short_links
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.text.example_sets import OPENING_TEXT
from explorer.views.panel.examples import EXAMPLE_TEXTS
from explorer.views.registry import views_of
from tests.callbacks import answer, outputs_of

ROOT = Path(__file__).parents[2]

# SPEC.md, the ids of the frame and of the first two pages.
PUBLISHED_IDS = {
    "model-select",
    "text-input",
    "pair-input",
    "run-button",
    "status",
    "share-button",
    "theme-toggle",
    "heads-overview",
    "heads-layer",
    "heads-head",
    "heads-heatmap",
    "embeddings-sentences",
    "embeddings-word",
    "embeddings-layer",
    "embeddings-plot",
    "save-png",
    "save-svg",
    "save-csv",
}

Fire = Callable[..., Any]


@pytest.fixture(scope="module")
def app(session: Session) -> Dash:
    return create_app(session)


@pytest.fixture(scope="module")
def dependencies(app: Dash) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.server.test_client().get("/_dash-dependencies").json
    return found


def _ids(component: Any) -> Iterator[str]:
    if getattr(component, "id", None) is not None:
        yield component.id if isinstance(component.id, str) else json.dumps(component.id)
    for child in component._traverse() if isinstance(component, Component) else ():
        if getattr(child, "id", None) is not None:
            yield child.id if isinstance(child.id, str) else json.dumps(child.id)


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return list(_ids(frame.all_of_it()))


@pytest.fixture
def fire(app: Dash) -> Fire:
    """``answer`` of the whole page; in a field's id __ stands for a hyphen."""

    def call(output: str, triggered: str, **values: Any) -> dict[str, Any]:
        return answer(app, output, triggered, {name.replace("__", "-"): value for name, value in values.items()})

    return call


def _texts(component: Any) -> str:
    """All strings in a component as it was sent."""
    if isinstance(component, str):
        return component
    if isinstance(component, list):
        return " ".join(map(_texts, component))
    if isinstance(component, dict):
        return _texts(component.get("props", {}).get("children"))
    return ""


class TestWiring:
    def test_every_output_has_one_owner(self, dependencies: list[dict[str, Any]]) -> None:
        owners = Counter(output for d in dependencies for output in outputs_of(d) if "@" not in output)
        assert [output for output, count in owners.items() if count > 1] == []

    def test_what_is_shared_has_an_owner(self, dependencies: list[dict[str, Any]]) -> None:
        outputs = [output for d in dependencies for output in outputs_of(d)]
        owned = {output for output in outputs if "@" not in output}
        shared = {output.partition("@")[0] for output in outputs if "@" in output}
        assert shared - owned == set()

    def test_every_wire_ends_at_a_component(self, dependencies: list[dict[str, Any]], ids: list[str]) -> None:
        ends = {place["id"] for d in dependencies for place in d["inputs"] + d["state"]}
        ends |= {output.rpartition(".")[0] for d in dependencies for output in outputs_of(d)}
        assert {end for end in ends if not end.startswith("{")} - set(ids) == set()

    def test_ids_are_unique_and_the_published_ones_there(self, ids: list[str]) -> None:
        assert [name for name, count in Counter(ids).items() if count > 1] == []
        assert set(ids) >= PUBLISHED_IDS

    def test_browser_side_functions_exist(self, dependencies: list[dict[str, Any]]) -> None:
        wanted = [d["clientside_function"] for d in dependencies if d["clientside_function"]]
        assert wanted
        for function in wanted:
            space, name = function["namespace"], function["function_name"]
            script = (ROOT / "assets" / f"{space.replace('_', '-')}.js").read_text(encoding="utf-8")
            _, _, defined = script.partition("window.dash_clientside, {")
            offered = re.search(rf"\b{space}: \{{(.*?)\}}", defined, re.DOTALL)
            assert offered, space
            assert re.search(rf"\b{name}\b", offered[1]), f"{space}.{name}"

    def test_callbacks_belong_to_their_app(self) -> None:
        """Two apps side by side: nothing is registered with Dash's global list."""
        first, second = create_app(), create_app()
        paths = [app.server.test_client().get("/_dash-dependencies").json for app in (first, second)]
        assert len(paths[0]) == len(paths[1]) > 10

    @pytest.mark.parametrize("page", frame.PAGES)
    def test_a_page_has_what_the_frame_asks_for(self, page: Any, ids: list[str]) -> None:
        assert {f"{page.PAGE.name}-{part}" for part in ("page", "message")} <= set(ids)
        stores = {view.state for view in views_of(page.PAGE, beside=False)}
        around = {f"{page.PAGE.name}-around"} if page.PAGE.around else set()
        selection = {page.PAGE.selection} if page.PAGE.selection else set()
        assert stores | around | selection <= set(ids)

    @pytest.mark.parametrize("page", frame.PAGES)
    def test_every_setting_has_its_field(self, page: Any, ids: list[str]) -> None:
        """But those of a file alone: which layers of the plane it holds."""
        fields = {name: field for name, field in fields_of(page.PAGE).items() if name != "layers"}
        assert [name for name, field in fields.items() if field not in ids] == []

    @pytest.mark.parametrize("page", frame.PAGES)
    def test_a_page_as_it_begins_is_no_remark(self, page: Any, fire: Fire) -> None:
        told = fire("mounted.data", "url.pathname", url=page.PAGE.path, mounted=[])
        assert told["mounted.data"] == [page.PAGE.name]
        assert told["link-message.children"] is None

    @pytest.mark.parametrize(("axes", "said"), [("3", ""), ("4", "axes=4, which is not offered")])
    def test_a_choice_that_is_not_offered_is_told(self, axes: str, said: str, fire: Fire) -> None:
        # Both path and query, of which each is read out of it.
        told = fire("mounted.data", "url.pathname", url=f"/embeddings/?axes={axes}", mounted=[])
        remark = _texts(told["link-message.children"])
        assert said in remark if said else remark == ""


def test_the_opening_text_is_an_example() -> None:
    assert OPENING_TEXT in {text for _, text in EXAMPLE_TEXTS}


class TestRunning:
    """The Run button of the Heads page, step by step as the browser calls it."""

    def _start(self, fire: Fire, triggered: str = "run-button.n_clicks", **values: Any) -> Any:
        values = {"url": "/", "mounted": ["heads"], "text__input": "An apple.", **values}
        return fire("heads-job.data", triggered, **values).get("heads-job.data")

    def _watch(self, fire: Fire, job: Any) -> dict[str, Any]:
        """Until the job has ended; each tick is one call."""
        told = fire("heads-request.data", "heads-job.data", heads__job=job)
        for _ in range(2_000):
            if told["heads-poll.disabled"]:
                return told
            told = fire("heads-request.data", "heads-poll.n_intervals", heads__job=job)
        raise AssertionError("the job did not end")

    @pytest.mark.parametrize("text", [None, "", " \n"])
    def test_an_empty_text_is_an_error_and_nothing_else(self, fire: Fire, text: Any) -> None:
        job = self._start(fire, model__select="minilm", text__input=text)
        told = self._watch(fire, job)
        assert "text is empty" in _texts(told["heads-message.children"])
        assert "heads-request.data" not in told

    def test_no_model(self, fire: Fire) -> None:
        assert self._start(fire, model__select=None) is None
        told = self._watch(fire, self._start(fire, model__select=" "))
        assert "o model is named" in _texts(told["heads-message.children"])

    def test_another_page_does_not_run(self, fire: Fire) -> None:
        assert self._start(fire, model__select="minilm", url="/embeddings") is None

    def test_a_page_that_is_not_mounted_has_no_fields_to_run(self, fire: Fire) -> None:
        assert self._start(fire, model__select="minilm", mounted=["embeddings"]) is None

    def test_a_page_is_mounted_once(self, fire: Fire) -> None:
        told = fire("mounted.data", "url.pathname", url="/", mounted=["embeddings"])
        assert told["mounted.data"] == ["embeddings", "heads"]
        assert told["heads-page.children"]
        assert "embeddings-page.children" not in told
        assert not fire("mounted.data", "url.pathname", url="/", mounted=["embeddings", "heads"])

    def test_a_run_ends_in_a_request(self, fire: Fire, folder: Callable[[str], Path]) -> None:
        name = str(folder("bert"))
        job = self._start(fire, model__select=name, pair__input="")
        assert job["request"] == {"model": name, "text": "An apple.", "pair": "", "target": "", "truncate": False}
        told = self._watch(fire, job)
        assert told["heads-request.data"] == job["request"]
        assert told["heads-message.children"] is None
        # Back on the page it is not run again; Run runs it again.
        again = {"model__select": name, "heads__job": job}
        assert self._start(fire, "url.pathname", **again) is None
        assert self._start(fire, **again)["number"] > job["number"]

    def test_another_text_stops_the_run_before(
        self, fire: Fire, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same text again does not: what is under way is waited for."""
        stopped: list[int] = []
        monkeypatch.setattr(Jobs, "cancel", lambda _jobs, number: stopped.append(number))
        given = {"model__select": str(folder("bert"))}
        first = self._start(fire, **given)
        again = self._start(fire, heads__job=first, **given)
        assert stopped == []
        other = self._start(fire, heads__job=again, text__input="A pear.", **given)
        assert stopped == [again["number"]]
        for job in (first, again, other):
            self._watch(fire, job)

    def test_a_failed_run_is_told_and_leaves_the_request(self, fire: Fire, tmp_path: Path) -> None:
        told = self._watch(fire, self._start(fire, model__select=str(tmp_path / "nowhere")))
        assert "o folder" in _texts(told["heads-message.children"])
        assert "heads-request.data" not in told

    def test_a_tick_without_a_job_changes_nothing(self, fire: Fire) -> None:
        told = fire("heads-request.data", "heads-poll.n_intervals", heads__job=None)
        assert told == {"heads-poll.disabled": True}

    def test_a_job_of_an_earlier_server_is_told(self, fire: Fire) -> None:
        told = self._watch(fire, {"number": 10**6, "request": {}})
        assert "press Run again" in _texts(told["heads-message.children"])

    @pytest.mark.parametrize(
        ("word", "sentences", "tells"),
        [
            ("", "An apple.", "word is empty"),
            ("apple", " \n ", "there is no sentence"),
            ("apple", None, "there is no sentence"),
            ("apple", "An apple.\n" * 501, "501 sentences; at most 500"),
        ],
    )
    def test_unusable_sentences(self, fire: Fire, word: str, sentences: Any, tells: str) -> None:
        job = fire(
            "embeddings-job.data",
            "run-button.n_clicks",
            url="/embeddings",
            mounted=["embeddings"],
            model__select="minilm",
            embeddings__word=word,
            embeddings__sentences=sentences,
        )["embeddings-job.data"]
        assert tells in job["error"]


def test_nothing_to_save_yet_is_said(fire: Fire) -> None:
    told = fire("save-menu.opened", "save-button.n_clicks", save__button=1, url="/")
    assert "nothing to save yet" in _texts(told["save-message.children"])
    assert told["save-menu.opened"] is False


class TestSaving:
    """What the buttons that save, keep and open answer."""

    def _owner(self, dependencies: list[dict[str, Any]], trigger: str) -> str:
        """An Output of the callback that a component starts on the server."""
        (owner,) = (
            d
            for d in dependencies
            if not d["clientside_function"] and trigger in [place["id"] for place in d["inputs"]]
        )
        return outputs_of(owner)[0]

    def test_the_table_of_heads_has_a_record(
        self, fire: Fire, dependencies: list[dict[str, Any]], folder: Callable[[str], Path]
    ) -> None:
        wanted = {
            "model": str(folder("bert")),
            "text": "An apple.",
            "pair": "",
            "target": "",
            "truncate": False,
            "stack": "",
        }
        told = fire(
            self._owner(dependencies, "heads-table-csv"),
            "heads-table-csv.n_clicks",
            heads__table__csv=1,
            table__request=wanted,
            heads__link=[1, 2],
        )
        file = told["download.data"]
        record = read_provenance(base64.b64decode(file["content"]), file["filename"])
        assert file["filename"].endswith("-encoder-heads.csv")
        assert (record["kind"], record["model"]) == ("heads", wanted["model"])
        assert record["settings"]["text"] == "An apple."
        assert (record["settings"]["query"], record["settings"]["key"]) == ("1", "2")
        opened = fire(
            self._owner(dependencies, "open-file"),
            "open-file.contents",
            open__file=f"data:text/csv;base64,{file['content']}",
        )
        assert opened["opened-link.data"].endswith("&text=An%20apple.&query=1&key=2")

    def test_a_long_link_leaves_what_the_address_was_remarked_on(
        self, fire: Fire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It tells its own error, in a place of its own, until the next that is kept or fits."""
        (tmp_path / "file").touch()
        link, changed = "/?text=" + "a" * 3000, "long-link.data"
        monkeypatch.setattr(short_links, "_folder", lambda: tmp_path / "file" / "views")
        told = fire("short-link.data", changed, long__link=link)
        assert set(told) == {"short-link.data", "short-link-message.children"}
        assert "cannot be written" in _texts(told["short-link-message.children"])
        monkeypatch.setattr(short_links, "_folder", lambda: tmp_path)
        told = fire("short-link.data", changed, long__link=link)
        assert told["short-link.data"]["link"] == link
        assert set(told) == {"short-link.data", "short-link-message.children"}
        assert told["short-link-message.children"] is None
        assert set(fire("short-link.data", changed, long__link=None).values()) == {None}

    @pytest.mark.parametrize("button", ["keep-button", "save-keep"])
    def test_a_figure_is_kept_as_the_menu_has_it(
        self, button: str, fire: Fire, dependencies: list[dict[str, Any]], folder: Callable[[str], Path]
    ) -> None:
        state = {"model": str(folder("bert")), "text": "An apple.", "head": 1}
        menu = {
            "kept": [],
            "url": "/",
            "save-what": "heatmap/map",
            "save-state": state,
            "heads-heatmap-state": state,
            "heads-mode": "heatmap",
            "save-dots": "4",
            "save-theme": "dark",
            "save-unit": "cm",
            "save-font": "sans",
            "save-title": True,
            "save-caption": False,
        }
        output = self._owner(dependencies, button)
        where = "save-menu-message" if button == "save-keep" else "save-message"
        told = fire(output, f"{button}.n_clicks", **menu)
        (one,) = told["kept.data"]
        assert (one["kind"], one["figure"], one["dots"]) == ("heatmap", "map", 4)
        assert (one["look"]["theme"], one["look"]["caption"]) == ("dark", False)
        refused = fire(output, f"{button}.n_clicks", **menu | {"save-width": 3})
        assert "too narrow" in _texts(refused[f"{where}.children"])
        gone = state | {"model": "/no/such/folder"}
        refused = fire(output, f"{button}.n_clicks", **menu | {"save-state": gone, "heads-heatmap-state": gone})
        assert "/no/such/folder" in _texts(refused[f"{where}.children"])
        assert "kept.data" not in refused

    @pytest.mark.parametrize("kind", ["png", "svg"])
    def test_a_picture_of_the_browsers_has_its_record_put_in(
        self, kind: str, fire: Fire, dependencies: list[dict[str, Any]], folder: Callable[[str], Path]
    ) -> None:
        menu = {
            "save-what": "heatmap/map",
            "save-state": {"model": str(folder("bert")), "text": "Ein Äpfelchen & <b>.", "head": 1},
            "save-dots": "3",
            "save-theme": "light",
            "save-unit": "cm",
            "save-font": "sans",
            "save-title": True,
            "save-caption": True,
        }
        drawn = fire("save-drawn.data", "save-what.value", **menu)["save-drawn.data"]
        image = io.BytesIO()
        Image.new("RGBA", (30, 20), (1, 2, 3, 255)).save(image, "PNG")
        drawing = '<svg width="30" height="20"><text>ä · <tspan>b</tspan></text></svg>'
        urls = {
            "png": f"data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}",
            "svg": f"data:image/svg+xml,{quote(drawing)}",
        }
        output = self._owner(dependencies, "save-picture")
        picture = {"kind": kind, "url": urls[kind], "drawn": drawn}
        told = fire(output, "save-picture.data", **{"save-picture": picture})
        file = told["download.data"]
        content = base64.b64decode(file["content"])
        assert file["filename"].endswith(f"-encoder-layer0-head1.{kind}")
        assert read_provenance(content, "x") == drawn["records"][kind]
        assert told["save-picture.data"] is None
        if kind == "png":
            with Image.open(io.BytesIO(content)) as made, Image.open(image) as before:
                assert made.tobytes() == before.tobytes()
                assert made.info["dpi"] == pytest.approx((288, 288), abs=0.02)
        else:
            width, height = drawn["size_cm"]
            assert f'<svg width="{width:.4f}cm" height="{height:.4f}cm">' in content.decode()
            assert "<text>ä · <tspan>b</tspan></text>" in content.decode()
        nothing = fire(output, "save-picture.data", **{"save-picture": picture | {"url": "data:,"}})
        assert "choose fewer" in _texts(nothing["save-menu-message.children"])
        assert "download.data" not in nothing

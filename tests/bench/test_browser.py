"""The browser bench, less the browser: what is kept, asked again, told, and held against."""

from __future__ import annotations

import http.server
import importlib.util
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench import bertviz_page, browser
from bench.bare import create_app
from bench.clicking import clicks_in_turn
from bench.eager import Eager
from bench.serving import answered


def row(n: int, **more: Any) -> dict[str, Any]:
    """A row of ours, everything within its budget."""
    return {
        "model": "minilm",
        "tokens": n,
        "click_to_bare": 1.5,
        "seconds": {"open": 2.0, "server": 0.01, "click": 0.2, "bare": 0.1},
        "longest_task_seconds": {"click": 0.0, "bare": 0.06},
        "bytes": {"page": 3_000_000, "map": 120_000, "overview": 50_000},
        "nodes": {"map": 2500, "lines": 3000, "compare": 3100, "distances": 2700},
        **more,
    }


def test_budgets_tell_the_worst_of_the_texts_they_are_meant_for() -> None:
    rows = [row(128), row(512, seconds={"click": 0.41}), row(512, model="smollm2")]
    assert browser.budgets(rows) == [
        "one head on the wire, 512 tokens: 120 of 400 KB: met",
        "picture of all heads on the wire: 50 of 250 KB: met",
        "click until painted, 128 tokens, median: 0.2 of 0.2 s: met",
        "click until painted, 512 tokens, median: 0.41 of 0.4 s: NOT met",
        "nodes in the page, in any view: 3,100 of 5,000: met",
    ]


def test_a_budget_nothing_was_measured_for_is_not_told() -> None:
    told = browser.budgets([row(64, nodes={"map": 10, "lines": 5001})])
    assert told == [
        "picture of all heads on the wire: 50 of 250 KB: met",
        "nodes in the page, in any view: 5,001 of 5,000: NOT met",
    ]


def test_table_has_a_row_a_text() -> None:
    *_, last = browser.table([row(64)]).splitlines()
    assert last == (
        "| minilm | 64 | 120 KB | 50 KB | 10 ms | 200 ms | 100 ms | 1.50 | < 50 ms | 2,500 | 3,000 | 3,100 | 2,700 |"
    )


def test_bertviz_is_told_as_so_many_times_ours_or_not_finished() -> None:
    peer = {
        "view": "model_view",
        "tokens": 64,
        "bytes": 53_000_000,
        "bytes_compressed": 24_000_000,
        "seconds": 39.0,
        "nodes": 1_000_000,
    }
    unfinished = peer | {"seconds": None, "nodes": None}
    *_, first, second = browser.peer_table([row(64)], [peer, unfinished]).splitlines()
    assert first == (
        "| 64 | model view | 53.0 MB | 24.0 MB | 3.0 MB | 8.0 | 39.0 s | 2.0 s | 19.5 | 1,000,000 | 2,500 | 400.0 |"
    )
    assert second.endswith("| – | 2.0 s | – | – | 2,500 | – |")


def test_questions_for_the_two_figures_are_kept() -> None:
    questions = browser.Questions()
    address = "http://127.0.0.1:1/_dash-update-component?endId=x"
    for output in (
        "..heads-heatmap.figure...heads-heatmap-state.data..",
        "heads-lines.className",
        "..heads-overview.figure...heads-overview.style..",
    ):
        questions.note(SimpleNamespace(url=address, post_data=json.dumps({"output": output})))
    questions.note(SimpleNamespace(url="http://127.0.0.1:1/", post_data=None))
    assert [json.loads(body)["output"] for _, body in questions.map] == [
        "..heads-heatmap.figure...heads-heatmap-state.data.."
    ]
    assert [url for url, _ in questions.overview] == [address]


def test_a_missing_bertviz_is_told_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match="BertViz is not installed"):
        bertviz_page.libraries()


class Answering(http.server.BaseHTTPRequestHandler):
    """Tells a question's path back, seven bytes more than was sent."""

    def do_POST(self) -> None:
        sent = int(self.headers["Content-Length"])
        known = self.path == "/_dash-update-component?endId=x"
        self.send_response(200 if known else 500)
        self.end_headers()
        self.wfile.write(b"." * (sent + 7))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that answers one path."""
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_question_asked_again_tells_the_bytes_of_its_answer(server: str) -> None:
    seconds, size = answered(f"{server}/_dash-update-component?endId=x", "äb")
    assert size == 3 + 7
    assert seconds > 0
    with pytest.raises(SystemExit, match="HTTP 500"):
        answered(f"{server}/elsewhere", "{}")


def test_sides_are_clicked_in_turn_and_the_first_head_does_not_count() -> None:
    clicked: list[tuple[str, int, int]] = []

    def side(name: str, times: list[tuple[float, float]]) -> Any:
        def click(layer: int, head: int) -> tuple[float, float]:
            clicked.append((name, layer, head))
            return times.pop(0)

        return SimpleNamespace(click=click)

    sides = {
        "click": side("click", [(9.0, 9.0), (0.2, 0.0), (0.4, 0.06)]),
        "bare": side("bare", [(9.0, 9.0), (0.1, 0.0), (0.1, 0.0)]),
    }
    seconds, longest = clicks_in_turn(sides, [(0, 0), (1, 2), (3, 4)])
    assert clicked[2:4] == [("click", 1, 2), ("bare", 1, 2)]
    assert seconds == {"click": [0.2, 0.4], "bare": [0.1, 0.1]}
    assert longest == {"click": 0.06, "bare": 0.0}


def test_the_bare_app_answers_a_click_with_that_head() -> None:
    attention = np.random.default_rng(0).random((2, 3, 4, 4), dtype=np.float32)
    client = create_app(attention).server.test_client()
    question = {
        "output": "map.figure",
        "outputs": {"id": "map", "property": "figure"},
        "changedPropIds": ["grid.clickData"],
        "state": [],
        "inputs": [{"id": "grid", "property": "clickData", "value": {"points": [{"x": 2, "y": 1}]}}],
    }
    figure = client.post("/_dash-update-component", json=question).json["response"]["map"]["figure"]
    assert figure["layout"]["title"]["text"] == "layer 1 · head 2"
    assert figure["data"][0]["z"]["shape"] == "4, 4"


def test_other_tools_are_given_eager_attention() -> None:
    attentions, tokens = Eager("minilm").attentions("the cat")
    assert tokens == ["[CLS]", "the", "cat", "[SEP]"]
    assert [tuple(layer.shape) for layer in attentions] == [(1, 12, 4, 4)] * 6
    np.testing.assert_allclose(attentions[0].sum(-1), 1, atol=1e-5)

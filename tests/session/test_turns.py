"""Several threads and one session: a model runs once at a time, a result is made once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.session.jobs import Cancelled
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads import measured
from explorer.views.heads.measured import induction_scores_of, measures_of, null_scores_of
from tests.conftest import Folder

WAIT_S = 20
TEXT = "the dog saw the cat and the dog ran"


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def name(folder: Folder) -> str:
    path: Path = folder("gpt2")
    return str(path)


class Held:
    """A stand-in for long work: it counts its runs, and each waits to be let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, work: str) -> None:
        self.runs = 0
        self.begun = threading.Event()
        self.let_go = threading.Event()
        monkeypatch.setattr(measured, work, self)

    def __call__(self, *_: Any, progress: Callable[[str, float | None], None], stack: str = "") -> object:
        self.runs += 1
        self.begun.set()
        assert self.let_go.wait(WAIT_S)
        progress("half done", 0.5)
        return object()


def test_experiments_take_turns_with_texts(name: str, threads: ThreadPoolExecutor) -> None:
    session = Session(device="cpu")
    model = session.model(name)
    guard, inside, most, passes = threading.Lock(), 0, 0, 0

    def enter(*_: Any) -> None:
        nonlocal inside, most, passes
        with guard:
            inside += 1
            passes += 1
            most = max(most, inside)
        threading.Event().wait(0.005)  # room for another to come in, if it could

    def leave(*_: Any) -> None:
        nonlocal inside
        with guard:
            inside -= 1

    model.model.base_model.register_forward_pre_hook(enter)
    model.model.base_model.register_forward_hook(leave)
    request = TextRequest(name, TEXT)
    futures = [
        threads.submit(null_scores_of, session, request, "decoder"),
        threads.submit(induction_scores_of, session, name),
        *(threads.submit(session.capture, TextRequest(name, f"{TEXT} {i}")) for i in range(9)),
    ]
    for future in futures:
        future.result(WAIT_S)
    assert passes == 1 + 20 + 4 + 9
    assert most == 1


def test_a_text_is_read_between_two_passes_of_an_experiment(name: str, threads: ThreadPoolExecutor) -> None:
    session = Session(device="cpu")
    read: list[int] = []

    def tell(sentence: str, share: float | None) -> None:
        if share == 0.5:  # in the middle of the draws
            other = threads.submit(session.capture, TextRequest(name, "another text"))
            read.append(len(other.result(WAIT_S).tokens))

    null_scores_of(session, TextRequest(name, TEXT), "decoder", tell)
    assert read == [len(session.model(name).tokenizer("another text").input_ids)]


@pytest.mark.parametrize(
    ("work", "ask"),
    [
        ("nulls_of", lambda session, request, tell: null_scores_of(session, request, "decoder", tell)),
        ("compute_all", lambda session, request, tell: measures_of(session, request, "decoder", tell)),
        ("induction_probe", lambda session, request, tell: induction_scores_of(session, request.model, tell)),
    ],
)
def test_the_same_result_asked_for_twice_at_once_is_made_once(
    work: str, ask: Any, name: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, request = Session(device="cpu"), TextRequest(name, TEXT)
    session.capture(request)
    held = Held(monkeypatch, work)
    waits = threading.Event()

    def told(sentence: str, _share: float | None) -> None:
        if "waiting" in sentence:
            waits.set()

    first = threads.submit(ask, session, request, lambda _sentence, _share: None)
    assert held.begun.wait(WAIT_S)
    second = threads.submit(ask, session, request, told)
    waited = waits.wait(WAIT_S)
    held.let_go.set()
    assert first.result(WAIT_S) is second.result(WAIT_S)
    assert waited
    assert held.runs == 1
    assert ask(session, request, told) is first.result()


def _cancelled(sentence: str, _share: float | None) -> None:
    raise Cancelled


def test_who_waits_can_be_cancelled(name: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    session, request = Session(device="cpu"), TextRequest(name, TEXT)
    session.capture(request)
    held = Held(monkeypatch, "nulls_of")
    first = threads.submit(null_scores_of, session, request, "decoder", lambda _sentence, _share: None)
    assert held.begun.wait(WAIT_S)
    with pytest.raises(Cancelled):
        null_scores_of(session, request, "decoder", _cancelled)
    held.let_go.set()
    assert first.result(WAIT_S) is null_scores_of(session, request, "decoder")


def test_a_cancelled_experiment_leaves_model_and_result_to_others(name: str, threads: ThreadPoolExecutor) -> None:
    session, request = Session(device="cpu"), TextRequest(name, TEXT)
    waits = threading.Event()
    others: list[Future[Any]] = []

    def cancel_at_half(_sentence: str, share: float | None) -> None:
        if share == 0.5:
            others.append(threads.submit(null_scores_of, session, request, "decoder", told))
            assert waits.wait(WAIT_S)
            raise Cancelled

    def told(sentence: str, _share: float | None) -> None:
        if "waiting" in sentence:
            waits.set()

    with pytest.raises(Cancelled):
        null_scores_of(session, request, "decoder", cancel_at_half)
    found = others[0].result(WAIT_S)
    assert null_scores_of(session, request, "decoder") is found
    # Twenty draws of its own: what the cancelled one had drawn is no part of it.
    again = null_scores_of(Session(device="cpu"), request, "decoder")
    np.testing.assert_array_equal(found["entropy"].mean, again["entropy"].mean)
    session.capture(TextRequest(name, "another text"))

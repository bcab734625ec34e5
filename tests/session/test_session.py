"""What a session keeps and for how long; models and captures here are stand-ins that count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import explorer
from explorer.session import session as session_module
from explorer.session.requests import StudyRequest, TextRequest
from explorer.session.session import Session
from explorer.views.embeddings.study import study_of

WAIT_S = 20


@dataclass
class FakeModel:
    name: str
    takes_pairs: bool = True
    is_encoder_decoder: bool = False
    device: str = "cpu"
    dtype: str = "float32"
    method: str = "recorded"

    def memory_bytes(self) -> int:
        return 5_000_000


@dataclass
class FakeCapture:
    model: FakeModel
    arguments: tuple[str, str | None, str | None]
    nbytes: int = 100


@dataclass
class Ledger:
    """Which models were loaded and which texts captured, in order; hooks to hold them up."""

    loaded: list[str] = field(default_factory=list)
    captured: list[tuple[str, str]] = field(default_factory=list)
    on_load: Callable[[str], None] = lambda _name: None
    on_capture: Callable[[str, str], None] = lambda _name, _text: None
    models: dict[str, FakeModel] = field(default_factory=dict)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    kept = Ledger()

    def load(name: str, device: str, dtype: str, revision: str | None, progress: Any) -> FakeModel:
        progress(f"loading {name}", None)
        kept.on_load(name)
        kept.loaded.append(name)
        return kept.models.get(name, FakeModel(name))

    def capture(model: FakeModel, text: str, pair: str | None, target: str | None, truncate: bool) -> FakeCapture:
        kept.on_capture(model.name, text)
        kept.captured.append((model.name, text))
        return FakeCapture(model, (text, pair, target))

    monkeypatch.setattr(session_module, "load_model", load)
    monkeypatch.setattr(session_module, "capture", capture)
    return kept


def _at_once(*works: Callable[[], object]) -> list[object]:
    """Run all in threads of their own; what they gave, or raised."""
    results: list[object] = [None] * len(works)

    def run(place: int) -> None:
        try:
            results[place] = works[place]()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    return results


def test_a_model_is_loaded_once_and_a_text_captured_once(ledger: Ledger) -> None:
    session = Session()
    first = session.capture(TextRequest("a", "one"))
    assert session.capture(TextRequest("a", "one")) is first
    assert session.capture(TextRequest("a", "two")) is not first
    assert ledger.loaded == ["a"]
    assert ledger.captured == [("a", "one"), ("a", "two")]


def test_the_model_used_longest_ago_goes_with_its_captures(ledger: Ledger) -> None:
    session = Session(max_models=2)
    session.capture(TextRequest("a", "text"))
    session.capture(TextRequest("b", "text"))
    session.model("a")
    session.model("c")
    assert session.facts("b") is None
    assert session.facts("a") is not None
    assert session.nbytes == 100
    session.model("a")
    assert ledger.loaded == ["a", "b", "c"]
    session.model("b")
    assert ledger.loaded == ["a", "b", "c", "b"]


def test_the_captures_used_longest_ago_go_beyond_the_bytes(ledger: Ledger) -> None:
    session = Session(max_bytes=300)
    for text in ("one", "two", "three"):
        session.capture(TextRequest("a", text))
    session.capture(TextRequest("a", "one"))
    session.capture(TextRequest("a", "four"))  # "two" has to go
    assert session.nbytes == 300
    ledger.captured.clear()
    for text in ("one", "three", "four"):
        session.capture(TextRequest("a", text))
    assert ledger.captured == []


def test_an_evicted_capture_is_made_again(ledger: Ledger) -> None:
    session = Session(max_bytes=150)
    first = session.capture(TextRequest("a", "one"))
    session.capture(TextRequest("a", "two"))
    again = session.capture(TextRequest("a", "one"))
    assert again is not first
    assert ledger.captured == [("a", "one"), ("a", "two"), ("a", "one")]
    assert ledger.loaded == ["a"]


def test_a_capture_larger_than_the_limit_is_kept_alone(ledger: Ledger) -> None:
    session = Session(max_bytes=50)
    first = session.capture(TextRequest("a", "one"))
    assert session.capture(TextRequest("a", "one")) is first
    assert session.nbytes == 100


def test_what_a_model_does_not_read_is_left_out(ledger: Ledger) -> None:
    ledger.models["encoder"] = FakeModel("encoder", takes_pairs=True)
    ledger.models["decoder"] = FakeModel("decoder", takes_pairs=False)
    ledger.models["both"] = FakeModel("both", takes_pairs=False, is_encoder_decoder=True)
    session = Session(max_models=3)
    seen = {name: session.capture(TextRequest(name, "text", "pair", "target")).arguments for name in ledger.models}
    assert seen == {
        "encoder": ("text", "pair", None),
        "decoder": ("text", None, None),
        "both": ("text", None, "target"),
    }


def test_another_model_need_not_wait(ledger: Ledger) -> None:
    both_inside = threading.Barrier(2, timeout=WAIT_S)
    ledger.on_load = lambda _name: both_inside.wait() and None
    session = Session()
    results = _at_once(lambda: session.model("a"), lambda: session.model("b"))
    assert not any(isinstance(result, Exception) for result in results)


def test_the_same_asked_for_twice_at_once_is_made_once(ledger: Ledger) -> None:
    begun = threading.Event()
    second_asks = threading.Event()

    def hold(_name: str, _text: str) -> None:
        begun.set()
        assert second_asks.wait(WAIT_S)

    ledger.on_capture = hold
    session = Session()
    request = TextRequest("a", "one")

    def later() -> object:
        assert begun.wait(WAIT_S)
        return session.capture(request, lambda _sentence, _share: None)

    def release() -> None:
        assert begun.wait(WAIT_S)
        threading.Event().wait(0.05)  # the second is on its way to the lock
        second_asks.set()

    first, second, _ = _at_once(lambda: session.capture(request), later, release)
    assert first is second
    assert ledger.captured == [("a", "one")]
    assert ledger.loaded == ["a"]


def test_a_model_that_fails_leaves_the_others_and_can_be_tried_again(ledger: Ledger) -> None:
    session = Session(max_models=1)
    kept = session.capture(TextRequest("a", "one"))

    def fail(name: str) -> None:
        raise explorer.ModelError(f"{name} cannot be loaded")

    ledger.on_load = fail
    with pytest.raises(explorer.ModelError, match="b cannot be loaded"):
        session.model("b")
    assert session.capture(TextRequest("a", "one")) is kept
    ledger.on_load = lambda _name: None
    assert session.model("b").name == "b"
    assert session.facts("a") is None


def test_a_text_that_fails_can_be_tried_again(ledger: Ledger) -> None:
    session = Session()

    def fail(_name: str, _text: str) -> None:
        raise explorer.ModelError("out of memory")

    ledger.on_capture = fail
    with pytest.raises(explorer.ModelError, match="out of memory"):
        session.capture(TextRequest("a", "one"))
    ledger.on_capture = lambda _name, _text: None
    session.capture(TextRequest("a", "one"))
    assert ledger.captured == [("a", "one")]


def test_progress_tells_of_loading_and_reading(ledger: Ledger) -> None:
    told: list[str] = []
    Session().capture(TextRequest("a", "one"), lambda sentence, _share: told.append(sentence))
    assert told == ["loading a", "a reads the text"]


def test_facts_tell_device_precision_and_memory(ledger: Ledger) -> None:
    session = Session()
    assert session.facts("a") is None
    session.model("a")
    facts = session.facts("a")
    assert facts is not None
    assert facts.line == "cpu · float32 · 5 MB"
    ledger.models["b"] = FakeModel("b", method="eager")
    session.model("b")
    assert "eager" in getattr(session.facts("b"), "line", "")


def test_real_models_and_a_word_across_sentences(folder: Callable[[str], Any]) -> None:
    session = Session(device="cpu")
    name = str(folder("bert"))
    rows = [("fruit", "She ate an apple."), ("company", "The apple was red and the dog slept.")]
    told: list[float | None] = []
    request = StudyRequest(name, "apple", tuple(rows))
    study = study_of(session, request, lambda _sentence, share: told.append(share))
    assert [share for share in told if share is not None][-2:] == [0.0, 0.5]
    assert study_of(session, request) is study
    assert [o.sense for o in study.occurrences] == ["fruit", "company"]
    direct = explorer.capture(session.model(name), rows[0][1])
    np.testing.assert_allclose(session.capture(TextRequest(name, rows[0][1])).hidden, direct.hidden)
    with pytest.raises(ValueError, match="sentence 2: the text is empty"):
        study_of(session, StudyRequest(name, "apple", (rows[0], ("fruit", " "))))

"""Loading: devices, dtypes, progress, and what is told of a model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import explorer
from explorer.capture import loading as models
from explorer.capture import recorder
from explorer.models.failures import is_out_of_memory, one_line
from tests.conftest import Folder


class TestDevice:
    """Which device is taken, and which is refused."""

    @pytest.mark.parametrize(
        ("cuda", "mps", "asked", "taken"),
        [
            (0, False, "auto", "cpu"),
            (0, True, "auto", "mps"),
            (2, True, "auto", "cuda"),
            (2, False, "cuda:1", "cuda:1"),
            (2, True, "mps", "mps"),
            (2, True, "cpu", "cpu"),
        ],
    )
    def test_taken(self, cuda: int, mps: bool, asked: str, taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
        _devices(monkeypatch, cuda, mps)
        assert models.pick_device(asked) == taken

    @pytest.mark.parametrize(
        ("cuda", "asked", "message"),
        [
            (0, "cuda", "cuda was asked for, but torch finds 0 CUDA devices: use auto or cpu"),
            (1, "cuda:1", "cuda:1 was asked for, but torch finds 1 CUDA device: use auto or cpu"),
            (0, "mps", "mps was asked for, but torch does not find it: use auto or cpu"),
        ],
    )
    def test_absent(self, cuda: int, asked: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
        _devices(monkeypatch, cuda, mps=False)
        with pytest.raises(explorer.ModelError) as error:
            explorer.load_model("minilm", device=asked)
        assert str(error.value) == message

    @pytest.mark.parametrize("asked", ["tpu", "cuda:x", "", "CPU", "cpu:", "auto:0", "cuda:-1"])
    def test_unknown(self, asked: str) -> None:
        with pytest.raises(ValueError, match=f"unknown device '{asked}': use auto, cpu, cuda"):
            explorer.load_model("minilm", device=asked)


def _devices(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_unknown_dtype() -> None:
    with pytest.raises(ValueError, match="unknown dtype 'int8': use float32, float16, bfloat16"):
        explorer.load_model("minilm", dtype="int8")


def test_progress(folder: Folder) -> None:
    """What is told comes in the order it happens."""
    told: list[str] = []
    name = str(folder("bert"))
    explorer.load_model(name, device="cpu", progress=lambda said, _share: told.append(said))
    assert told == [f"loading {name}", f"checking how {name} attends"]


def test_nothing_can_be_trained(folder: Folder) -> None:
    loaded = explorer.load_model(str(folder("bert")), device="cpu")
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_layers_that_differ_in_heads(monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
    """Layers cannot be drawn side by side when they have different numbers of heads."""
    plain = recorder._stack_run

    def uneven(*args: Any) -> recorder.StackRun:
        run = plain(*args)
        first, *others = run.calls or run.attentions
        if run.calls:
            halved = {**vars(first), "query": first.query[:2], "key": first.key[:2]}
            return recorder.StackRun(run.name, run.hidden, (type(first)(**halved), *others))
        return recorder.StackRun(run.name, run.hidden, (), (first[:2], *others))

    monkeypatch.setattr(recorder, "_stack_run", uneven)
    with pytest.raises(explorer.ModelError) as error:
        explorer.load_model(str(folder("bert")), device="cpu")
    assert str(error.value).endswith(
        "cannot be captured: the layers of its single stack differ in heads and key/value heads "
        "[(2, 2), (4, 4)]; only alike layers can be shown"
    )


class TestFailures:
    """What an error becomes."""

    @pytest.mark.parametrize(
        ("error", "line"),
        [
            (ValueError("first.\nsecond"), "first"),
            (ValueError("  spaced:  \n"), "spaced"),
            (ValueError(), "ValueError"),
            (KeyError("name"), "'name'"),
            (ValueError("x" * 1000), "x" * 300),
        ],
    )
    def test_one_line(self, error: Exception, line: str) -> None:
        assert one_line(error) == line

    def test_other_errors_are_not_memory(self) -> None:
        assert not is_out_of_memory(RuntimeError("shape '[2]' is invalid"))
        with pytest.raises(KeyError), models.out_of_memory("trying"):
            raise KeyError("other")


@pytest.mark.cuda
def test_on_a_card(folder: Folder) -> None:
    """The same weights on a GPU as on the processor, tensors staying there until asked for."""
    name = str(folder("llama"))
    there = explorer.capture(explorer.load_model(name, device="cuda"), "a dog and a fox")
    here = explorer.capture(explorer.load_model(name, device="cpu"), "a dog and a fox")
    assert all(tensor.is_cuda for tensor in there.tensors())
    for layer in range(here.n_layers):
        assert abs(there.attention(layer) - here.attention(layer)).max() < 1e-4

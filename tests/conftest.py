"""Fixtures shared by all tests: tiny checkpoints, loaded once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

import explorer
from explorer.saving.rendering import Draw, renderer
from explorer.session.session import Session
from tests import checkpoints, reference
from tests.checkpoints import FAMILIES, TEXT
from tests.reference import Reference

Folder = Callable[[str], Path]
Loader = Callable[[str], explorer.LoadedModel]
Runs = Callable[[str], tuple[explorer.Capture, Reference]]
TARGET = "the dog ate an apple."


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a CUDA device where there is none."""
    if torch.cuda.is_available():
        return
    left_out = [item for item in items if item.get_closest_marker("cuda")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder of a family's tiny checkpoint, written the first time it is asked for."""
    root = tmp_path_factory.mktemp("checkpoints")

    def of(name: str) -> Path:
        path = root / name
        if not path.is_dir():
            checkpoints.write(checkpoints.FAMILIES[name], path)
        return path

    return of


@pytest.fixture(scope="session")
def tiny(folder: Folder) -> Loader:
    """A family's tiny checkpoint through ``load_model``, once a session."""
    loaded: dict[str, explorer.LoadedModel] = {}

    def of(name: str) -> explorer.LoadedModel:
        if name not in loaded:
            loaded[name] = explorer.load_model(str(folder(name)), device="cpu")
        return loaded[name]

    return of


@pytest.fixture(scope="session")
def runs(tiny: Loader, folder: Folder) -> Runs:
    """A family's capture, and the eager run of the same tokens."""
    made: dict[str, tuple[explorer.Capture, Reference]] = {}

    def of(name: str) -> tuple[explorer.Capture, Reference]:
        if name not in made:
            family = FAMILIES[name]
            target = TARGET if family.is_encoder_decoder else None
            cap = explorer.capture(tiny(name), TEXT, target=target)
            ids = cap.stack("decoder").query_tokens.ids.tolist() if target else None
            made[name] = cap, reference.eager(family, folder(name), TEXT, decoder_ids=ids)
        return made[name]

    return of


@pytest.fixture(scope="session")
def minilm() -> explorer.LoadedModel:
    """The bundled BERT."""
    return explorer.load_model("minilm", device="cpu")


@pytest.fixture(scope="session")
def smollm2() -> explorer.LoadedModel:
    """The bundled Llama, whose heads share keys and values."""
    return explorer.load_model("smollm2", device="cpu")


@pytest.fixture(scope="session")
def session() -> Session:
    """A session as the page has it; what it has computed once serves every test."""
    return Session(device="cpu")


@pytest.fixture(scope="session")
def draw() -> Iterator[Draw]:
    """One browser for all figures that tests draw."""
    with renderer() as made:
        yield made


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is kept for a user is kept in a folder of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that refuses every call, and an empty cache: no test depends on a network."""
    cache = tmp_path_factory.mktemp("hub")
    set_hub(monkeypatch, "http://127.0.0.1:9", cache)
    return cache


def set_hub(monkeypatch: pytest.MonkeyPatch, endpoint: str, cache: Path) -> None:
    """Point huggingface_hub at another server and another cache folder."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

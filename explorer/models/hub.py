"""Checkpoints on the model hub: which are offered, which are cached, how one is fetched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm.auto import tqdm

from explorer.records import ModelError


@dataclass(frozen=True)
class Preset:
    """A checkpoint the picker offers, with the shape its config publishes."""

    repo: str
    family: str
    n_layers: int
    n_heads: int


PRESETS = (
    Preset("google-bert/bert-base-uncased", "bert", 12, 12),
    Preset("google-bert/bert-base-cased", "bert", 12, 12),
    Preset("distilbert/distilbert-base-uncased", "distilbert", 6, 12),
    Preset("FacebookAI/roberta-base", "roberta", 12, 12),
    Preset("openai-community/gpt2", "gpt2", 12, 12),
    Preset("openai-community/gpt2-medium", "gpt2", 24, 16),
    Preset("distilbert/distilgpt2", "gpt2", 6, 12),
    Preset("google-t5/t5-small", "t5", 6, 8),
    Preset("facebook/bart-base", "bart", 6, 12),
)

# Names from before the hub had owners ("gpt2") still mean the same checkpoints.
_OLD_NAMES = {preset.repo.partition("/")[2]: preset.repo for preset in PRESETS}

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl"})
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors", "*.spm", "*.vocab"]


def split_gguf(name: str) -> tuple[str, str | None]:
    """Split ``owner/repo/file.gguf`` into the repository and the file."""
    if name.endswith(".gguf") and name.count("/") == 2:
        repo, _, file = name.rpartition("/")
        return repo, file
    return name, None


def is_cached(repo: str) -> bool:
    """Whether a checkpoint's config and weights are in the local cache."""
    files = ("config.json", "model.safetensors")
    return any(all(isinstance(try_to_load_from_cache(name, file), str) for file in files) for name in _names(repo))


def cached() -> list[str]:
    """The checkpoints in the local cache, whoever fetched them."""
    folders = Path(constants.HF_HUB_CACHE).glob("models--*")
    repos = (folder.name.removeprefix("models--").replace("--", "/") for folder in folders)
    return sorted(repo for repo in repos if is_cached(repo))


def _names(name: str) -> list[str]:
    """The names a checkpoint may be cached under: with its owner, and as it was before."""
    repo = _OLD_NAMES.get(name, name)
    return [repo, *(old for old, new in _OLD_NAMES.items() if new == repo)]


def download(
    name: str, revision: str | None, gguf_file: str | None, tell: Callable[[str, float | None], None]
) -> tuple[Path, str]:
    """Fetch a checkpoint into the cache, or find it there when the hub is out of reach.

    Returns:
        The folder with its files, and the commit they are of.

    Raises:
        ModelError: no such checkpoint, no access, or neither hub nor cache has it.
    """
    repo, *older = _names(name)
    how: dict[str, Any] = {
        "revision": revision,
        "allow_patterns": [*_FILES, gguf_file] if gguf_file else _FILES,
        "ignore_patterns": ["*/*"],
        "tqdm_class": _progress_bar(name, tell),
    }
    tell(f"looking for {name}", None)
    try:
        folder = Path(snapshot_download(repo, **how))
    except LocalEntryNotFoundError as error:
        if isinstance(error.__cause__, HfHubHTTPError):
            raise ModelError(_complaint(name, revision, error.__cause__)) from None
        folder = _cached(name, older, how)
    except Exception as error:
        raise ModelError(_complaint(name, revision, error)) from None
    if gguf_file is not None and not (folder / gguf_file).is_file():
        raise ModelError(f"{name} has no file {gguf_file} on the hub")
    if gguf_file is None and not any(folder.glob("*.safetensors")):
        raise no_weights(name, _pickles(repo, folder.name))
    return folder, folder.name


def _cached(name: str, older: list[str], how: dict[str, Any]) -> Path:
    for repo in older:
        with suppress(LocalEntryNotFoundError):
            return Path(snapshot_download(repo, **how, local_files_only=True))
    raise ModelError(
        f"'{name}' is neither a bundled model, a folder here nor in the cache, and the model hub "
        "cannot be reached: minilm and smollm2 work without it"
    ) from None


def _complaint(name: str, revision: str | None, error: Exception) -> str:
    """What to say of an error of the hub's."""
    if isinstance(error, HFValidationError):
        return f"'{name}' is no model: give a hub id such as gpt2, an existing folder, minilm or smollm2"
    if isinstance(error, GatedRepoError):  # it is a RepositoryNotFoundError too
        return f"{name} asks for its terms to be accepted on the hub, and a login"
    if isinstance(error, RepositoryNotFoundError):
        return f"the hub has no model '{name}', or it is private"
    if isinstance(error, RevisionNotFoundError):
        return f"{name} has no revision '{revision}' on the hub"
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{name} could not be fetched from the hub: {first.rstrip('.:')}"


def _pickles(repo: str, revision: str) -> list[str]:
    """Pickled weights that were left on the hub; none when it does not answer."""
    try:
        files = HfApi().model_info(repo, revision=revision, timeout=10).siblings or []
    except Exception:  # whatever it is, the message does without
        return []
    return sorted(file.rfilename for file in files if Path(file.rfilename).suffix in PICKLES)


def no_weights(name: str, pickled: list[str]) -> ModelError:
    """What to say of a checkpoint without weights that are safe to read."""
    if not pickled:
        return ModelError(f"{name} has no weights: a .safetensors or .gguf file is needed")
    return ModelError(
        f"{name} has only pickled weights ({pickled[0]}), which can run code when read: "
        "convert it to safetensors with save_pretrained"
    )


def _progress_bar(name: str, tell: Callable[[str, float | None], None]) -> type[tqdm]:
    """A bar that draws nothing and tells the share of bytes fetched so far."""

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            # A disabled bar would not count.
            super().__init__(*args, **{**kwargs, "disable": False, "file": StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if self.unit == "B" and self.total:
                tell(f"fetching {name}", min(1.0, self.n / self.total))
            return shown

    return Bar

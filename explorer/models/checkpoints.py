"""Where a model's files are, and reading them: config, weights and tokenizer.

Nothing that comes with a checkpoint is ever run: no pickle, no remote code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import torch
import transformers
from platformdirs import user_cache_path
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, modeling_gguf_pytorch_utils

from explorer.models import architectures, bundled, hub
from explorer.models.failures import one_clear_line, one_line
from explorer.records import ModelError

# Converting pickled checkpoints behind the user's back is not wanted: safetensors or nothing.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

Progress = Callable[[str, float | None], None]

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

_VOCABULARIES = {"tekken.json", "tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt"}


_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Checkpoint:
    """Where a model's files are: a folder, and the GGUF file in it if it is one.

    ``source`` is "bundled", "folder" or "hub"; ``revision`` the package's version or the
    hub's commit.
    """

    source: str
    folder: Path
    gguf_file: str | None = None
    revision: str | None = None


def find(name: str, revision: str | None, tell: Progress) -> Checkpoint:
    """The files of a bundled model, a local folder or file, or a hub id.

    Raises:
        ModelError: there are none; one line says why.
    """
    if name in bundled.BUNDLED:
        tell(f"checking the bundled {name}", None)
        path = bundled.weights_path(name)
        folder = _converted(name, path, tell) if path.suffix == ".gguf" else path.parent
        return Checkpoint("bundled", folder, revision=bundled.revision(name))
    local = Path(name).expanduser()
    if local.is_file() and local.suffix == ".gguf":
        return Checkpoint("folder", local.parent, gguf_file=local.name)
    if local.is_dir():
        return Checkpoint("folder", local, gguf_file=_only_gguf(local))
    if local.is_file():
        raise ModelError(f"{name} is a file; give its folder, or a .gguf file")
    if name.startswith((".", "/", "~")) or "\\" in name:
        raise ModelError(f"no folder {name}: give an existing folder, a hub id, minilm or smollm2")
    repo, gguf_file = hub.split_gguf(name)
    folder, commit = hub.download(repo, revision, gguf_file, tell)
    return Checkpoint("hub", folder, gguf_file=gguf_file, revision=commit)


def checksum(name: str, checkpoint: Checkpoint) -> str:
    """The sha256 of a checkpoint's weights; of several files, that of their sums in order.

    The hub's cache names a large file by its sum, so that it need not be read again.
    """
    if name in bundled.BUNDLED:
        return bundled.BUNDLED[name].sha256
    folder, gguf = checkpoint.folder, checkpoint.gguf_file
    files = [folder / gguf] if gguf else sorted(folder.glob("*.safetensors"))
    sums = [_file_sum(path) for path in files]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def _file_sum(path: Path) -> str:
    blob = path.resolve().name
    if path.is_symlink() and _SHA256.fullmatch(blob):
        return blob
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(name: str, checkpoint: Checkpoint, dtype: str) -> tuple[PreTrainedModel, Any]:
    """Model and tokenizer from a folder, the model set to eager attention.

    Raises:
        ModelError: the files cannot be read, or not all of the model is in them.
    """
    folder, gguf = checkpoint.folder, checkpoint.gguf_file
    how: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    if gguf:
        how["gguf_file"] = gguf
    else:
        _check_config(name, folder)
        _check_weights(name, folder)
    with one_clear_line(f"{name} cannot be loaded", f"loading {name}"):
        model = _weights(folder, DTYPES[dtype], how)
    with one_clear_line(f"{name} has no tokenizer that can be loaded", f"loading {name}"):
        # A truncated text is its beginning, whatever the model was trained on.
        tokenizer = AutoTokenizer.from_pretrained(folder, truncation_side="right", **how)
    if not gguf:
        _check_vocabulary(name, folder, tokenizer)
    return model, tokenizer


def _weights(folder: Path, dtype: torch.dtype, how: dict[str, Any]) -> PreTrainedModel:
    """The model with its head where the checkpoint has one, without it otherwise."""
    config = AutoConfig.from_pretrained(folder, **how)
    auto_class = architectures.auto_class(config, from_gguf="gguf_file" in how)
    for candidate in dict.fromkeys((auto_class, AutoModel)):
        # Eager is what every architecture can do; recorder.choose_method moves on from there.
        model, report = candidate.from_pretrained(
            folder, dtype=dtype, attn_implementation="eager", use_safetensors=True, output_loading_info=True, **how
        )
        # Poolers are never used here; any other weight made up at random would be a lie.
        missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
        if not missing:
            return model
    raise ModelError(
        f"{len(missing)} of its weights are missing, {missing[0]} among them: the checkpoint is not complete"
    )


def _check_config(name: str, folder: Path) -> None:
    """Say what is missing before transformers says it in twenty lines."""
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(f"{name} has no config.json: it is not a transformers checkpoint")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        model_type = config.get("model_type")
    except (ValueError, AttributeError):
        raise ModelError(f"{name}: its config.json is not a valid configuration") from None
    if isinstance(model_type, str) and model_type in transformers.CONFIG_MAPPING:
        return
    if config.get("auto_map"):
        raise ModelError(
            f"{name} needs code that comes with the checkpoint, which is never run here: "
            "use a model that transformers itself knows"
        )
    if not isinstance(model_type, str):
        raise ModelError(f"{name}: its config.json names no architecture (model_type)")
    raise ModelError(f"{name}: transformers {transformers.__version__} knows no architecture '{model_type}'")


def _check_weights(name: str, folder: Path) -> None:
    """Read each safetensors header: it tells whether the file is whole."""
    files = set(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{name}: {index.name} is damaged: get the checkpoint again") from None
        files |= {folder / shard for shard in shards}
    elif not files:
        pickled = sorted(path.name for path in folder.iterdir() if path.suffix in hub.PICKLES)
        raise hub.no_weights(name, pickled)
    for path in sorted(files):
        try:
            with safe_open(path, framework="np"):
                pass
        except FileNotFoundError:
            raise ModelError(f"{name}: {path.name} is missing: get the checkpoint again") from None
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{name}: {path.name} is truncated or damaged ({one_line(error)}): get the checkpoint again"
            ) from None


def _check_vocabulary(name: str, folder: Path, tokenizer: Any) -> None:
    """Transformers makes up an empty tokenizer where there are no files for one."""
    own = set(tokenizer.vocab_files_names.values())
    if own and not any((folder / file).is_file() for file in own | _VOCABULARIES):
        raise ModelError(f"{name} has no tokenizer: tokenizer.json or {' or '.join(sorted(own))} is needed")


def _only_gguf(folder: Path) -> str | None:
    """The folder's GGUF file when that is what it has instead of safetensors."""
    found = sorted(folder.glob("*.gguf"))
    if not found or any(folder.glob("*.safetensors")):
        return None
    if len(found) > 1:
        raise ModelError(f"{folder} has {len(found)} GGUF files: give the path of one, as {found[0]}")
    return found[0].name


def _converted(name: str, path: Path, tell: Progress) -> Path:
    """A safetensors copy of a bundled GGUF model, made once in the user's cache folder.

    Reading GGUF takes a quarter of a minute, the copy well under a second.
    """
    folder = user_cache_path("attention-explorer") / f"{name}-{bundled.BUNDLED[name].sha256[:12]}"
    if _is_whole(folder):
        return folder
    tell(f"reading {name} for the first time (about 20 seconds; kept for the next time)", None)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder.parent) as unfinished:
            _convert(name, path, Path(unfinished, name))
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another process may have been quicker
                Path(unfinished, name).rename(folder)
    except OSError as error:
        raise ModelError(
            f"{name} needs a place for its converted copy, and {folder.parent} cannot be written "
            f"({error.strerror}): set XDG_CACHE_HOME to a folder that can"
        ) from None
    if not _is_whole(folder):
        raise ModelError(f"{name}: its converted copy cannot be kept in {folder}")
    return folder


def _convert(name: str, path: Path, into: Path) -> None:
    model, tokenizer = read(name, Checkpoint("bundled", path.parent, path.name), "float32")
    # Dequantised weights are ordinary ones; save_pretrained refuses while these remain.
    for attribute in ("hf_quantizer", "quantization_method", "is_quantized"):
        if hasattr(model, attribute):
            delattr(model, attribute)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)


def _is_whole(folder: Path) -> bool:
    try:
        _check_config(folder.name, folder)
        _check_weights(folder.name, folder)
    except (ModelError, OSError):
        return False
    return True


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' own bars and notes off the terminal; ``Progress`` tells instead.

    Its settings are the process's; they come back when the last thread leaves.
    """
    global _inside, _restore
    with _lock:
        if not _inside:
            _restore = _hush()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _restore()


_lock = Lock()
_inside = 0  # threads, or calls within each other
_restore: Callable[[], None] = lambda: None  # noqa: E731 - replaced before it is called


def _hush() -> Callable[[], None]:
    """Quieten transformers, and return what undoes it."""
    log = transformers.utils.logging
    gguf: Any = modeling_gguf_pytorch_utils  # its bar heeds no setting
    level, bars, bar = log.get_verbosity(), log.is_progress_bar_enabled(), gguf.tqdm
    log.set_verbosity_error()
    log.disable_progress_bar()
    gguf.tqdm = partial(bar, disable=True)

    def restore() -> None:
        gguf.tqdm = bar
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()

    return restore

"""Folders that cannot be loaded: one clear line each, and the process goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as tf
from safetensors.torch import load_file, save_file

import explorer
from explorer.models import architectures, checkpoints
from tests import reference
from tests.checkpoints import FAMILIES, TEXT, Family, spread, write
from tests.conftest import Folder

Spoil = Callable[[Path], None]


@pytest.fixture
def copy(folder: Folder, tmp_path: Path) -> Path:
    """A BERT of the test's own, to be spoiled."""
    path = tmp_path / "model"
    shutil.copytree(folder("bert"), path)
    return path


@pytest.fixture(autouse=True)
def goes_on(folder: Folder) -> Iterator[None]:
    """After each failure a sound model still loads and is captured right."""
    yield
    loaded = explorer.load_model("minilm", device="cpu")
    assert explorer.capture(loaded, TEXT).attention(0).shape[0] == 12


def _error(path: Path | str, **how: Any) -> str:
    with pytest.raises(explorer.ModelError) as error:
        explorer.load_model(str(path), **{"device": "cpu", **how})
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


def _config(path: Path, **changes: Any) -> None:
    file = path / "config.json"
    config = {**json.loads(file.read_text(encoding="utf-8")), **changes}
    config = {key: value for key, value in config.items() if value is not ...}
    file.write_text(json.dumps(config), encoding="utf-8")


def _truncate(path: Path) -> None:
    file = path / "model.safetensors"
    os.truncate(file, file.stat().st_size // 2)


def _pickle(path: Path) -> None:
    weights = load_file(path / "model.safetensors")
    torch.save(weights, path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()


def _remote_code(path: Path) -> None:
    _config(path, model_type="own_bert", auto_map={"AutoModel": "modeling.OwnBert"})
    (path / "modeling.py").write_text("raise SystemExit('ran')", encoding="utf-8")


def _without(path: Path, wanted: str) -> None:
    weights = load_file(path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if wanted not in name}
    assert len(kept) < len(weights)
    save_file(kept, path / "model.safetensors", metadata={"format": "pt"})


def _shards(path: Path) -> None:
    """An index that names a second file, which is not there."""
    weights = load_file(path / "model.safetensors")
    files = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(weights)}
    first = {name: tensor for name, tensor in weights.items() if "00001-of" in files[name]}
    save_file(first, path / "model-00001-of-00002.safetensors", metadata={"format": "pt"})
    (path / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": files}
    (path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def _no_tokenizer(path: Path) -> None:
    for file in path.glob("*token*"):
        file.unlink()


def _larger_vocabulary(path: Path) -> None:
    for file in path.glob("*token*"):
        file.unlink()
    FAMILIES["llama"].tokenizer().save_pretrained(path)


def _write(name: str, text: str) -> Spoil:
    return lambda path: (path / name).write_text(text, encoding="utf-8")  # type: ignore[return-value]


SPOILT: dict[str, tuple[Spoil, str]] = {
    "no config": (
        lambda path: (path / "config.json").unlink(),
        r"has no config\.json: it is not a transformers checkpoint",
    ),
    "config cut off": (_write("config.json", '{"model_type": "be'), r"its config\.json is not a valid configuration"),
    "config of another kind": (_write("config.json", "[]"), r"is not a valid configuration"),
    "config without an architecture": (
        lambda path: _config(path, model_type=...),
        r"its config\.json names no architecture \(model_type\)",
    ),
    "architecture that is no name": (lambda path: _config(path, model_type={"a": 1}), r"names no architecture"),
    "unknown architecture": (
        lambda path: _config(path, model_type="perceptron9"),
        rf"transformers {re.escape(tf.__version__)} knows no architecture 'perceptron9'",
    ),
    "config with a silly value": (
        lambda path: _config(path, num_attention_heads=5),
        r"cannot be loaded: .*hidden size \(32\)",
    ),
    "config that does not fit the weights": (lambda path: _config(path, intermediate_size=64), r"cannot be loaded: "),
    "remote code": (_remote_code, r"needs code that comes with the checkpoint, which is never run"),
    "pickle only": (_pickle, r"has only pickled weights \(pytorch_model\.bin\), which can run"),
    "no weights": (
        lambda path: (path / "model.safetensors").unlink(),
        r"has no weights: a \.safetensors or \.gguf file is needed",
    ),
    "truncated weights": (_truncate, r"model\.safetensors is truncated or damaged"),
    "weights of another kind": (
        _write("model.safetensors", "<html>not found</html>"),
        r"model\.safetensors is truncated or damaged",
    ),
    "missing shard": (_shards, r"model-00002-of-00002\.safetensors is missing"),
    "damaged index": (
        _write("model.safetensors.index.json", '{"weight_map": []}'),
        r"model\.safetensors\.index\.json is damaged",
    ),
    "missing weights": (
        lambda path: _without(path, "layer.1.attention.self.query"),
        r"cannot be loaded: 2 of its weights are missing, .*layer\.1\.attention\.self\.query\.bias",
    ),
    "no tokenizer": (_no_tokenizer, r"has no tokenizer: tokenizer\.json or .* is needed"),
    "another model's tokenizer": (
        _larger_vocabulary,
        r"token \d+ has no row in the embedding table of 160: the tokenizer belongs to another",
    ),
    "damaged tokenizer": (_write("tokenizer.json", "{"), r"has no tokenizer that can be loaded: "),
}


@pytest.mark.parametrize("case", list(SPOILT))
def test_spoilt_folder(case: str, copy: Path) -> None:
    spoil, expected = SPOILT[case]
    spoil(copy)
    message = _error(copy)
    assert message.startswith(str(copy))
    assert re.search(expected, message), message


class TestNames:
    """What is no checkpoint at all."""

    def test_no_folder(self, tmp_path: Path) -> None:
        path = tmp_path / "nowhere"
        assert _error(path) == (f"no folder {path}: give an existing folder, a hub id, minilm or smollm2")

    def test_empty_folder(self, tmp_path: Path) -> None:
        assert "has no config.json" in _error(tmp_path)

    def test_file(self, copy: Path) -> None:
        assert "is a file; give its folder, or a .gguf file" in _error(copy / "config.json")

    def test_several_gguf_files(self, tmp_path: Path) -> None:
        for name in ("a.gguf", "b.gguf"):
            (tmp_path / name).write_bytes(b"GGUF")
        assert f"has 2 GGUF files: give the path of one, as {tmp_path / 'a.gguf'}" in _error(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00rubbish", b"<html>"])
    def test_damaged_gguf(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "model.gguf").write_bytes(content)
        assert "cannot be loaded: " in _error(tmp_path / "model.gguf")

    @pytest.mark.parametrize("name", ["", "  \n", None, 7])
    def test_empty_name(self, name: Any) -> None:
        with pytest.raises(ValueError, match="the model's name is empty"):
            explorer.load_model(name)


class TestWhatIsLoaded:
    """Which class is right for which checkpoint."""

    def test_shards(self, folder: Folder, tmp_path: Path) -> None:
        model = tf.AutoModelForCausalLM.from_pretrained(folder("llama"))
        model.save_pretrained(tmp_path, max_shard_size="20KB")
        tf.AutoTokenizer.from_pretrained(folder("llama")).save_pretrained(tmp_path)
        assert len(list(tmp_path.glob("*.safetensors"))) > 1
        cap = explorer.capture(explorer.load_model(str(tmp_path), device="cpu"), TEXT)
        expected = reference.eager(FAMILIES["llama"], folder("llama"), TEXT)
        assert reference.relative(cap.logits(), expected.logits) < 1e-4

    @pytest.mark.parametrize(
        ("kind", "logits"),
        [
            (tf.BertModel, False),
            (tf.BertForPreTraining, True),
            (tf.BertForSequenceClassification, False),
            (tf.BertLMHeadModel, True),
        ],
    )
    def test_bert_of_any_kind(self, kind: type, logits: bool, folder: Folder, tmp_path: Path) -> None:
        """The head where it is for language, the bare model elsewhere; the same attention."""
        config = tf.AutoConfig.from_pretrained(folder("bert"))
        config.is_decoder = kind is tf.BertLMHeadModel
        model = spread(kind(config))
        model.save_pretrained(tmp_path)
        tokenizer = tf.AutoTokenizer.from_pretrained(folder("bert"))
        tokenizer.save_pretrained(tmp_path)
        loaded = explorer.load_model(str(tmp_path), device="cpu")
        assert loaded.has_logits is logits
        assert loaded.stacks[0].causal is (kind is tf.BertLMHeadModel)
        assert loaded.takes_pairs is (kind is not tf.BertLMHeadModel)
        model.set_attn_implementation("eager")
        with torch.inference_mode():
            out = model(**tokenizer(TEXT, return_tensors="pt"), output_attentions=True)
        ours = explorer.capture(loaded, TEXT).attention(2)
        assert abs(ours - out.attentions[2][0].numpy()).max() < 1e-5

    def test_head_that_is_not_in_the_checkpoint(self, folder: Folder, tmp_path: Path) -> None:
        """ELECTRA's discriminator: no language-model head, so none is made up."""
        config = tf.AutoConfig.from_pretrained(folder("electra"))
        spread(tf.ElectraForPreTraining(config)).save_pretrained(tmp_path)
        tf.AutoTokenizer.from_pretrained(folder("electra")).save_pretrained(tmp_path)
        loaded = explorer.load_model(str(tmp_path), device="cpu")
        assert not loaded.has_logits
        assert loaded.method == "recorder"

    def test_encoder_of_a_pair(self, folder: Folder, tmp_path: Path) -> None:
        """T5's encoder alone is a single stack."""
        config = tf.AutoConfig.from_pretrained(folder("t5"))
        spread(tf.T5EncoderModel(config)).save_pretrained(tmp_path)
        tf.AutoTokenizer.from_pretrained(folder("t5")).save_pretrained(tmp_path)
        loaded = explorer.load_model(str(tmp_path), device="cpu")
        assert [stack.name for stack in loaded.stacks] == ["encoder"]
        assert not loaded.is_encoder_decoder

    def test_nothing_is_printed(self, copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
        explorer.load_model(str(copy), device="cpu")
        assert capfd.readouterr() == ("", "")

    def test_own_settings_of_transformers_come_back(self, copy: Path) -> None:
        log = tf.utils.logging
        outer, inner = checkpoints.quiet_transformers(), checkpoints.quiet_transformers()
        before = log.get_verbosity(), log.is_progress_bar_enabled()
        explorer.load_model(str(copy), device="cpu")
        (copy / "config.json").unlink()
        _error(copy)
        assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before
        # Two threads, leaving in the order they came.
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        assert log.get_verbosity() == log.ERROR
        inner.__exit__(None, None, None)
        assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before


def _tiny(config: type, model: type, **settings: Any) -> Family:
    def make(tokenizer: tf.PreTrainedTokenizerBase) -> tf.PreTrainedModel:
        return spread(model(config(vocab_size=len(tokenizer), **settings)))

    return Family("", make, FAMILIES["gpt2"].tokenizer, tf.AutoModelForCausalLM, {}, {})


HYBRID = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48)
NOT_CAPTURED = {
    "mamba": _tiny(tf.MambaConfig, tf.MambaForCausalLM, hidden_size=32, num_hidden_layers=2, state_size=4),
    "lfm2": _tiny(
        tf.Lfm2Config,
        tf.Lfm2ForCausalLM,
        **HYBRID,
        num_key_value_heads=2,
        layer_types=["conv", "full_attention", "conv"],
    ),
    "longformer": _tiny(
        tf.LongformerConfig,
        tf.LongformerForMaskedLM,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=256,
        attention_window=8,
        pad_token_id=1,
    ),
    "fnet": _tiny(tf.FNetConfig, tf.FNetForMaskedLM, hidden_size=32, num_hidden_layers=2, intermediate_size=48),
}


@pytest.mark.parametrize("name", list(NOT_CAPTURED))
def test_architecture_that_cannot_be_captured(name: str, tmp_path: Path) -> None:
    """Layers that do not attend, all or some of them, or give windows instead of weights."""
    path = write(NOT_CAPTURED[name], tmp_path / name)
    assert f"{path} ({name}) cannot be captured: " in _error(path)


OUT_OF_MEMORY = {
    "a card's": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore"),
    "the processor's": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate "
        "memory: you tried to allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "another of the processor's": RuntimeError(
        "DefaultCPUAllocator: not enough memory: you tried to allocate 68719476736 bytes."
    ),
    "Python's": MemoryError(),
    "as transformers may wrap it": OSError("Unable to load weights: Cannot allocate memory"),
}


@pytest.mark.parametrize("case", list(OUT_OF_MEMORY))
@pytest.mark.parametrize("place", ["weights", "moving", "probe"])
def test_out_of_memory(case: str, place: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OUT_OF_MEMORY[case]

    with monkeypatch.context() as patch:
        if place == "weights":
            patch.setattr(tf.BertForMaskedLM, "from_pretrained", fail)
        elif place == "moving":
            patch.setattr(tf.BertForMaskedLM, "to", fail)
        else:
            patch.setattr(tf.BertModel, "forward", fail)
        message = _error(copy)
    assert message.startswith(f"out of memory while loading {copy}")
    assert message.endswith("use a shorter text, a smaller model or another device")


def test_no_remote_code_even_where_the_family_is_known(copy: Path) -> None:
    """A known architecture is loaded by transformers' own class, whatever auto_map says."""
    (copy / "modeling.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    auto_map = {"AutoModelForMaskedLM": "modeling.OwnBert", "AutoModel": "modeling.OwnBert"}
    _config(copy, auto_map=auto_map)
    loaded = explorer.load_model(str(copy), device="cpu")
    assert type(loaded.model) is tf.BertForMaskedLM


def test_dtypes_are_torchs() -> None:
    assert {name: str(dtype) for name, dtype in checkpoints.DTYPES.items()} == {
        name: f"torch.{name}" for name in ("float32", "float16", "bfloat16")
    }


def test_pooler_may_be_missing(copy: Path) -> None:
    """It is made up, and never used: BERT's bare model has one, its masked head has not."""
    _config(copy, architectures=["BertModel"])
    loaded = explorer.load_model(str(copy), device="cpu")
    assert architectures.body(loaded.model) is loaded.model
    assert loaded.method == "recorder"

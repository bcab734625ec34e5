"""The worksheet: its numbers against plain numpy on the checkpoints' own weights, its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dash import Dash, dcc, html
from safetensors.numpy import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

import explorer
from explorer.analysis.head_maps import head_maps
from explorer.app import address, downloads
from explorer.models import bundled
from explorer.records import QueryRow
from explorer.saving.formats import to_json
from explorer.session.session import Session
from explorer.views.inside import panel as inside
from explorer.views.inside.page import PAGE
from explorer.views.inside.worksheet import WorksheetSettings
from explorer.views.inside.worksheet import panel as worksheet_panel
from explorer.views.inside.worksheet.compute import query_row
from explorer.views.inside.worksheet.data import table as worksheet_table
from tests import reference
from tests.callbacks import answer, outputs_of
from tests.checkpoints import FAMILIES, LONG, TEXT
from tests.computing import computed, json_of
from tests.conftest import Folder, Loader

APPLES = "She ate an apple while Apple announced a phone."
# In their order; ``q_before`` and ``k_before`` follow ``v`` where there is one.
KEYS = (
    "kind model revision text pair truncation stack layer head kv_head query query_label keys key_positions q k v "
    "{before}scale scores bias softcap scaled weights output sink note drawn_key before_rotation settings versions"
)


def row_of(cap: explorer.Capture, layer: int, head: int, query: int, stack: str | None = None) -> QueryRow:
    return query_row(cap, layer, head, query, stack, head_maps(cap, layer, head, stack))


def told(row: QueryRow) -> dict[str, Any]:
    """What the file says, read as anyone would."""
    result: dict[str, Any] = json.loads(to_json(json_of("worksheet", row)))
    return result


@dataclass(frozen=True)
class ByHand:
    """A head's queries, keys and values of all tokens, worked out from a checkpoint's files."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    q_before: np.ndarray | None = None
    k_before: np.ndarray | None = None


def states(auto: type, folder: Path, text: str, layer: int) -> np.ndarray:
    """What transformers' eager model gives a layer [N, D]."""
    model = auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()  # type: ignore[attr-defined]
    encoded = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        out = model(input_ids=encoded["input_ids"], output_hidden_states=True)
    hidden: np.ndarray = out.hidden_states[layer][0].double().numpy()
    return hidden


def weights_of(folder: Path) -> Callable[[str], np.ndarray]:
    """A checkpoint's tensors by the end of their name, in float64."""
    tensors = load_file(folder / "model.safetensors")

    def one(end: str) -> np.ndarray:
        (name,) = [name for name in tensors if f".{name}".endswith(f".{end}")]
        return tensors[name].astype(np.float64)

    return one


def bert(folder: Path, text: str, layer: int, head: int, auto: type = AutoModel) -> ByHand:
    """A linear map each, of the residual stream as it is."""
    x, of = states(auto, folder, text, layer), weights_of(folder)
    width = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    d = width["hidden_size"] // width["num_attention_heads"]
    own = slice(head * d, (head + 1) * d)
    made = [
        x @ of(f"layer.{layer}.attention.self.{name}.weight")[own].T
        + of(f"layer.{layer}.attention.self.{name}.bias")[own]
        for name in ("query", "key", "value")
    ]
    return ByHand(*made)


def gpt2(folder: Path, text: str, layer: int, head: int) -> ByHand:
    """LayerNorm, then one matrix for all three."""
    x, of = states(AutoModelForCausalLM, folder, text, layer), weights_of(folder)
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    x = x * of(f"h.{layer}.ln_1.weight") + of(f"h.{layer}.ln_1.bias")
    every = x @ of(f"h.{layer}.attn.c_attn.weight") + of(f"h.{layer}.attn.c_attn.bias")
    d = 32 // 4
    q, k, v = (part[:, head * d : (head + 1) * d] for part in np.split(every, 3, axis=1))
    return ByHand(q, k, v)


def llama(folder: Path, text: str, layer: int, head: int) -> ByHand:
    """RMSNorm, keys and values shared by neighbouring heads, pairs of dimensions turned."""
    x, of = states(AutoModelForCausalLM, folder, text, layer), weights_of(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    x = x / np.sqrt((x**2).mean(1, keepdims=True) + config["rms_norm_eps"])
    x = x * of(f"layers.{layer}.input_layernorm.weight")
    n_heads, n_kv = config["num_attention_heads"], config["num_key_value_heads"]
    d = config["hidden_size"] // n_heads
    kv = head // (n_heads // n_kv)
    q, k, v = (
        x @ of(f"layers.{layer}.self_attn.{name}_proj.weight")[i * d : (i + 1) * d].T
        for name, i in (("q", head), ("k", kv), ("v", kv))
    )
    theta = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
    angles = np.outer(np.arange(len(x)), theta ** (-2 * np.arange(d // 2) / d))

    def turned(vectors: np.ndarray) -> np.ndarray:
        first, second = vectors[:, : d // 2], vectors[:, d // 2 :]
        return np.hstack(
            [first * np.cos(angles) - second * np.sin(angles), first * np.sin(angles) + second * np.cos(angles)]
        )

    return ByHand(turned(q), turned(k), v, q, k)


def check(found: dict[str, Any], by_hand: ByHand, query: int, seen: int) -> None:
    """Every number of a row, against what follows from the queries, keys and values."""
    q, k, v = by_hand.q[query], by_hand.k[:seen], by_hand.v[:seen]
    scores = k @ q
    scaled = scores / np.sqrt(len(q))
    weights = np.exp(scaled) / np.exp(scaled).sum()
    expected = {"q": q, "k": k, "v": v, "scores": scores, "scaled": scaled, "weights": weights, "output": weights @ v}
    if by_hand.q_before is not None and by_hand.k_before is not None:
        expected |= {"q_before": by_hand.q_before[query], "k_before": by_hand.k_before[:seen]}
    before = "q_before k_before " if by_hand.q_before is not None else ""
    assert " ".join(found) == KEYS.format(before=before)
    assert found["scale"] == pytest.approx(1 / np.sqrt(len(q)))
    assert (found["bias"], found["softcap"]) == (None, None)
    for name, values in expected.items():
        given = np.array(found[name])
        assert given.shape == values.shape
        near = 1e-4 * np.abs(values).max()
        np.testing.assert_allclose(given, values, rtol=0, atol=near, err_msg=name)


class TestNumbers:
    """The JSON and the CSV."""

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 11, 0), (3, 7, 4), (5, 2, 11)])
    def test_minilm(self, minilm: explorer.LoadedModel, layer: int, head: int, query: int) -> None:
        found = told(row_of(explorer.capture(minilm, APPLES), layer, head, query))
        folder = bundled.weights_path("minilm").parent
        check(found, bert(folder, APPLES, layer, head), query, 12)
        labels = ["[CLS]", "she", "ate", "an", "apple·1", "while", "apple·2", "announced", "a", "phone", ".", "[SEP]"]
        assert found["keys"] == labels
        assert found["key_positions"] == list(range(12))
        place = ("model", "stack", "layer", "head", "kv_head", "query", "query_label")
        assert [found[name] for name in place] == ["minilm", "encoder", layer, head, head, query, labels[query]]
        assert (found["text"], found["pair"]) == (APPLES, None)
        assert {"python", "explorer", "torch", "transformers"} <= set(found["versions"])

    def test_tiny_bert(self, tiny: Loader, folder: Folder) -> None:
        found = told(row_of(explorer.capture(tiny("bert"), TEXT), 1, 3, 2))
        by_hand = bert(folder("bert"), TEXT, 1, 3, FAMILIES["bert"].auto)
        check(found, by_hand, 2, len(by_hand.k))

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 3, 0), (1, 2, 5), (2, 0, 9)])
    def test_tiny_gpt2(self, tiny: Loader, folder: Folder, layer: int, head: int, query: int) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        found = told(row_of(cap, layer, head, query))
        check(found, gpt2(folder("gpt2"), TEXT, layer, head), query, query + 1)
        assert found["keys"] == list(cap.tokens[: query + 1])

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 3, 4), (2, 1, 9)])
    def test_tiny_llama(self, tiny: Loader, folder: Folder, layer: int, head: int, query: int) -> None:
        found = told(row_of(explorer.capture(tiny("llama"), TEXT), layer, head, query))
        check(found, llama(folder("llama"), TEXT, layer, head), query, query + 1)

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 0, 3), (4, 5, 7), (20, 8, 9)])
    def test_smollm2(self, smollm2: explorer.LoadedModel, layer: int, head: int, query: int) -> None:
        """Nine heads over three of keys and values."""
        found = told(row_of(explorer.capture(smollm2, APPLES), layer, head, query))
        folder = Path(smollm2.model.config._name_or_path)
        check(found, llama(folder, APPLES, layer, head), query, query + 1)
        assert found["kv_head"] == head // 3

    @pytest.mark.parametrize("name", ["t5", "bart", "gemma2", "gpt-oss", "mistral", "modernbert"])
    def test_weights_are_transformers_own(self, tiny: Loader, folder: Folder, name: str) -> None:
        """Biases, soft caps, sinks, windows: what leads to the weights adds up, and is eager's."""
        family = FAMILIES[name]
        cap = explorer.capture(tiny(name), LONG, target=TEXT if family.is_encoder_decoder else None)
        ids = cap.stack("decoder").query_tokens.ids.tolist() if family.is_encoder_decoder else None
        eager = reference.eager(family, folder(name), LONG, decoder_ids=ids)
        for stack, attention in eager.attention.items():
            found = told(query_row(cap, 1, 2, 9, stack))
            row = attention[1][2, 9]
            seen = np.array(found["key_positions"])
            np.testing.assert_allclose(found["weights"], row[seen], atol=1e-5)
            assert np.delete(row, seen).sum() == 0
            scores = np.array(found["scores"]) * found["scale"]
            if found["softcap"] is not None:
                scores = found["softcap"] * np.tanh(scores / found["softcap"])
            scores = scores + (0 if found["bias"] is None else np.array(found["bias"]))
            np.testing.assert_allclose(found["scaled"], scores, atol=1e-5)
            sink = found["sink"]
            powers = np.exp([*scores, *([] if sink is None else [sink])])
            np.testing.assert_allclose(found["weights"], (powers / powers.sum())[: len(scores)])
            assert (found["bias"] is not None) == (name == "t5")
            assert found["softcap"] == (2.0 if name == "gemma2" else None)
            assert (sink is not None) == (name == "gpt-oss")

    def test_csv(self, tiny: Loader) -> None:
        for name in ("gpt2", "gpt-oss"):
            row = query_row(explorer.capture(tiny(name), TEXT), 0, 1, 6)
            found, rows = told(row), list(csv.DictReader(io.StringIO(worksheet_table(row).csv())))
            sinks = [one for one in rows if not one["position"]]
            keys = [one for one in rows if one["position"]]
            assert [one["key"] for one in keys] == found["keys"]
            columns = {"q·k": "scores", "scaled": "scaled", "weight": "weights"}
            for column, key in columns.items():
                assert [float(one[column]) for one in keys] == pytest.approx(found[key])
            lengths = np.linalg.norm(found["v"], axis=1)
            assert [float(one["‖v‖"]) for one in keys] == pytest.approx(lengths)
            powers = np.array([float(one["exponential"]) for one in rows])
            shares = [float(one["weight"]) for one in rows]
            assert powers.max() == 1
            np.testing.assert_allclose(powers / powers.sum(), shares)
            assert [one["key"] for one in sinks] == ["(learned sink)"] * (name == "gpt-oss")


@pytest.mark.parametrize(("model", "rotates"), [("minilm", False), ("smollm2", True)])
def test_before_rotation_is_said_only_of_a_model_that_rotates(session: Session, model: str, rotates: bool) -> None:
    found = computed(session, "worksheet", model=model, before=True).result()
    assert found["settings"]["before"] is True
    assert found["before_rotation"] is rotates


def test_an_address_fills_the_panels_fields() -> None:
    """Each setting of a view has the id of a component that the page has."""
    layout = inside.layout()
    ids = {getattr(one, "id", None) for part in layout for one in [part, *part._traverse()]}
    assert set(address.fields_of(PAGE).values()) <= ids
    filled = address.filled(layout, address.fields_of(PAGE), {**address.settings_of(PAGE), "key": "3", "before": True})
    fields = {one.id: one for part in filled for one in [part, *part._traverse()] if getattr(one, "id", None)}
    assert fields["inside-worksheet-key"].value == "3"
    assert fields["inside-worksheet-before"].checked


@pytest.mark.parametrize("blank", [False, True])
def test_the_buttons_download_the_page(session: Session, blank: bool) -> None:
    app = Dash("buttons", prevent_initial_callbacks=True)
    app.layout = html.Div([dcc.Download(id="download"), worksheet_panel.layout()])
    downloads._register_worksheet(app, session)
    button = "inside-worksheet-blank" if blank else "inside-worksheet"
    state = WorksheetSettings(layer=3, head=7).as_dict()
    (output,) = (
        name
        for one in app.server.test_client().get("/_dash-dependencies").json or ()
        for name in outputs_of(one)
        if name.startswith("download.data")
    )
    values = {button: 1, "inside-worksheet-state": state}
    file = answer(app, output, f"{button}.n_clicks", values)["download.data"]
    assert file["filename"] == f"minilm-layer3-head7-query4-worksheet{'-blank' if blank else ''}.html"
    assert file["content"].startswith("<!doctype html>")
    assert ('class="key"' in file["content"]) is blank
    wrong = answer(app, output, f"{button}.n_clicks", {**values, "inside-worksheet-state": {**state, "head": 40}})
    assert "Head 40 is out of range" in str(wrong["inside-worksheet-message.children"])

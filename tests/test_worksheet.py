"""The worksheet: its numbers against plain numpy on the checkpoints' own weights, and its page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

import explorer
from explorer import bundled
from explorer.export.formats import to_json
from explorer.export.worksheet import worksheet_csv, worksheet_json
from explorer.export.worksheet_page import worksheet_html
from explorer.head_maps import head_maps
from explorer.records import QueryRow
from explorer.views.inside import query_row
from explorer.views.worksheet import MOST_KEYS, worksheet
from tests import reference
from tests.checkpoints import FAMILIES, LONG, TEXT
from tests.conftest import Folder, Loader

APPLES = "She ate an apple while Apple announced a phone."
KEYS = [
    "kind", "model", "revision", "stack", "layer", "head", "kv_head", "text", "pair", "query",
    "query_label", "keys", "key_positions", "q", "k", "v", "scale", "scores", "bias", "softcap",
    "scaled", "weights", "output", "settings", "versions",
]  # fmt: skip


def row_of(
    cap: explorer.Capture, layer: int, head: int, query: int, stack: str | None = None
) -> QueryRow:
    return query_row(cap, layer, head, query, stack, head_maps(cap, layer, head, stack))


def told(row: QueryRow) -> dict[str, Any]:
    """What the file says, read as anyone would."""
    result: dict[str, Any] = json.loads(to_json(worksheet_json(row)))
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
            [first * np.cos(angles) - second * np.sin(angles),
             first * np.sin(angles) + second * np.cos(angles)]
        )  # fmt: skip

    return ByHand(turned(q), turned(k), v, q, k)


def check(found: dict[str, Any], by_hand: ByHand, query: int, seen: int) -> None:
    """Every number of a row, against what follows from the queries, keys and values."""
    q, k, v = by_hand.q[query], by_hand.k[:seen], by_hand.v[:seen]
    scores = k @ q
    scaled = scores / np.sqrt(len(q))
    weights = np.exp(scaled) / np.exp(scaled).sum()
    expected = {
        "q": q, "k": k, "v": v, "scores": scores, "scaled": scaled, "weights": weights,
        "output": weights @ v,
    }  # fmt: skip
    if by_hand.q_before is not None and by_hand.k_before is not None:
        expected |= {"q_before": by_hand.q_before[query], "k_before": by_hand.k_before[:seen]}
    assert list(found) == [
        key
        for group in KEYS
        for key in ([group, "q_before", "k_before"] if group == "v" else [group])
        if key in found
    ]
    assert ("q_before" in found, "k_before" in found) == (by_hand.q_before is not None,) * 2
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
        labels = ["[CLS]", "she", "ate", "an", "apple·1", "while", "apple·2", "announced", "a",
                  "phone", ".", "[SEP]"]  # fmt: skip
        assert found["keys"] == labels
        assert found["key_positions"] == list(range(12))
        place = ("model", "stack", "layer", "head", "kv_head", "query", "query_label")
        assert [found[name] for name in place] == [
            "minilm", "encoder", layer, head, head, query, labels[query],
        ]  # fmt: skip
        assert (found["text"], found["pair"]) == (APPLES, None)
        assert {"python", "explorer", "torch", "transformers"} <= set(found["versions"])

    def test_tiny_bert(self, tiny: Loader, folder: Folder) -> None:
        found = told(row_of(explorer.capture(tiny("bert"), TEXT), 1, 3, 2))
        by_hand = bert(folder("bert"), TEXT, 1, 3, FAMILIES["bert"].auto)
        check(found, by_hand, 2, len(by_hand.k))

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 3, 0), (1, 2, 5), (2, 0, 9)])
    def test_tiny_gpt2(
        self, tiny: Loader, folder: Folder, layer: int, head: int, query: int
    ) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        found = told(row_of(cap, layer, head, query))
        check(found, gpt2(folder("gpt2"), TEXT, layer, head), query, query + 1)
        assert found["keys"] == list(cap.tokens[: query + 1])

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 3, 4), (2, 1, 9)])
    def test_tiny_llama(
        self, tiny: Loader, folder: Folder, layer: int, head: int, query: int
    ) -> None:
        found = told(row_of(explorer.capture(tiny("llama"), TEXT), layer, head, query))
        check(found, llama(folder("llama"), TEXT, layer, head), query, query + 1)

    @pytest.mark.parametrize(("layer", "head", "query"), [(0, 0, 3), (4, 5, 7), (20, 8, 9)])
    def test_smollm2(
        self, smollm2: explorer.LoadedModel, layer: int, head: int, query: int
    ) -> None:
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
            sink = found["settings"]["sink"]
            powers = np.exp([*scores, *([] if sink is None else [sink])])
            np.testing.assert_allclose(found["weights"], (powers / powers.sum())[: len(scores)])
            assert (found["bias"] is not None) == (name == "t5")
            assert found["softcap"] == (2.0 if name == "gemma2" else None)
            assert (sink is not None) == (name == "gpt-oss")

    def test_csv(self, tiny: Loader) -> None:
        for name in ("gpt2", "gpt-oss"):
            row = query_row(explorer.capture(tiny(name), TEXT), 0, 1, 6)
            found, rows = told(row), list(csv.DictReader(io.StringIO(worksheet_csv(row))))
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


class Page(HTMLParser):
    """A page's tables as rows of (text, class) cells, its text, and whether its tags match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.isolated: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("meta", "br"):
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append(("", dict(attrs).get("class") or ""))
        elif tag == "bdi":
            self.isolated.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "title" in self.open:
            return
        self.text += data
        if "bdi" in self.open:
            self.isolated[-1] += data
        if {"td", "th"} & set(self.open):
            text, kind = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (text + data, kind)

    def column(self, table: int, place: int) -> list[str]:
        return [row[place][0] for row in self.tables[table][1:]]


def shown(values: Any, digits: int = 2) -> list[str]:
    """Numbers as a page has them."""
    texts = [f"{round(float(value), digits) + 0:.{digits}f}" for value in np.atleast_1d(values)]
    return [text.replace("-", "−") for text in texts]


@pytest.fixture(scope="module")
def apple(minilm: explorer.LoadedModel) -> QueryRow:
    """“apple” in one head of minilm."""
    return row_of(explorer.capture(minilm, APPLES), 3, 7, 4)


class TestPage:
    """The page to print."""

    @pytest.mark.parametrize("digits", [1, 2, 6])
    def test_rounded_numbers(self, apple: QueryRow, digits: int) -> None:
        page = Page(worksheet_html(apple, digits))
        query, products, softmax, values = range(4)
        assert [cell for cell, _ in page.tables[query][1]] == [
            "apple·1",
            *shown(apple.q[:4], digits),
        ]
        assert page.column(products, 0) == list(apple.labels)
        for i in range(4):
            assert page.column(products, 1 + i) == shown(apple.k[:, i], digits)
            column = shown([*apple.v[:, i], apple.weights @ apple.v[:, i]], digits)
            assert page.column(values, 1 + i) == column
        first = apple.k[:, :4] @ apple.q[:4]
        assert page.column(products, 5) == shown(first, digits)
        assert page.column(products, 6) == shown(apple.k @ apple.q - first, digits)
        assert page.column(products, 7) == shown(apple.k @ apple.q, digits)
        scores = apple.k @ apple.q / 32**0.5
        powers = np.exp(scores - scores.max())
        assert page.column(softmax, 1) == [*shown(scores, digits), ""]
        assert page.column(softmax, 2) == shown([*powers, powers.sum()], digits)
        assert page.column(softmax, 3) == shown([*powers / powers.sum(), 1], digits)

    def test_blank_has_the_answers_in_its_key_only(self, apple: QueryRow) -> None:
        """Other answers leave everything before the key as it is."""
        other = replace(
            apple, products=apple.products + 1, scaled=apple.scaled - 2, output=apple.output * 3,
            exponentials=apple.exponentials / 5, weights=apple.weights / 7, error=0.5,
            contributions=apple.contributions + 1, added=apple.added * 2,
        )  # fmt: skip
        front, key = worksheet_html(apple, blank=True).split('<section class="key">')
        assert worksheet_html(other, blank=True).split('<section class="key">')[0] == front
        exercise = Page(front.split("<body>")[1])
        cells = [cell for table in exercise.tables for row in table for cell in row]
        assert {text for text, kind in cells if kind == "blank"} == {""}
        # Two sums and a score, an exponential and a weight a key; their sum; four of the output.
        assert sum(kind == "blank" for _, kind in cells) == 12 * 5 + 1 + 4
        assert not any(kind == "answer" for _, kind in cells)
        answers = Page("<section>" + key.split("</body>")[0])
        assert answers.column(0, 2) == [*shown(apple.products), ""]
        assert answers.column(0, 5) == shown([*apple.weights, 1])
        assert [cell for cell, _ in answers.tables[1][1]] == ["output", *shown(apple.output[:4])]

    def test_stands_alone(self, apple: QueryRow) -> None:
        for blank in (False, True):
            page = worksheet_html(apple, blank=blank, paper="Letter")
            parsed = Page(page)
            assert not parsed.tags & {"script", "link", "img", "iframe", "object"}
            assert not parsed.attributes & {"src", "href", "style", "onload"}
            assert not re.search(r"https?:|url\(|@import", page)
            assert "@page { size: Letter; }" in page

    def test_what_a_text_holds_stays_text(self, apple: QueryRow) -> None:
        nasty = ("<script>alert(1)</script>", "שלום", '"&amp;', "</table>")
        row = replace(
            apple, labels=(*nasty, *apple.labels[4:]), query_label=nasty[0], text=nasty[0],
            pair=nasty[3], model="/a/b/<i>", truncation="<b>",
        )  # fmt: skip
        page = Page(worksheet_html(row, blank=True))
        assert page.column(1, 0) == list(row.labels)
        assert not page.tags & {"script", "i"}
        assert {*nasty} <= set(page.isolated)
        assert "/a/b" not in page.text

    def test_no_digits_that_do_not_fit(self, apple: QueryRow) -> None:
        for digits in (0, 7, 50, -1):
            with pytest.raises(ValueError, match=f"digits {digits} is out of range: choose 1 to 6"):
                worksheet_html(apple, digits)
        with pytest.raises(ValueError, match="unknown paper 'A3': use A4 or Letter"):
            worksheet_html(apple, paper="A3")

    def test_how_far_rounding_is_off(self, apple: QueryRow) -> None:
        """A pupil's way, number by number; and the line that says so."""
        q = [round(x, 1) for x in apple.q[:4].tolist()]
        scores, products = [], []
        for k in apple.k.tolist():
            given = round(sum(a * b for a, b in zip(apple.q[4:].tolist(), k[4:], strict=True)), 1)
            products.append(
                round(sum(a * round(b, 1) for a, b in zip(q, k, strict=False)) + given, 1)
            )
            scores.append(round(products[-1] / 32**0.5, 1))
        powers = [round(np.exp(score - max(scores)), 1) for score in scores]
        weights = [round(power / sum(powers), 1) for power in powers]
        output = [
            sum(w * round(v[i], 1) for w, v in zip(weights, apple.v.tolist(), strict=True))
            for i in range(4)
        ]
        misses = worksheet(apple, 1).misses
        assert misses.products == pytest.approx(np.abs(np.array(products) - apple.products).max())
        assert misses.weights == pytest.approx(np.abs(np.array(weights) - apple.weights).max())
        assert misses.output == pytest.approx(np.abs(np.array(output) - apple.output[:4]).max())
        total = sum(round(weight, 1) for weight in apple.weights.tolist())
        assert f"the weights add up to {total:.1f}." in Page(worksheet_html(apple, 1)).text
        for digits in (1, 2, 4):  # what is told is never less than what is missed
            text = Page(worksheet_html(apple, digits)).text
            told = re.search(r"within ([\d.]+) of.*within ([\d.]+) and.*within ([\d.]+)\.", text)
            assert told is not None
            missed = worksheet(apple, digits).misses
            for bound, miss in zip(
                told.groups(), (missed.products, missed.weights, missed.output), strict=True
            ):
                assert 0 <= float(bound) - miss + 1e-6 < 10**-digits + 1e-6
        fine = worksheet(apple, 6).misses
        assert max(fine.products, fine.weights, fine.output) < 1e-4

    def test_many_keys(self, minilm: explorer.LoadedModel) -> None:
        """The heaviest have a row of their own; the rest count as one key."""
        row = query_row(explorer.capture(minilm, LONG), 2, 4, 3)
        n = len(row.labels)
        heaviest = sorted(np.argsort(-row.weights)[:MOST_KEYS])
        rest = np.setdiff1d(np.arange(n), heaviest)
        page = Page(worksheet_html(row, 6))
        name = f"{n - MOST_KEYS} others"
        assert page.column(1, 0) == [row.labels[key] for key in heaviest]
        assert page.column(2, 0) == [*(row.labels[key] for key in heaviest), name, "sum"]
        assert page.column(2, 2)[-2] == shown(row.exponentials[rest].sum(), 6)[0]
        assert page.column(2, 3)[-2] == shown(row.weights[rest].sum(), 6)[0]
        # What is printed still adds up to the head's output.
        weights, values = (
            [float(text.replace("−", "-")) for text in page.column(*where)[:-1]]
            for where in ((2, 3), (3, 1))
        )
        assert np.dot(weights, values) == pytest.approx(row.output[0], abs=1e-5)
        assert f"The token may see {n} keys. The {MOST_KEYS} with the largest" in page.text

    def test_a_causal_mask(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        last = len(cap.tokens) - 1
        text = Page(worksheet_html(query_row(cap, 0, 1, last - 2))).text
        later = f"“{cap.tokens[-2]}”, “{cap.tokens[-1]}” come after “{cap.tokens[-3]}”."
        assert later in text
        first = Page(worksheet_html(query_row(cap, 0, 1, 0)))
        assert first.column(1, 0) == [cap.tokens[0]]
        assert (
            " and 3 more come after" in Page(worksheet_html(query_row(cap, 0, 1, last - 15))).text
        )
        assert "may see every token." in Page(worksheet_html(query_row(cap, 0, 1, last))).text

    @pytest.mark.parametrize("name", ["t5", "gemma2", "gpt-oss"])
    def test_scores_of_their_own(self, tiny: Loader, name: str) -> None:
        """A bias and no scale; a scale of its own, a soft cap and a window; a learned sink."""
        cap = explorer.capture(tiny(name), TEXT, target=TEXT if name == "t5" else None)
        row = query_row(cap, 0, 1, 9)
        page = Page(worksheet_html(row, 4))
        seen = np.flatnonzero(row.parts.allowed)
        printed = np.sort(seen[np.argsort(-row.weights[seen])][:MOST_KEYS])
        heads = [cell for cell, _ in page.tables[2][0]]
        scores = heads.index("6e" + "score − largest") - 1
        assert page.column(2, scores)[: len(printed)] == shown(row.scaled[printed], 4)
        assert page.column(2, 1)[: len(printed)] == shown(
            row.products[printed] * row.parts.scale, 4
        )
        if name == "t5":
            assert heads[1:4] == ["4q·k", "4+ bias", "4= score"]
            assert row.parts.bias is not None
            assert page.column(2, 2)[: len(printed)] == shown(row.parts.bias[printed], 4)
            assert "does not scale" in page.text
        elif name == "gemma2":
            assert heads[1:3] == ["4q·k × 0.5", "4capped= score"]
            assert "2 · tanh(result ÷ 2) never passes 2" in page.text
            assert "outside the window of near tokens" in page.text
        else:
            sink = page.tables[2][-2]
            assert sink[0][0] == "the learned sink"
            powers = [*row.exponentials[seen], row.sink_exponential]
            assert sink[-1][0] == shown(powers[-1] / sum(powers), 4)[0]
            assert page.tables[2][-1][-2][0] == shown(sum(powers), 4)[0]

    def test_before_and_after_turning(self, tiny: Loader) -> None:
        row = row_of(explorer.capture(tiny("llama"), TEXT), 1, 1, 5)
        table = Page(worksheet_html(row)).tables[0]
        assert row.q_before is not None
        assert [cell for cell, _ in table[1]][1:] == shown(row.q_before[:4])
        assert [cell for cell, _ in table[2]][1:] == shown(row.q[:4])

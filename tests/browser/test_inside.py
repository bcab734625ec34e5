"""The Inside page: a token's row by hand, masks on and off, all heads of a layer."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
import transformers as tf
from playwright.sync_api import Page, expect

from tests import checkpoints
from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS, App

TEXT = "She ate an apple while Apple announced a phone."
LONG = " ".join(["The keys that the man left lost are on the table."] * 40)

_ROWS = """() => {
  const rows = [];
  window.dash_ag_grid?.getApi('inside-table')?.forEachNode(node => rows.push(node.data));
  return rows;
}"""


class Inside(App):
    """The Inside page."""

    path = "/inside"
    name = "inside"
    graph = "inside-strips"

    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        self.wait_for(
            "() => document.querySelector('#inside-strips .js-plotly-plot')?._fullData?.length > 1",
            timeout_ms=timeout_ms,
        )

    def rows(self, count: int, keys: list[str] | None = None) -> list[dict[str, Any]]:
        """The table's rows, once there are so many, and of these keys."""
        self.wait_for(
            f"([count, keys]) => {{ const rows = ({_ROWS})(); return rows.length === count &&"
            " (keys === null || keys.every((key, i) => rows[i].label.startsWith(key))); }",
            [count, keys],
            FIRST_LOAD_MS,
        )
        found: list[dict[str, Any]] = self.page.evaluate(_ROWS)
        return found

    def show(self, label: str) -> None:
        self.page.locator("#inside-mode").get_by_text(label, exact=True).click()

    def title(self, graph: str) -> str:
        title: str = self.page.evaluate(
            "id => document.querySelector(`#${id} .js-plotly-plot`)._fullLayout.title.text", graph
        )
        return title

    def map(self, graph: str, title: str) -> np.ndarray:
        """A map's weights, once it has this title."""
        self.wait_for(
            "([id, title]) => document.querySelector(`#${id} .js-plotly-plot`)?._fullLayout"
            "?.title?.text?.includes(title)",
            [graph, title],
        )
        cells = self.page.evaluate(
            "id => document.querySelector(`#${id} .js-plotly-plot`)._fullData"
            ".find(trace => trace.type === 'heatmap').z.map(row => Array.from(row))",
            graph,
        )
        return np.nan_to_num(np.array(cells, dtype=float))


def test_a_row_step_by_step(page: Page, tmp_path: Path) -> None:
    run = eager.run("minilm", TEXT)
    inside = Inside(page).open(layer=1, head=8, query=4)
    rows = inside.rows(len(run.labels), run.labels)
    weights = run.attention[1, 8, 4]
    np.testing.assert_allclose([row["weight"] for row in rows], weights, atol=1e-5)
    exponentials = np.exp([row["score"] for row in rows])
    np.testing.assert_allclose([row["scaled"] for row in rows], np.array([row["product"] for row in rows]) / 32**0.5)
    np.testing.assert_allclose(exponentials / exponentials.sum(), weights, atol=1e-5)
    expect(page.locator("#inside-worksheet-steps li").nth(1)).to_contain_text("× 0.1768 = 1/√32")
    # A clicked key is the one whose vectors are drawn, until another is chosen, or none.
    page.locator("#inside-table .ag-row[row-index='2'] [col-id=label]").click()
    expect(page.locator("#inside-worksheet-key")).to_have_value("ate")
    inside.wait_for_address(layer="1", head="8", key="2")
    inside.wait_for("() => document.querySelector('#inside-worksheet-caption').textContent.includes('“ate”')")
    with (inside.save("csv", tmp_path)).open(encoding="utf-8", newline="") as file:
        saved = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["weight"]) for row in saved], weights, atol=1e-5)
    assert inside.save("png", tmp_path).name == "minilm-layer1-head8-query4.png"
    with page.expect_download() as download:
        page.click("#inside-worksheet-blank")
    assert download.value.suggested_filename == "minilm-layer1-head8-query4-worksheet-blank.html"
    sheet = download.value.path().read_text(encoding="utf-8")
    assert "Attention by hand: “apple·1” in" in sheet
    assert f">{weights.max():.2f}<" in sheet


def test_a_causal_models_shared_heads(page: Page) -> None:
    run = eager.run("smollm2", TEXT)
    inside = Inside(page).open(FIRST_LOAD_MS, model="smollm2", layer=5, head=7, query=3)
    rows = inside.rows(len(run.labels), run.labels)
    assert [row["weight"] is None for row in rows] == [key > 3 for key in range(len(rows))]
    np.testing.assert_allclose([row["weight"] for row in rows[:4]], run.attention[5, 7, 3, :4], atol=1e-5)
    first = page.locator("#inside-worksheet-steps li").first
    expect(first).to_contain_text("key/value head 2")
    before = inside.title("inside-strips")
    page.locator("#inside-worksheet-before").check(force=True)
    inside.map("inside-strips", "before rotation")
    assert inside.title("inside-strips") != before


def test_masks_and_what_comes_too_late(page: Page) -> None:
    run = eager.run("minilm", TEXT)
    inside = Inside(page)
    page.goto("/inside?layer=2&head=3&query=4&mode=mask")
    own = run.attention[2, 3]
    np.testing.assert_allclose(inside.map("inside-mask-own", "layer 2"), own, atol=1e-5)
    earlier = np.tril(own)
    np.testing.assert_allclose(
        inside.map("inside-mask-other", "Thought experiment: a causal mask added"),
        earlier / earlier.sum(axis=1, keepdims=True),
        atol=1e-5,
    )
    caption = page.locator("#inside-mask-late-caption")
    expect(caption).to_contain_text("smollm2 is causal", timeout=FIRST_LOAD_MS)
    whole, cut = (eager.run("minilm", text).hidden[:, 4] for text in (TEXT, "She ate an apple"))
    alike = (whole * cut).sum(axis=1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(cut, axis=1)
    expect(caption).to_contain_text(f"a cosine of {alike.min():.2f} with itself")
    page.locator("#inside-query").click()
    page.get_by_role("option", name="[SEP]", exact=True).click()
    expect(page.locator("#inside-mask-error")).to_contain_text("is no token of")


def test_all_heads_of_a_layer(page: Page) -> None:
    inside = Inside(page).open(layer=1, head=8, query=4)
    inside.show("head contributions")
    caption = page.locator("#inside-contributions-caption")
    expect(caption).to_contain_text("12 × 32 = 384")
    found = re.search(r"a relative ([\de.-]+)\.", caption.inner_text())
    assert found
    assert float(found[1]) < 1e-4
    inside.wait_for_address(mode="contributions", layer="1", head="8")


def test_what_is_not_there_is_said(page: Page) -> None:
    inside = Inside(page).open(layer=9, head=99, query=999, stack="cross", mode="maps", key=99)
    note = page.locator("#inside-note")
    expect(note).to_contain_text("there is no stack cross: encoder is shown")
    expect(note).to_contain_text("there is no layer 9: layer 5 is shown")
    expect(note).to_contain_text("there is no query 999: query 11 is shown")
    expect(page.locator("#link-message")).to_contain_text("mode=maps, which is not offered here")
    expect(page.locator("#inside-worksheet-key")).to_have_value("")
    inside.wait_for_address(layer="5", head="11", query="11")
    assert set(inside.address()) == {"layer", "head", "query"}


def test_an_eager_model_is_told_of_in_every_view(page: Page, tmp_path: Path) -> None:
    folder = checkpoints.write(checkpoints.FAMILIES["deberta-v2"], tmp_path / "tiny-deberta")
    inside = Inside(page).open()
    inside.choose_model(str(folder))
    lines = {
        "step by step": "worksheet-error",
        "q and k as points": "points-message",
        "weight matrices": "matrices-error",
        "mask on and off": "mask-error",
        "head contributions": "contributions-error",
    }
    for label, line in lines.items():
        inside.show(label)
        told = page.locator(f"#inside-{line} .error")
        expect(told).to_contain_text("queries, keys and values are not known", timeout=FIRST_LOAD_MS)
        assert "\n" not in told.inner_text()
    inside.show("sharing and cost")
    expect(page.locator("#inside-cost-caption")).to_contain_text("tiny-deberta")
    expect(page.locator("#inside-cost-error .error")).to_have_count(0)
    inside.show("step by step")
    inside.choose_model("minilm")
    inside.rows(12)
    expect(page.locator("#inside-worksheet-error .error")).to_have_count(0)


# Of each view an address with all of its settings changed, and what the fields then hold.
_PLACE = {"layer": "3", "head": "5", "query": "6"}
_HELD = {"layer": "3", "head": "5"}
LINKS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "worksheet": (
        {"model": "smollm2", **_PLACE, "key": "2", "before": "true"},
        {**_HELD, "query": "announced", "worksheet-key": "an", "worksheet-before": "true"},
    ),
    "points": (
        {
            **_PLACE,
            "rope": "before",
            "align": "true",
            "least": "0.35",
            "first": "false",
            "texts": "Apple sold a phone.\nI ate & drank 50%.",
        },
        {
            **_HELD,
            "query": "apple·2",
            "points-rope": "before",
            "points-align": "true",
            "points-least": "0.35",
            "first": "false",
            "points-texts": "Apple sold a phone.\nI ate & drank 50%.",
        },
    ),
    "matrices": (
        {**_PLACE, "first": "false", "map": "key", "share": "0.25"},
        {**_HELD, "query": "apple·2", "matrices-map": "key", "first": "false", "matrices-share": "0.25"},
    ),
    "mask": ({**_PLACE, "other_model": "minilm"}, {**_HELD, "query": "apple·2", "mask-other-model": "minilm"}),
    "contributions": (_PLACE, {**_HELD, "query": "apple·2"}),
    "cost": (
        {"layer": "3", "head": "5", "query": "6", "tokens": "1000", "batch": "2", "precision": "int8", "sharing": "4"},
        {
            **_HELD,
            "cost-tokens": "1,000",
            "cost-batch": "2",
            "cost-precision": "int8, 8 bits",
            "cost-sharing": "grouped, 4",
        },
    ),
}


def held(page: Page, field: str) -> str:
    """What a field holds, as it is read."""
    found: str = page.evaluate(
        """id => {
          const field = document.getElementById(id);
          const slider = field.querySelector('[role=slider]');
          if (slider) return slider.getAttribute('aria-valuenow');
          const chosen = field.querySelector('input:checked');
          if (chosen) return chosen.value;
          return field.type === 'checkbox' ? String(field.checked) : field.value;
        }""",
        f"inside-{field}",
    )
    return found


@pytest.mark.parametrize("mode", list(LINKS))
def test_a_link_shows_just_what_its_sender_saw(page: Page, mode: str) -> None:
    asked, fields = LINKS[mode]
    state = {**asked, **({} if mode == "worksheet" else {"mode": mode})}
    page.goto(f"/inside?{urlencode(state)}")
    inside = Inside(page)
    inside.wait_for(
        "mode => document.querySelector(`#inside-${mode}-part .js-plotly-plot`)?._fullData?.length > 0",
        mode,
        FIRST_LOAD_MS,
    )
    inside.wait_for_address(**state)
    assert {name: held(page, name) for name in fields} == fields
    assert inside.address() == state
    expect(page.locator("#link-message .remark")).to_have_count(0)
    expect(page.locator("#inside-note")).to_have_text("")


def test_cross_attention(page: Page, tmp_path: Path) -> None:
    """A decoder's token looks at the encoder's text; nothing there is masked."""
    source, target = "When Mary and John went to the store", "the dog ate an apple."
    folder = checkpoints.write(checkpoints.FAMILIES["t5"], tmp_path / "tiny-t5")
    model = tf.AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    inside = Inside(page).open(
        FIRST_LOAD_MS, model=folder, text=source, target=target, stack="cross", layer=1, head=2, query=3
    )
    wanted = tokenizer(text_target=target, return_tensors="pt").input_ids.roll(1)
    wanted[0, 0] = model.config.decoder_start_token_id
    with torch.inference_mode():
        out = model(**tokenizer(source, return_tensors="pt"), decoder_input_ids=wanted, output_attentions=True)
    weights = out.cross_attentions[1][0, 2, 3].numpy()
    rows = inside.rows(len(weights))
    np.testing.assert_allclose([row["weight"] for row in rows], weights, atol=1e-5)
    inside.show("mask on and off")
    expect(page.locator("#inside-mask-error .error")).to_contain_text("no order to mask by")
    page.locator("#inside-stack").get_by_text("encoder", exact=True).click()
    own = out.encoder_attentions[1][0, 2].numpy()
    np.testing.assert_allclose(inside.map("inside-mask-own", "layer 1"), own, atol=1e-5)


def test_five_hundred_tokens(page: Page) -> None:
    run = eager.run("minilm", LONG)
    inside = Inside(page).open(text=LONG, query=400)
    rows = inside.rows(len(run.labels))
    np.testing.assert_allclose([row["weight"] or 0 for row in rows], run.attention[0, 0, 400], atol=1e-5)
    expect(page.locator("#inside-table .ag-paging-panel")).to_be_visible()
    for label, graph in (
        ("mask on and off", "inside-mask-other"),
        ("head contributions", "inside-contributions-outputs-graph"),
    ):
        inside.show(label)
        inside.wait_for("id => document.querySelector(`#${id} .js-plotly-plot`)?._fullData?.length > 0", graph)
        assert inside.count_nodes() <= 5_000

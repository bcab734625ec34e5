"""The pull of a head in the browser: its arrows are transformers' own, and each control acts."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, expect
from transformers import AutoModel, AutoTokenizer

from explorer.models import checkpoints
from tests.browser.driving_embeddings import Embeddings

_ARROWS = """() => document.querySelector('#embeddings-pull-graph .js-plotly-plot')._fullData
  .map(trace => ({name: trace.name, x: Array.from(trace.x), y: Array.from(trace.y)}))"""


def _open(embeddings: Embeddings) -> None:
    embeddings.page.locator("#embeddings-mode").get_by_text("pull", exact=True).click()
    _wait(embeddings, "layer 3 · all heads")


def _wait(embeddings: Embeddings, part: str) -> None:
    """Wait until the picture's title says this."""
    embeddings.wait_for(
        """part => document.querySelector('#embeddings-pull-graph .js-plotly-plot')
        ?._fullLayout?.title?.text?.includes(part)""",
        part,
    )


def _choose(page: Page, field: str, option: str) -> None:
    page.click(f"#embeddings-pull-{field}")
    page.get_by_role("option", name=option, exact=True).click()


def _traces(page: Page) -> dict[str, Any]:
    return {trace["name"]: trace for trace in page.evaluate(_ARROWS)}


def _attention_output(sentence: str, word: str, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """A word's vector before minilm's attention, and what the output projection gives there."""
    folder = checkpoints.find("minilm", None, lambda _sentence, _share: None).folder
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer(sentence, return_tensors="pt")
    place = tokenizer.convert_ids_to_tokens(encoded["input_ids"][0]).index(word)
    given: list[torch.Tensor] = []
    dense = model.encoder.layer[layer].attention.output.dense
    dense.register_forward_hook(lambda _module, _args, output: given.append(output[0, place]))
    with torch.inference_mode():
        before = model(**encoded, output_hidden_states=True).hidden_states[layer][0, place]
    return before.numpy(), given[0].numpy()


def test_the_pull_is_what_the_model_adds(embeddings: Embeddings, tmp_path: Path) -> None:
    page = embeddings.page
    _open(embeddings)
    page.locator("#embeddings-pull-length").get_by_text("true length").click()
    embeddings.wait_for(
        """() => !document.querySelector('#embeddings-pull-graph .js-plotly-plot')
        ._fullLayout.title.text.includes('×')"""
    )
    sentence = page.input_value("#embeddings-sentences").splitlines()[0].split(" | ")[1]
    before, given = _attention_output(sentence, "apple", 3)
    caption = page.locator("#embeddings-pull-caption")
    expect(caption).to_contain_text(f"The sum is {np.linalg.norm(given):.3g} long")
    expect(caption).to_contain_text(f"the word’s vector {np.linalg.norm(before):.3g};")
    traces = _traces(page)
    total = traces["sum: all heads"]
    # The sum ends where the word stands after attention, and all arrows put end to end do too.
    after = traces["the word after"]
    np.testing.assert_allclose([total["x"][1], total["y"][1]], [after["x"][0], after["y"][0]])
    path = embeddings.save("csv", tmp_path)
    assert "sentence1-layer3-all-heads-pull" in path.name
    *arrows, last = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert last["label"] == "the sum"
    assert abs(float(last["length"]) / np.linalg.norm(given) - 1) < 1e-4
    for axis, trace in (("x", total["x"]), ("y", total["y"])):
        summed = sum(float(arrow[axis]) for arrow in arrows)
        np.testing.assert_allclose(summed, trace[1] - trace[0], atol=1e-6)
    shown = page.locator("#embeddings-pull-table [col-id=label].ag-cell").all_inner_texts()
    assert shown[-1] == "the sum"
    assert shown[0] == arrows[0]["label"]


def test_controls_choose_sentence_head_and_layer(embeddings: Embeddings) -> None:
    page = embeddings.page
    _open(embeddings)
    _choose(page, "head", "5")
    _wait(embeddings, "sentence 1 · minilm · layer 3 · head 5")
    page.click("#embeddings-pull-place")
    page.get_by_role("option").nth(4).click()
    _wait(embeddings, "sentence 5 · minilm · layer 3 · head 5")
    embeddings.slide("ArrowRight")
    _wait(embeddings, "layer 4 · head 5")
    embeddings.slide("End")
    _wait(embeddings, "layer 5 · head 5")
    expect(page.locator("#embeddings-pull-error")).to_contain_text(
        "Layer 6 is the model’s result, which no attention reads: layer 5 is shown", ignore_case=True
    )


def test_a_clicked_bar_chooses_its_head(embeddings: Embeddings) -> None:
    _open(embeddings)
    height = embeddings.page.evaluate(
        "document.querySelector('#embeddings-pull-heads .js-plotly-plot')._fullData[0].y[4]"
    )
    label = embeddings.hover("embeddings-pull-heads", 4, height / 2, "^head 4")
    told = re.search(r"moves the word by ([\d.]+)", label)
    assert told
    embeddings.page.mouse.down()
    embeddings.page.mouse.up()
    _wait(embeddings, "layer 3 · head 4")
    expect(embeddings.page.locator("#embeddings-pull-caption")).to_contain_text(f"The sum is {told[1]} long")


def test_hover_tells_an_arrow_s_numbers(embeddings: Embeddings) -> None:
    _open(embeddings)
    _choose(embeddings.page, "head", "8")
    _wait(embeddings, "head 8")
    total = _traces(embeddings.page)["sum: head 8"]
    label = embeddings.hover("embeddings-pull-graph", total["x"][1], total["y"][1], "in this plane")
    assert re.search(r"length [\d.]+, in this plane \d+% of it", label)


def test_saved_picture_is_the_pull_s(embeddings: Embeddings, tmp_path: Path) -> None:
    _open(embeddings)
    path = embeddings.save("svg", tmp_path)
    assert path.name == "minilm-apple-sentence1-layer3-all-heads-pull.svg"
    assert "Pull on “apple”" in path.read_text(encoding="utf-8")


def test_nothing_is_computed_while_another_view_is_shown(embeddings: Embeddings) -> None:
    assert (
        embeddings.page.evaluate("document.querySelectorAll('#embeddings-pull-graph .scatterlayer .trace').length")
        == 0
    )
    _open(embeddings)
    embeddings.page.locator("#embeddings-mode").get_by_text("plane", exact=True).click()
    embeddings.wait_for("""() => !document.querySelectorAll('#embeddings-pull-graph .scatterlayer .trace').length""")

"""How the large map is read: norm-based weights, heads together, sinks, linked tokens, tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf
from playwright.sync_api import expect

from tests import checkpoints
from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_heads import Heads

TEXT = "She ate an apple while Apple announced a phone."

_IS_CHOSEN = """([layer, head]) => document.querySelector('#heads-layer').value === `${layer}`
  && document.querySelector('#heads-head').value === `${head}`"""
_HAS_SHAPE = """shape => { const cells = document.querySelector('#heads-heatmap .js-plotly-plot')
  ._fullData.find(trace => trace.type === 'heatmap').z;
  return cells.length === shape[0] && cells[0].length === shape[1]; }"""


def _wait_for_title(heads: Heads, part: str) -> None:
    heads.wait_for(
        "part => document.querySelector('#heads-heatmap .js-plotly-plot').layout.title.text.includes(part)", part
    )


def _weights(heads: Heads) -> np.ndarray:
    cells = heads.page.evaluate(
        "() => document.querySelector('#heads-heatmap .js-plotly-plot')._fullData"
        ".find(trace => trace.type === 'heatmap').z.map(row => Array.from(row))"
    )
    return np.array(cells, dtype=float)


def _choose(heads: Heads, field: str, option: str) -> None:
    heads.page.click(f"#{field}")
    heads.page.get_by_role("option", name=option, exact=True).click()


def test_norm_based_weights(heads: Heads) -> None:
    heads.click_head(2, 5)
    heads.wait_for_choice(2, 5)
    heads.page.locator("#heads-norm-field label").first.click()
    expect(heads.page.locator("#heads-caption")).to_contain_text("Norm-based weights")
    expected = eager.run("minilm", TEXT).attention[2, 5] * eager.value_norms(TEXT, 2, 5)
    np.testing.assert_allclose(_weights(heads), expected, rtol=1e-3, atol=1e-5)
    _choose(heads, "heads-over", "sum of heads")
    _wait_for_title(heads, "sum of all heads")


def test_a_sum_of_attention_weights_is_refused_in_a_line(heads: Heads) -> None:
    _choose(heads, "heads-over", "sum of heads")
    expect(heads.page.locator("#heads-caption .error")).to_contain_text("use mean or max")
    _choose(heads, "heads-over", "mean of heads")
    _wait_for_title(heads, "mean of all heads")
    expected = eager.run("minilm", TEXT).attention[0].mean(axis=0)
    np.testing.assert_allclose(_weights(heads), expected, atol=1e-5)


def test_chosen_heads_of_several_layers(heads: Heads) -> None:
    expect(heads.page.locator("#heads-set")).to_be_hidden()
    _choose(heads, "heads-over", "max of heads")
    for head in ("1.8", "5.3"):
        heads.page.fill("#heads-set", head)
        heads.page.keyboard.press("Enter")
    _wait_for_title(heads, "largest weight of heads 1.8, 5.3")
    attention = eager.run("minilm", TEXT).attention
    np.testing.assert_allclose(_weights(heads), np.maximum(attention[1, 8], attention[5, 3]), atol=1e-5)


def test_a_sink_is_marked_and_named(heads: Heads) -> None:
    heads.click_head(2, 5)
    heads.wait_for_choice(2, 5)
    share = eager.run("minilm", TEXT).attention[2, 5].mean(axis=0)[0]
    assert share > 0.5
    expect(heads.page.locator("#heads-facts")).to_contain_text(f"attention sink [CLS] ({share:.0%})")
    expect(heads.page.locator("#heads-caption")).to_contain_text(f"[CLS] gets {share:.0%}")
    mark = heads.page.locator("#heads-heatmap .annotation-text")
    expect(mark).to_have_text(f"▲ [CLS] {share:.0%}")


def test_a_link_opens_the_two_linked_tokens(heads: Heads) -> None:
    labels = eager.run("minilm", TEXT).labels
    heads.open(query=labels.index("ate"), key=labels.index("apple·1"))
    expect(heads.page.locator("#heads-query")).to_have_value("ate")
    expect(heads.page.locator("#heads-key")).to_have_value("apple·1")
    weights = eager.run("minilm", TEXT).attention[:, :, 2, 4]
    layer, head = np.unravel_index(weights.argmax(), weights.shape)
    expect(heads.page.locator("#heads-link-best")).to_have_text(
        f"most: layer {layer} · head {head} ({weights.max():.2f})"
    )
    heads.wait_for_address(query="2", key="4")


def test_a_clicked_cell_ranks_all_heads_by_it(heads: Heads) -> None:
    heads.hover_cell(2, 4, eager.run("minilm", TEXT).labels)
    heads.page.mouse.down()
    heads.page.mouse.up()
    weights = eager.run("minilm", TEXT).attention[:, :, 2, 4]
    layer, head = np.unravel_index(weights.argmax(), weights.shape)
    first = heads.page.locator("#heads-table .ag-row[row-index='0']")
    expect(first.locator("[col-id=layer]").first).to_have_text(str(layer))
    expect(first.locator("[col-id=head]").first).to_have_text(str(head))


def test_hovered_tokens_show_where_they_look_and_who_looks(heads: Heads) -> None:
    weights = eager.run("minilm", TEXT).attention[0, 0]
    heads.page.hover("#heads-tokens [data-query='3']")
    keys = heads.page.locator("#heads-tokens [data-key]")
    told = [float(str(keys.nth(i).get_attribute("title"))) for i in range(keys.count())]
    np.testing.assert_allclose(told, weights[3], atol=6e-5)
    heads.page.hover("#heads-tokens [data-key='5']")
    queries = heads.page.locator("#heads-tokens [data-query]")
    told = [float(str(queries.nth(i).get_attribute("title"))) for i in range(queries.count())]
    np.testing.assert_allclose(told, weights[:, 5], atol=6e-5)


def test_the_grid_shows_a_measure_instead_of_maps(heads: Heads) -> None:
    weights = eager.run("minilm", TEXT).attention
    previous = np.diagonal(weights, -1, axis1=2, axis2=3).mean(axis=2)
    layer, head = np.unravel_index(previous.argmax(), previous.shape)
    expect(heads.page.locator("#heads-overview-caption")).to_contain_text("square root of weight")
    _choose(heads, "heads-show", "Previous token")
    heads.wait_for("() => document.querySelector('#heads-overview .js-plotly-plot').data[0].colorbar?.title")
    shown = heads.page.evaluate(
        "() => document.querySelector('#heads-overview .js-plotly-plot')._fullData[0].z.map(row => Array.from(row))"
    )
    np.testing.assert_allclose(shown, previous, atol=1e-5)
    expect(heads.page.locator("#heads-overview-caption")).to_be_empty()
    heads.click_head(int(layer), int(head))
    heads.wait_for(_IS_CHOSEN, [int(layer), int(head)])
    _choose(heads, "heads-show", "maps")
    heads.wait_for_choice(int(layer), int(head))


def test_blocks_of_a_pair(heads: Heads) -> None:
    first, second = "The dog slept.", "Nobody woke it."
    run = eager.run("minilm", first, second)
    middle = run.labels.index("[SEP]")
    texts = {"A": slice(1, middle), "B": slice(middle + 1, len(run.labels) - 1)}
    expect(heads.page.locator("#heads-part-field")).to_be_hidden()
    heads.type(first, pair=second)
    heads.run()
    heads.wait_for_map(keys=run.labels)
    for block in ("A→A", "A→B", "B→A", "B→B"):
        _choose(heads, "heads-part", block)
        expect(heads.page.locator("#heads-caption")).to_contain_text(f"Block {block}")
        rows, columns = texts[block[0]], texts[block[-1]]
        heads.wait_for_map(keys=run.labels[columns])
        expected = run.attention[0, 0][rows, columns]
        heads.wait_for(_HAS_SHAPE, list(expected.shape))
        np.testing.assert_allclose(_weights(heads), expected, atol=1e-5)


def test_palettes_and_what_hovering_tells_of_several_heads(heads: Heads) -> None:
    run = eager.run("minilm", TEXT)
    _choose(heads, "heads-palette", "greys")
    expect(heads.page.locator("#heads-caption")).to_contain_text("Colours: greys.")
    _choose(heads, "heads-over", "max of heads")
    _wait_for_title(heads, "largest weight of all heads")
    largest = run.attention[0].max(axis=0)[5, 2]
    assert heads.hover_cell(5, 2, run.labels) == pytest.approx(largest, abs=6e-5)
    # Numbers are written into few cells; greys keep them readable.
    written = heads.page.locator("#heads-heatmap .heatmap-label")
    expect(written).to_have_count(len(run.labels) ** 2)
    assert float(str(written.nth(0).text_content())) == pytest.approx(run.attention[0].max(axis=0)[0, 0], abs=0.0051)


def test_stacks_of_an_encoder_decoder(heads: Heads, tmp_path: Path) -> None:
    source, target = "When Mary and John went to the store", "the dog ate an apple."
    folder = checkpoints.write(checkpoints.FAMILIES["bart"], tmp_path / "tiny-bart")
    heads.type(source)
    heads.choose_model(str(folder))
    heads.wait_for_address(model=str(folder))
    heads.page.fill("#target-input", target)
    heads.run()
    model = tf.AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    # The target moved right by one, as in training.
    wanted = tokenizer(text_target=target, return_tensors="pt").input_ids.roll(1)
    wanted[0, 0] = model.config.decoder_start_token_id
    with torch.inference_mode():
        out = model(**tokenizer(source, return_tensors="pt"), decoder_input_ids=wanted, output_attentions=True)
    for stack, layers in (
        ("encoder", out.encoder_attentions),
        ("cross", out.cross_attentions),
        ("decoder", out.decoder_attentions),
    ):
        heads.page.locator("#heads-stack").get_by_text(stack, exact=True).click()
        expect(heads.page.locator("#heads-caption")).to_contain_text(stack.capitalize(), timeout=FIRST_LOAD_MS)
        expected = layers[0][0, 0].numpy()
        heads.wait_for(_HAS_SHAPE, list(expected.shape))
        np.testing.assert_allclose(np.nan_to_num(_weights(heads)), expected, atol=1e-5)

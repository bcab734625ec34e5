"""A text over the model's limit: refused, or its beginning read and that said everywhere."""

from __future__ import annotations

import csv
import importlib
import io
import re
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

import explorer
from explorer.analysis.experiments import nulls_of
from explorer.analysis.measures import compute_all
from explorer.figures.figure_style import FigureStyle
from explorer.session.session import Session
from explorer.text.tokens import TextTooLong
from explorer.views.heads.comparison.compute import Side, compare_heads
from explorer.views.heads.comparison.figure import comparison_caption
from explorer.views.heads.distances.compute import head_distances
from explorer.views.heads.distances.figure import distances_caption
from explorer.views.heads.heads.compute import heads_table
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.figure import heatmap_caption
from explorer.views.heads.lines.compute import head_lines
from explorer.views.heads.lines.figure import lines_caption
from explorer.views.registry import VIEWS
from tests import reference
from tests.checkpoints import FAMILIES
from tests.computing import computed, json_of, view_of
from tests.conftest import Folder, Loader

LONG = " ".join(f"the dog number {i} saw the cat" for i in range(60))


def ids_of(loaded: explorer.LoadedModel, text: str, **how: Any) -> list[int]:
    """What the tokenizer makes of a text, uncut."""
    found: list[int] = loaded.tokenizer(text, **how).input_ids
    return found


def attention_on(name: str, folder: Folder, ids: list[int]) -> list[np.ndarray]:
    """Eager attention [H, N, N] of each layer on ids as they are."""
    model = reference.load(FAMILIES[name], folder(name))
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([ids]), output_attentions=True)
    return [layer[0].numpy() for layer in out.attentions]


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "deberta-v2"])
def test_the_first_tokens_are_read_as_eager_attention_reads_them(name: str, tiny: Loader, folder: Folder) -> None:
    loaded = tiny(name)
    limit, whole = loaded.max_tokens, ids_of(loaded, LONG)
    assert limit is not None
    assert len(whole) > limit
    end = [] if name in ("gpt2", "llama") else [whole[-1]]  # [SEP] stays where it belongs
    expected = [*whole[: limit - len(end)], *end]
    cap = explorer.capture(loaded, LONG, truncate=True)
    assert cap.query_tokens.ids.tolist() == expected
    assert cap.n_given == len(whole)
    assert cap.text == LONG
    for layer, weights in enumerate(attention_on(name, folder, expected)):
        np.testing.assert_allclose(cap.attention(layer), weights, atol=1e-5)


def test_of_a_pair_the_longer_text_is_cut_first(tiny: Loader, folder: Folder) -> None:
    loaded, short = tiny("bert"), "a cat ran"
    first, second = (ids_of(loaded, text, add_special_tokens=False) for text in (LONG, short))
    for pair in (short, LONG):
        cap = explorer.capture(loaded, LONG, pair=pair, truncate=True)
        segment = cap.query_tokens.segment
        counts = [int((segment == place).sum()) for place in (0, 1)]
        # Tokens go one at a time from the longer text, until 256 with three special ones.
        wanted = [len(first), len(second) if pair == short else len(first)]
        while sum(wanted) > 256 - 3:
            wanted[int(wanted[1] > wanted[0])] -= 1
        assert sorted(counts) == sorted(wanted)
        assert cap.query_tokens.special.sum() == 3
        assert cap.n_given == len(ids_of(loaded, LONG, text_pair=pair))
        assert cap.pair == pair
    assert "both texts’" in head_map(cap, 0, 0).source.truncation


def test_text_and_target_are_cut_each_by_itself(tiny: Loader) -> None:
    loaded = tiny("bart")
    cap = explorer.capture(loaded, LONG, target=LONG + " dog", truncate=True)
    encoder, decoder = cap.stack("encoder"), cap.stack("decoder")
    assert len(encoder.tokens) == len(decoder.tokens) == 256
    assert encoder.n_given == len(ids_of(loaded, LONG))
    assert decoder.n_given == len(ids_of(loaded, LONG + " dog"))
    said = head_map(cap, 0, 0, "cross").source.truncation
    assert said == (
        f"the first 256 of {decoder.n_given:,} query tokens and "
        f"the first 256 of {encoder.n_given:,} key tokens are shown"
    )
    whole = explorer.capture(loaded, "the dog", target=LONG, truncate=True)
    assert whole.stack("encoder").n_given == len(whole.stack("encoder").tokens)
    assert "key" not in head_map(whole, 0, 0, "cross").source.truncation


def test_without_it_both_numbers_are_told(tiny: Loader) -> None:
    loaded = tiny("gpt2")
    given = len(ids_of(loaded, LONG))
    with pytest.raises(TextTooLong) as error:
        explorer.capture(loaded, LONG)
    assert (error.value.n_tokens, error.value.limit) == (given, 256)
    assert str(error.value) == (
        f"the text has {given:,} tokens; this model reads at most 256: shorten it, or truncate it"
    )


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_a_text_that_fits_is_left_alone(name: str, tiny: Loader) -> None:
    loaded, text = tiny(name), "the dog saw the cat"
    target = text if loaded.is_encoder_decoder else None
    cap = explorer.capture(loaded, text, target=target, truncate=True)
    plain = explorer.capture(loaded, text, target=target)
    assert cap.stack().n_given == len(cap.stack().tokens) == len(ids_of(loaded, text))
    np.testing.assert_array_equal(cap.stack().attention(1), plain.stack().attention(1))
    assert head_map(cap, 0, 0).source.truncation == ""
    assert "runcated" not in heatmap_caption(head_map(cap, 0, 0))


def test_a_tokenizer_that_cuts_the_beginning_cuts_the_end_here(folder: Folder, tmp_path: Any) -> None:
    tf.AutoModel.from_pretrained(folder("gpt2")).save_pretrained(tmp_path)
    tokenizer = tf.AutoTokenizer.from_pretrained(folder("gpt2"), truncation_side="left")
    tokenizer.save_pretrained(tmp_path)
    loaded = explorer.load_model(str(tmp_path), device="cpu")
    cap = explorer.capture(loaded, LONG, truncate=True)
    assert cap.query_tokens.ids.tolist() == ids_of(loaded, LONG)[:256]


def test_every_caption_and_file_says_so(tiny: Loader) -> None:
    loaded = tiny("bert")
    given = len(ids_of(loaded, LONG))
    told = f"the first 256 of {given:,} tokens are shown"
    cap = explorer.capture(loaded, LONG, truncate=True)
    drawn = head_map(cap, 0, 0)
    assert f"Truncated: {told}." in heatmap_caption(drawn)
    assert json_of("heatmap", drawn)["truncation"] == told
    header, *body = csv.reader(io.StringIO(view_of("heatmap", drawn).table().csv()))
    assert header == ["query", *cap.tokens, f"truncated: {told}"]
    assert len(body) == 256
    lines = head_lines(cap, 0, [1])
    assert f"Truncated: {told}." in lines_caption(lines)
    header, *body = csv.reader(io.StringIO(view_of("lines", lines).table().csv()))
    assert header[6:] == ["weight", f"truncated: {told}"]
    assert {len(row) for row in body} == {8}
    other = explorer.capture(loaded, "the dog")
    compared = compare_heads(Side(cap, 0, 0), Side(other, 0, 1))
    assert f"The first text is truncated: {told}." in comparison_caption(compared)
    assert "second text is truncated" not in comparison_caption(compared)
    header, *body = csv.reader(io.StringIO(view_of("comparison", compared).table().csv()))
    assert header[4:] == ["difference", f"truncated: of the first text {told}"]
    assert {len(row) for row in body} == {6}


def test_tables_of_heads_say_so(tiny: Loader) -> None:
    cap = explorer.capture(tiny("bert"), LONG, truncate=True)
    told = f"the first 256 of {cap.n_given:,} tokens are shown"
    measures = compute_all(cap)
    table = heads_table(cap, measures, {})
    assert json_of("heads", table)["truncation"] == told
    drawn = head_distances(cap, explorer.head_distance(cap), measures)
    assert distances_caption(drawn).endswith(f"Truncated: {told}.")
    for text in (view_of("heads", table).table().csv(), view_of("distances", drawn).table().csv()):
        header, *body = csv.reader(io.StringIO(text, newline=""))
        assert header[-2:] == [list(measures)[-1], f"truncated: {told}"]
        assert {len(row) for row in body} == {len(header)}


OF_TEXTS = [view.name for view in VIEWS.values() if "truncate" in view.settings.defaults()]


@pytest.mark.parametrize(("name", "show"), [*((name, "maps") for name in OF_TEXTS), ("overview", "entropy")])
def test_every_figure_and_file_of_a_text_says_so(name: str, show: str, folder: Folder) -> None:
    session = Session(device="cpu")
    tokenizer = tf.AutoTokenizer.from_pretrained(folder("bert"))
    given = len(tokenizer(LONG).input_ids)
    told = f"the first 256 of {given:,} tokens are shown"
    values = {"model": str(folder("bert")), "truncate": True, "show": show}
    if name == "mask":
        values["other_model"] = str(folder("gpt2"))
    view = computed(session, name, text=LONG, **values)
    assert told in view.truncation
    result = view.result()
    # A comparison is of two texts, which here are one.
    if name == "comparison":
        assert [result[side]["truncation"] for side in ("first", "second")] == [told, told]
    else:
        assert result["truncation"] == told
    assert any(told in column for column in view.table().header)
    assert {len(row) for row in view.table().rows} == {len(view.table().header)}
    for figure in view.spec.figures:
        assert view.figure(figure, FigureStyle()).caption.lower().count(f"truncated: {told}.") == {
            ("comparison", "difference"): 2,  # the first text and the second
            ("mask", "late"): 1,  # gpt2’s own text has another number of tokens
        }.get((name, figure), 1), figure
    short = computed(session, name, text="the dog saw the cat", **values)
    assert short.truncation == ""
    assert not any("runcated" in column for column in short.table().header)
    for figure in short.spec.figures:
        assert "runcated" not in short.figure(figure, FigureStyle()).caption


def test_of_several_texts_it_is_told_which(folder: Folder) -> None:
    values = {"model": str(folder("bert")), "text": "the dog", "truncate": True, "texts": LONG, "query": 1}
    view = computed(Session(device="cpu"), "points", **values)
    assert re.fullmatch(r"of text 2 the first 256 of \d+ tokens are shown", view.truncation)


def test_shuffled_it_is_as_long(tiny: Loader) -> None:
    cap = explorer.capture(tiny("gpt2"), LONG, truncate=True)
    order = np.arange(256)[::-1]
    assert cap.reordered(order).n_given == cap.n_given
    found = nulls_of(cap, ["entropy"], draws=2)["entropy"]
    assert np.isfinite(found.mean).all()


class TestMemory:
    """A model with no limit of its own: what a text would take is told before it is read."""

    @pytest.mark.parametrize("name", ["t5", "gpt2", "llama", "modernbert", "gemma2", "deberta-v2"])
    def test_what_a_text_takes_is_foretold(self, name: str, tiny: Loader) -> None:
        loaded, text = tiny(name), "the dog saw a cat " * 11
        target = text if loaded.is_encoder_decoder else None
        cap = explorer.capture(loaded, text, target=target)
        foretold = loaded.footprint.of(len(cap.stack().tokens))
        assert foretold == pytest.approx(cap.nbytes, rel=0.1)

    def test_too_much_is_refused_before_the_model_runs(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded, text = tiny("t5"), "the dog saw a cat " * 200
        assert loaded.max_tokens is None
        count = len(ids_of(loaded, text))

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise AssertionError("the model runs")

        taken = explorer.capture(loaded, text, target=text).nbytes
        module = importlib.import_module("explorer.capture.capture")
        monkeypatch.setattr(module, "free_bytes", lambda _device: 30_000_000)
        with monkeypatch.context() as patch:
            patch.setattr(module, "run", fail)
            with pytest.raises(ValueError, match="GB") as error:
                explorer.capture(loaded, text, target=text)
        found = re.fullmatch(
            rf"the text has {count:,} tokens; what \S+ keeps of them takes "
            r"([\d.]+) GB, and 0\.0 GB are free on cpu: shorten it",
            str(error.value),
        )
        assert found
        assert float(found[1]) == pytest.approx(taken / 1e9, abs=0.06)
        assert explorer.capture(loaded, "the dog", target="a cat").stack().n_given > 0

    def test_an_eager_run_keeps_all_attention(self, folder: Folder) -> None:
        loaded = explorer.load_model(str(folder("gpt2")), device="cpu")
        before = loaded.footprint.of(100)
        loaded.use_eager("it was asked for")
        info = loaded.stacks[0]
        weights = 100 * 100 * info.n_layers * info.n_heads * 4
        assert loaded.footprint.of(100) == before + weights

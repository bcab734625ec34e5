"""Texts nobody writes on purpose, on both bundled models: specials only, one token, emoji."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import explorer
from explorer.records import MapOptions
from explorer.text.tokens import TextTooLong
from explorer.views.heads.heatmap.compute import Region, head_map
from explorer.views.heads.heatmap.figure import heatmap_figure
from explorer.views.heads.overview.compute import heads_overview
from explorer.views.heads.overview.figure import overview_figure
from tests.vocabularies import EMOJI

Load = Callable[[str], explorer.LoadedModel]

SPECIALS = {"minilm": "[CLS] [SEP] [MASK]", "smollm2": "<|im_start|><|im_end|><|im_start|>"}


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Load:
    return request.getfixturevalue


@pytest.mark.parametrize("name", SPECIALS)
def test_specials_only(name: str, load: Load) -> None:
    """They are the text: labels as they are, weights that sum to 1."""
    text = SPECIALS[name]
    cap = explorer.capture(load(name), text)
    ids = load(name).tokenizer(text).input_ids
    assert len(cap.tokens) == len(ids)
    assert all("[" in label or "<|" in label for label in cap.tokens)
    drawn = head_map(cap, 1, 2)
    np.testing.assert_allclose(drawn.weights.sum(axis=1), 1, atol=1e-5)
    assert heatmap_figure(drawn).data
    # Sinks on special tokens are all there is.
    special = explorer.MEASURES["sink_special"].compute(cap)
    np.testing.assert_allclose(special, 1, atol=1e-5)
    overview = heads_overview(cap)
    assert overview_figure(overview).data


def test_specials_left_out_of_specials_only_is_one_clear_line(load: Load) -> None:
    cap = explorer.capture(load("minilm"), SPECIALS["minilm"])
    with pytest.raises(ValueError, match="only special tokens are left of this text"):
        head_map(cap, 1, 2, switches=MapOptions(special=False))


def test_one_token_a_thousand_times(load: Load) -> None:
    """Equal vectors: rotary attention of the first layer depends on the distance alone."""
    count = 1_000
    cap = explorer.capture(load("smollm2"), " the" * count)
    assert cap.tokens[0] == "the·1"
    assert cap.tokens[-1] == f"the·{count}"
    weights = cap.attention(0, 4).astype(np.float64)
    # exp(score) of each distance, up to a row's own sum, is the last row's read backwards.
    kernel = weights[-1][::-1]
    for row in (1, 10, 500, count - 2):
        expected = kernel[: row + 1][::-1] / kernel[: row + 1].sum()
        np.testing.assert_allclose(weights[row, : row + 1], expected, atol=2e-5)
    # Every token before is a copy, so what is not on itself is on copies.
    diagonal = np.array([cap.attention(0, head).diagonal() for head in range(9)])
    duplicates = explorer.MEASURES["duplicate_token"].compute(cap)[0]
    np.testing.assert_allclose(duplicates, 1 - diagonal[:, 1:].mean(axis=1), atol=1e-4)
    assert len(head_map(cap, 0, 4, region=Region(most=512)).keys) <= 512


def test_a_text_over_the_limit_names_both_numbers(load: Load) -> None:
    with pytest.raises(TextTooLong, match=r"1,002 tokens.*at most 512"):
        explorer.capture(load("minilm"), "the " * 1_000)
    cap = explorer.capture(load("minilm"), "the " * 1_000, truncate=True)
    assert len(cap.tokens) == 512
    assert (cap.tokens[1], cap.tokens[510]) == ("the·1", "the·510")


def test_a_thousand_different_emoji(load: Load) -> None:
    """Cut into bytes by one tokenizer, unknown to the other; every token has a label."""
    assert len(set(EMOJI)) == len(EMOJI) > 1_000
    with pytest.raises(TextTooLong, match="at most 512"):
        explorer.capture(load("minilm"), " ".join(EMOJI))
    unknown = explorer.capture(load("minilm"), " ".join(EMOJI), truncate=True)
    assert len(unknown.tokens) == 512
    assert all(unknown.tokens)

    some = EMOJI[::8]
    cap = explorer.capture(load("smollm2"), some)
    assert len(cap.tokens) == len(load("smollm2").tokenizer(some).input_ids)
    assert all(cap.tokens)
    # Tokens' character places cover the text from its first character to its last.
    assert cap.offsets[0][0] == 0
    assert cap.offsets[-1][1] == len(some)
    assert np.all(np.diff(cap.offsets[:, 0]) >= 0)
    np.testing.assert_allclose(cap.attention(3, 1).sum(axis=1), 1, atol=1e-5)
    assert heatmap_figure(head_map(cap, 3, 1)).data

"""What is read from a vector, against the model's own logits and a plain loop over its modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

import explorer
from explorer.analysis.readout import logits_of, meaning, nearest_words, read_states
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.views.embeddings.study import study_of, word_study
from tests import reference
from tests.checkpoints import FAMILIES, TEXT, spread
from tests.conftest import Folder, Loader
from tests.vocabularies import byte_level

PLACE = 5  # the token whose states are read

# How each model makes logits of a state before its final norm, as its source says.
HEADS: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "bert": lambda m, x: m.cls(x),
    "distilbert": lambda m, x: m.vocab_projector(m.vocab_layer_norm(torch.nn.functional.gelu(m.vocab_transform(x)))),
    "roberta": lambda m, x: m.lm_head(x),
    "albert": lambda m, x: m.predictions(x),
    "electra": lambda m, x: m.generator_lm_head(m.generator_predictions(x)),
    "modernbert": lambda m, x: m.decoder(m.head(m.model.final_norm(x))),
    "gpt2": lambda m, x: m.lm_head(m.transformer.ln_f(x)),
    "gpt-neox": lambda m, x: m.lm_head(m.gpt_neox.final_layer_norm(x)),
    "opt": lambda m, x: m.lm_head(m.model.decoder.project_out(m.model.decoder.final_layer_norm(x))),
    "llama": lambda m, x: m.lm_head(m.model.norm(x)),
    "gemma": lambda m, x: m.lm_head(m.model.norm(x)),
    "gemma2": lambda m, x: 30 * torch.tanh(m.lm_head(m.model.norm(x)) / 30),
    "gpt-oss": lambda m, x: m.lm_head(m.model.norm(x)),
}


@pytest.mark.parametrize("name", HEADS)
def test_each_layer_is_read_as_the_model_reads_its_last(name: str, folder: Folder, tiny: Loader) -> None:
    eager = reference.eager(FAMILIES[name], folder(name), TEXT)
    (states,) = eager.hidden.values()
    ours = logits_of(tiny(name), states[:, PLACE])
    with torch.inference_mode():
        middle = HEADS[name](eager.model, torch.from_numpy(states[:-1, PLACE])).numpy()
    np.testing.assert_allclose(ours[:-1], middle, atol=1e-4)
    np.testing.assert_allclose(ours[-1], eager.logits[PLACE], atol=1e-4)


def _saved(path: Path, model: tf.PreTrainedModel, tokenizer: Any) -> tf.PreTrainedModel:
    spread(model).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return model


_SMALL = dict(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    pad_token_id=0,
    bos_token_id=0,
    eos_token_id=0,
)


def test_scales_of_logits_are_the_models_own(tmp_path: Path) -> None:
    """Granite divides its logits, Cohere multiplies them."""
    tokenizer = byte_level()
    granite = tf.GraniteConfig(vocab_size=len(tokenizer), **_SMALL, logits_scaling=8.0)
    cohere = tf.CohereConfig(vocab_size=len(tokenizer), **_SMALL, logit_scale=0.25)
    for name, model, scale in (
        ("granite", tf.GraniteForCausalLM(granite), 1 / 8),
        ("cohere", tf.CohereForCausalLM(cohere), 0.25),
    ):
        saved = _saved(tmp_path / name, model, tokenizer)
        loaded = explorer.load_model(str(tmp_path / name), device="cpu")
        state = torch.from_numpy(explorer.capture(loaded, TEXT).hidden[:-1, PLACE])
        with torch.inference_mode():
            expected = saved.lm_head(saved.model.norm(state)) * scale
        last = explorer.capture(loaded, TEXT).hidden[:, PLACE]
        np.testing.assert_allclose(logits_of(loaded, last)[:-1], expected, atol=1e-5)


def test_a_reading_by_hand(tiny: Loader) -> None:
    """Probabilities, the first words and both ranks, from the logits by a plain sort."""
    model = tiny("gpt2")
    cap = explorer.capture(model, TEXT)
    own, following = (int(i) for i in cap.query_tokens.ids[PLACE : PLACE + 2])
    reading = read_states(model, cap.hidden[:, PLACE], own, following, k=3)
    assert reading.head == "next"
    logits = torch.from_numpy(cap.logits()[PLACE])
    expected = torch.softmax(logits, dim=0)
    best = sorted(range(len(logits)), key=lambda i: -float(logits[i]))
    assert reading.ids[-1].tolist() == best[:3]
    np.testing.assert_allclose(reading.values[-1], expected[best[:3]], rtol=1e-4)
    assert reading.own_ranks[-1] == best.index(own) + 1
    assert reading.following_ranks is not None
    assert reading.following_ranks[-1] == best.index(following) + 1
    assert reading.own_values[-1] == pytest.approx(float(expected[own]), rel=1e-4)


def test_smollm2_reads_its_last_state_as_its_logits() -> None:
    model = explorer.load_model("smollm2", device="cpu")
    cap = explorer.capture(model, "The capital of France is")
    reading = read_states(model, cap.hidden[:, -1], int(cap.query_tokens.ids[-1]))
    assert reading.labels[-1][0] == "Paris"
    assert reading.ids[-1, 0] == cap.logits()[-1].argmax()


def test_a_checkpoint_without_a_head_is_read_by_its_static_vectors(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, "I ate a red apple.")
    place = cap.tokens.index("apple")
    own = int(cap.query_tokens.ids[place])
    reading = read_states(minilm, cap.hidden[:, place], own, k=4)
    assert (reading.head, reading.following) == ("static", None)
    table = minilm.model.get_input_embeddings().weight.numpy()
    state = cap.hidden[2, place]
    cosines = table @ state / np.linalg.norm(table, axis=1) / np.linalg.norm(state)
    words = [
        index
        for index, piece in enumerate(minilm.tokenizer.convert_ids_to_tokens(range(len(table))))
        if not piece.startswith("[") or piece == "["
    ]
    best = sorted(words, key=lambda index: -cosines[index])
    assert reading.n_words == len(words)
    assert reading.ids[2].tolist() == best[:4]
    np.testing.assert_allclose(reading.values[2], cosines[best[:4]], atol=1e-6)
    assert reading.own_ranks[2] == best.index(own) + 1
    assert reading.own_values[2] == pytest.approx(cosines[own], abs=1e-6)


def test_the_nearest_words_of_apple(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, "apple")
    own = int(cap.query_tokens.ids[1])
    nearest = nearest_words(minilm, cap.static[1], own=[own], k=5)
    assert nearest.labels[0] == "apple"
    assert nearest.own.tolist() == [True, False, False, False, False]
    assert nearest.cosines[0] == pytest.approx(1, abs=1e-6)
    assert "apples" in nearest.labels


def test_an_encoders_states_are_not_read_by_the_decoders_head(tiny: Loader) -> None:
    cap = explorer.capture(tiny("t5"), TEXT, target=TEXT)
    states = cap.stack("encoder").hidden[:, PLACE]
    assert read_states(tiny("t5"), states, 7).head == "static"
    with pytest.raises(explorer.ModelError, match="has no head that makes words of its states"):
        logits_of(tiny("t5"), states)


def test_a_meaning_is_of_one_place_or_of_the_mean_of_several() -> None:
    session = Session(device="cpu")
    request = StudyRequest("minilm", "apple", (("fruit", "a red apple fell"), ("firm", "new apple shares fell")))
    study = study_of(session, request)
    model = session.model("minilm")
    one, both = meaning(model, study, [1]), meaning(model, study, [0, 1])
    assert one.place == "sentence 2: new apple shares fell"
    assert both.place == "the mean of 2 occurrences (“fruit”, “firm”)"
    own = int(explorer.capture(model, "apple").query_tokens.ids[1])
    assert one.reading.own_id == own
    expected = read_states(model, study.contextual.mean(axis=1), own)
    np.testing.assert_array_equal(both.reading.ids, expected.ids)
    with pytest.raises(ValueError, match=r"occurrences \[2\]: choose among 0 to 1"):
        meaning(model, study, [2])


def test_a_mean_over_different_tokens_marks_them_all_and_says_so(smollm2: explorer.LoadedModel) -> None:
    """“Apple” at the start, after a space and in lower case are three tokens of smollm2."""
    sentences = ("Apple rose.", "We saw an Apple fall.", "We ate an apple.", "An apple fell.")
    ids = [smollm2.tokenizer(word, add_special_tokens=False)["input_ids"] for word in ("Apple", " Apple", " apple")]
    assert [len(own) for own in ids] == [1, 1, 1]
    start, upper, lower = (own[0] for own in ids)
    study = word_study(lambda text: explorer.capture(smollm2, text), [("", s) for s in sentences], "apple")
    shown = meaning(smollm2, study, range(4))
    marked = set(shown.nearest.ids[shown.nearest.own].tolist())
    assert marked == {start, upper, lower} & set(shown.nearest.ids.tolist())
    assert len(marked) > 1
    assert shown.reading.own_id == lower
    assert shown.reading.following is None
    assert shown.remarks == (
        "these occurrences are 3 different tokens (“apple”, “…Apple”, “Apple”): all are marked, "
        "and the rank is that of the most frequent, “apple”",
    )
    assert meaning(smollm2, study, [2, 3]).remarks == ()


def test_a_word_in_pieces_says_so(minilm: explorer.LoadedModel) -> None:
    session = Session(device="cpu")
    study = study_of(session, StudyRequest("minilm", "snowclone", (("", "one snowclone more"),)))
    no_head, pieces = meaning(minilm, study, [0]).remarks
    assert no_head == "this checkpoint has no head that makes words of these states"
    assert pieces == (
        "“snowclone” is cut into 3 pieces: the mean of their vectors is read, and its own token is the last of them"
    )

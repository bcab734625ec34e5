"""Heads known by construction are found; nulls are what transformers itself says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

import explorer
from explorer.analysis import experiments
from explorer.analysis.measures import MEASURES, compute_all
from tests import circuits, reference
from tests.checkpoints import FAMILIES, PAIR, TEXT
from tests.circuits import COPIES, INDUCTION, PREVIOUS, UNIFORM
from tests.conftest import Folder, Loader

REPEATING = "the dog ate an apple, and the dog ate an apple, and the dog ate"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> explorer.LoadedModel:
    folder = circuits.write(tmp_path_factory.mktemp("circuits") / "known")
    return explorer.load_model(str(folder), device="cpu")


def _only(scores: np.ndarray, head: tuple[int, int], least: float, rest: float) -> None:
    """One head scores at least so much, and every other at most so little."""
    assert scores[head] >= least
    others = np.ma.array(scores)
    others[head] = np.ma.masked
    assert others.max() <= rest


class TestKnownHeads:
    """The model of tests/circuits.py."""

    def test_previous_token(self, known: explorer.LoadedModel) -> None:
        cap = explorer.capture(known, TEXT)
        _only(MEASURES["previous_token"].compute(cap), PREVIOUS, least=0.99, rest=0.3)

    def test_duplicate_token(self, known: explorer.LoadedModel) -> None:
        """Half on the copy, half on itself, where a token stands for the second time."""
        cap = explorer.capture(known, "one two three one two three")
        _only(MEASURES["duplicate_token"].compute(cap), COPIES, least=0.49, rest=0.3)

    def test_induction(self, known: explorer.LoadedModel) -> None:
        cap = explorer.capture(known, REPEATING)
        _only(MEASURES["induction"].compute(cap), INDUCTION, least=0.99, rest=0.3)

    def test_induction_on_random_tokens(self, known: explorer.LoadedModel) -> None:
        scores = experiments.induction_probe(known)
        assert scores.shape == (2, 2)
        assert scores.dtype == np.float64
        _only(scores, INDUCTION, least=0.99, rest=0.05)

    def test_best_offset(self, known: explorer.LoadedModel) -> None:
        cap = explorer.capture(known, TEXT)
        found = experiments.best_offset(cap)
        assert found.offsets[PREVIOUS] == -1
        assert found.scores[PREVIOUS] == MEASURES["previous_token"].compute(cap)[PREVIOUS]
        assert found.offsets[COPIES] == 0

    def test_pattern(self, known: explorer.LoadedModel) -> None:
        cap = explorer.capture(known, TEXT)
        before = np.eye(len(cap.tokens), k=-1)
        _only(explorer.pattern_match(cap, before), PREVIOUS, least=0.9, rest=0.3)

    def test_order_is_nothing_to_a_position(self, known: explorer.LoadedModel) -> None:
        """The previous-token head does the same on any order of tokens, and so z is 0."""
        found = experiments.null(known, TEXT, "previous_token", draws=5)
        assert found.mean[PREVIOUS] > 0.99
        for head in (PREVIOUS, UNIFORM):
            assert abs(found.z[head]) < 0.5
            assert found.std[head] < 1e-6

    def test_order_is_much_to_a_text(self, known: explorer.LoadedModel) -> None:
        """Copies side by side in the text, anywhere when shuffled: their distance tells."""
        found = experiments.null(known, " dog" * 6 + " apple" * 6 + " cats" * 6, "distance", 8)
        assert found.score[COPIES] < found.mean[COPIES]
        assert found.z[COPIES] < -4
        assert abs(found.z[UNIFORM]) < 0.5


class TestProbe:
    def test_what_the_model_reads(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        """The model's own first token, then the same random tokens twice, none repeated."""
        read = _watch(monkeypatch, "capture_ids")
        for name, first in (("bert", "[CLS]"), ("llama", "<s>"), ("gpt2", "<|endoftext|>")):
            loaded = tiny(name)
            experiments.induction_probe(loaded, length=20, draws=3, seed=1)
            texts = [args[1] for args in read]
            read.clear()
            assert len({tuple(ids) for ids in texts}) == 3
            for ids in texts:
                assert loaded.tokenizer.convert_ids_to_tokens(ids[0]) == first
                assert ids[1:21] == ids[21:]
                assert len(set(ids)) == 21
                assert not set(ids[1:]) & set(loaded.tokenizer.all_special_ids)

    def test_model_without_a_first_token(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        """T5 puts nothing before a text; its decoder has a start token."""
        read = _watch(monkeypatch, "capture_ids")
        scores = experiments.induction_probe(tiny("t5"), length=10, draws=1, stack="decoder")
        ((_, ids, decoder_ids),) = read
        assert ids == decoder_ids[1:]
        assert len(ids) == 20
        assert decoder_ids[0] == 0
        assert scores.shape == (2, 4)
        assert np.isnan(experiments.induction_probe(tiny("t5"), 10, 1, stack="cross")).all()

    def test_scores_are_the_eager_models(self, tiny: Loader, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """The weight from each token of the second copy to what followed it in the first."""
        read = _watch(monkeypatch, "capture_ids")
        found = experiments.induction_probe(tiny("gpt2"), length=12, draws=2)
        model = reference.load(FAMILIES["gpt2"], folder("gpt2"))
        expected = []
        for _, ids, _ in read:
            with torch.inference_mode():
                out = model(torch.tensor([ids]), output_attentions=True)
            for layer in out.attentions:
                expected.append(
                    [np.mean([head[query, query - 12 + 1] for query in range(13, 25)]) for head in layer[0].numpy()]
                )
        expected = np.mean(np.reshape(expected, (2, 3, 4)), axis=0)
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_seed(self, tiny: Loader) -> None:
        once, again, other = (experiments.induction_probe(tiny("gpt2"), 8, 2, seed) for seed in (3, 3, 4))
        np.testing.assert_array_equal(once, again)
        assert (once != other).any()

    def test_refused(self, tiny: Loader) -> None:
        """256 positions hold a first token and twice 127."""
        with pytest.raises(ValueError, match="can be probed with 2 to 127 tokens a copy, not 128"):
            experiments.induction_probe(tiny("gpt2"), length=128)
        experiments.induction_probe(tiny("gpt2"), length=127, draws=1)
        with pytest.raises(ValueError, match=r"not 1$"):
            experiments.induction_probe(tiny("gpt2"), length=1)
        with pytest.raises(ValueError, match="0 draws are none"):
            experiments.induction_probe(tiny("gpt2"), draws=0)

    def test_progress_stops_it(self, tiny: Loader) -> None:
        told: list[tuple[str, float | None]] = []

        def tell(sentence: str, share: float | None) -> None:
            told.append((sentence, share))
            if len(told) == 2:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            experiments.induction_probe(tiny("gpt2"), 8, 4, progress=tell)
        assert told == [("random tokens twice, 1 of 4", 0), ("random tokens twice, 2 of 4", 0.25)]


def _watch(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """Put down the arguments of each call of one of the experiments' functions."""
    calls: list[tuple[Any, ...]] = []
    plain: Callable[..., Any] = getattr(experiments, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return plain(*args, **kwargs)

    monkeypatch.setattr(experiments, name, watched)
    return calls


class TestNulls:
    def test_against_the_eager_model(self, tiny: Loader, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        """Mean, spread and z from eager runs on the very orders that were drawn."""
        seen = _watch(monkeypatch, "compute_all")
        found = experiments.nulls(tiny("bert"), TEXT, draws=4, pair=PAIR)
        assert list(found) == list(MEASURES)
        text, *drawn = [args[0] for args in seen]
        model = reference.load(FAMILIES["bert"], folder("bert"))
        encoded = AutoTokenizer.from_pretrained(folder("bert"))(TEXT, PAIR, return_tensors="pt")
        ids, types = encoded["input_ids"], encoded["token_type_ids"]
        assert text.query_tokens.ids.tolist() == ids[0].tolist()

        def previous(order: list[int]) -> np.ndarray:
            with torch.inference_mode():
                out = model(torch.tensor([order]), token_type_ids=types, output_attentions=True)
            heads = torch.cat(out.attentions).numpy()
            return np.array(
                [[np.mean([head[q, q - 1] for q in range(1, len(order))]) for head in layer] for layer in heads]
            )

        scores = np.stack([previous(cap.query_tokens.ids.tolist()) for cap in drawn])
        null = found["previous_token"]
        np.testing.assert_allclose(null.score, previous(ids[0].tolist()), atol=1e-6)
        np.testing.assert_allclose(null.mean, scores.mean(0), atol=1e-6)
        np.testing.assert_allclose(null.std, scores.std(0, ddof=1), atol=1e-6)
        z = (null.score - scores.mean(0)) / scores.std(0, ddof=1)
        np.testing.assert_allclose(null.z, z, rtol=0.01, atol=0.01)
        assert (null.draws, null.seed, null.measure) == (4, 0, "previous_token")

    def test_what_changes_places(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tokens within their own segment; specials, segments and token types never."""
        seen = _watch(monkeypatch, "compute_all")
        experiments.nulls(tiny("bert"), TEXT, ["entropy"], draws=3, pair=PAIR)
        text, *drawn = [args[0].query_tokens for args in seen]
        orders = {tuple(tokens.ids.tolist()) for tokens in (text, *drawn)}
        assert len(orders) == 4
        for tokens in drawn:
            np.testing.assert_array_equal(tokens.special, text.special)
            np.testing.assert_array_equal(tokens.segment, text.segment)
            np.testing.assert_array_equal(tokens.ids[text.special], text.ids[text.special])
            for segment, typed in enumerate((TEXT, PAIR)):
                here = text.segment == segment
                assert sorted(tokens.ids[here]) == sorted(text.ids[here])
                for (start, end), label in zip(tokens.offsets[here], np.array(tokens.labels)[here], strict=True):
                    assert typed[start:end].lower() == label.partition("·")[0]

    def test_two_texts_of_an_encoder_decoder(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = _watch(monkeypatch, "compute_all")
        found = experiments.null(tiny("bart"), TEXT, "entropy", draws=2, target=REPEATING, stack="cross")
        assert found.z.shape == (2, 4)
        text, *drawn = [args[0] for args in seen]
        for cap in drawn:
            for side in ("encoder", "decoder"):
                ours, theirs = (c.stack(side).query_tokens.ids for c in (cap, text))
                assert (ours != theirs).any()
                assert sorted(ours) == sorted(theirs)
                assert ours[0] == theirs[0]

    def test_undefined_stays_undefined(self, tiny: Loader) -> None:
        found = experiments.nulls(tiny("gpt2"), "an apple", ["next_token"], draws=2)
        null = found["next_token"]
        for values in (null.score, null.mean, null.std, null.z):
            assert np.isnan(values).all()

    def test_of_a_capture(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        mine = experiments.nulls_of(cap, ["distance"], draws=3, seed=5)["distance"]
        text = experiments.null(tiny("gpt2"), TEXT, "distance", draws=3, seed=5)
        np.testing.assert_array_equal(mine.z, text.z)
        other = experiments.null(tiny("gpt2"), TEXT, "distance", draws=3, seed=6)
        assert (mine.mean != other.mean).any()

    def test_refused(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match="unknown measure 'sink'"):
            experiments.null(tiny("gpt2"), TEXT, "sink")
        with pytest.raises(ValueError, match="1 draws have no spread: use at least 2"):
            experiments.null(tiny("gpt2"), TEXT, "entropy", draws=1)

    def test_progress_stops_it(self, tiny: Loader) -> None:
        told: list[float | None] = []

        def tell(_sentence: str, share: float | None) -> None:
            told.append(share)
            if len(told) == 3:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            experiments.null(tiny("gpt2"), TEXT, "entropy", draws=10, progress=tell)
        assert told == [0, 0.1, 0.2]


class TestCaptureIds:
    def test_as_a_text(self, tiny: Loader) -> None:
        """The indices of a text give the text's own capture."""
        for name in ("bert", "gpt2", "t5"):
            target = "the dog" if name == "t5" else None
            cap = explorer.capture(tiny(name), TEXT, target=target)
            ids = cap.stack().query_tokens.ids.tolist()
            given = cap.stack("decoder").query_tokens.ids.tolist() if target else []
            again = explorer.experiments.capture_ids(tiny(name), ids, given)
            for stack in cap.stacks:
                np.testing.assert_array_equal(again.stack(stack).attention(1), cap.stack(stack).attention(1))
            ours, theirs = again.stack().query_tokens, cap.stack().query_tokens
            np.testing.assert_array_equal(ours.special, theirs.special)
            assert ours.labels == theirs.labels

    def test_refused(self, tiny: Loader) -> None:
        capture_ids = experiments.capture_ids
        with pytest.raises(ValueError, match="token 9999 is outside"):
            capture_ids(tiny("gpt2"), [1, 9999])
        with pytest.raises(ValueError, match="reads 1 to 256 tokens; 300 were given"):
            capture_ids(tiny("gpt2"), [1] * 300)
        with pytest.raises(ValueError, match="tokens; 0 were given"):
            capture_ids(tiny("gpt2"), [])
        with pytest.raises(ValueError, match="needs decoder indices"):
            capture_ids(tiny("t5"), [5, 6])
        with pytest.raises(ValueError, match="takes no decoder indices"):
            capture_ids(tiny("gpt2"), [5], [6])

    def test_order_must_be_a_permutation(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), "an apple")
        n = len(cap.tokens)
        for order in (np.zeros(n, dtype=int), np.arange(n + 1)):
            with pytest.raises(ValueError, match=f"an order of {n} tokens names each of 0 to"):
                cap.reordered(order)

    def test_same_order_same_capture(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("bert"), TEXT, pair=PAIR)
        again = cap.reordered(np.arange(len(cap.tokens)))
        assert again.tokens == cap.tokens
        np.testing.assert_array_equal(again.attention(2), cap.attention(2))
        assert compute_all(again).keys() == compute_all(cap).keys()

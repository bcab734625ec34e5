"""The self-check: that it passes what is right, and finds what is spoiled, where it is spoiled."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import explorer
from explorer.analysis.identities import CLAIMS, TOLERANCES, identities, pca, second_run
from explorer.analysis.identities.weights import UNMASKED, weights_alone
from explorer.capture import recorder
from explorer.capture.attention_call import AttentionCall
from explorer.models import head_layers
from explorer.records import Identity, ModelError, Place, Projection
from tests import reference
from tests.captures_by_hand import BOTH_WAYS, LEFT_TO_RIGHT, HandCapture, HandStack, by_hand
from tests.checkpoints import FAMILIES, LONG, TEXT
from tests.conftest import Folder, Loader

TARGET = "Mary gave the dog a drink."
AGAINST_EAGER = {"eager_attention", "eager_states", "eager_logits", "heads_add_up"}
SPOILED = ("decoder", 1, 2)


def _by_name(found: tuple[Identity, ...]) -> dict[str, Identity]:
    assert [one.claim.name for one in found] == list(CLAIMS)
    return {one.claim.name: one for one in found}


def _captured(loaded: explorer.LoadedModel, text: str = TEXT) -> explorer.Capture:
    return explorer.capture(loaded, text, target=TARGET if loaded.is_encoder_decoder else None)


def _check(loaded: explorer.LoadedModel, cap: explorer.Capture) -> dict[str, Identity]:
    return _by_name(identities(loaded, cap))


def _failing(found: dict[str, Identity]) -> set[str]:
    return {name for name, one in found.items() if one.ok is False}


@pytest.fixture
def gpt2(folder: Folder) -> explorer.LoadedModel:
    """A model of the test's own, to be spoiled."""
    return explorer.load_model(str(folder("gpt2")), device="cpu")


class TestWhatIsRightPasses:
    @pytest.mark.parametrize("text", [TEXT, LONG], ids=["short", "long"])
    @pytest.mark.parametrize("name", FAMILIES)
    def test_every_family(self, name: str, text: str, tiny: Loader) -> None:
        loaded = tiny(name)
        cap = _captured(loaded, text)
        found = _check(loaded, cap)
        assert _failing(found) == set()
        skipped = {one for one, identity in found.items() if identity.ok is None}
        stacks = [cap.stack(stack) for stack in cap.stacks]
        sees_all = all(stack.allowed(layer).all() for stack in stacks for layer in range(stack.n_layers))
        expected = {"masked"} if sees_all else set()
        expected |= AGAINST_EAGER if FAMILIES[name].method == "eager" else set()
        assert skipped == expected
        assert all(found[one].why_not for one in skipped)
        assert not any(one.why_not for name, one in found.items() if name not in skipped)

    @pytest.mark.parametrize("name", ["minilm", "smollm2"])
    def test_bundled(self, name: str, request: pytest.FixtureRequest) -> None:
        loaded = request.getfixturevalue(name)
        found = _check(loaded, _captured(loaded))
        assert _failing(found) == set()
        absent = {"masked", "eager_logits"} if name == "minilm" else set()
        assert {one for one, identity in found.items() if identity.ok is None} == absent

    def test_learned_sinks_take_their_share(self, tiny: Loader) -> None:
        """Rows of gpt-oss are well under 1; with what the sinks take they are 1."""
        loaded = tiny("gpt-oss")
        cap = _captured(loaded)
        assert min(cap.attention(layer).sum(-1).min() for layer in range(3)) < 0.9
        assert _check(loaded, cap)["rows"].error < 1e-6  # type: ignore[operator]

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_half_precision_says_what_it_allows(self, dtype: str, folder: Folder) -> None:
        loaded = explorer.load_model(str(folder("gpt2")), device="cpu", dtype=dtype)
        found = _check(loaded, _captured(loaded))
        assert _failing(found) == set()
        weight, vector = TOLERANCES[dtype]
        assert found["eager_attention"].tolerance == weight > TOLERANCES["float32"][0]
        assert found["eager_states"].tolerance == vector > TOLERANCES["float32"][1]
        assert {name for name, one in found.items() if one.note} == AGAINST_EAGER
        assert f"for {dtype} rounds coarsely" in found["eager_states"].note
        assert found["rows"].tolerance == TOLERANCES["float32"][0]

    @pytest.mark.parametrize("name", ["deberta-v2", "gpt-oss"])
    def test_half_precision_captured_eagerly(self, name: str, folder: Folder) -> None:
        loaded = explorer.load_model(str(folder(name)), device="cpu", dtype="bfloat16")
        assert loaded.method == "eager"
        found = _check(loaded, _captured(loaded))
        assert _failing(found) == set()
        assert found["rows"].tolerance == TOLERANCES["bfloat16"][1]
        told = "learned sinks" if name == "gpt-oss" else "rounds coarsely"
        assert told in found["rows"].note

    def test_a_text_of_one_token(self, tiny: Loader) -> None:
        loaded = tiny("gpt2")
        found = _check(loaded, _captured(loaded, "a"))
        assert _failing(found) == set()
        for name in ("pca", "variance"):
            assert "nothing to spread out" in found[name].why_not
        assert found["masked"].why_not == UNMASKED


class _Eager(HandStack):
    """A stack of weights alone, as after an eager run."""

    def score_parts(self, *_where: int) -> Any:
        raise ModelError("not known")


def _alone(weights: np.ndarray, causal: bool = False, sunk: bool = False) -> dict[str, Identity]:
    """Rows and masks of weights [L, H, N, N], or [N, N]."""
    only = by_hand(weights, causal=causal).only
    stack = _Eager(only.query_tokens, only.key_tokens, only.weights, causal=causal)
    return weights_alone(HandCapture(stack, "by hand"), 1e-5, "", sunk, lambda *_told: None)


class TestRowsAndMasksByHand:
    def test_right(self) -> None:
        found = _alone(LEFT_TO_RIGHT, causal=True)
        assert (found["rows"].error, found["masked"].error) == (0, 0)
        assert _alone(BOTH_WAYS)["masked"].why_not == UNMASKED

    def test_a_row_that_gives_too_little(self) -> None:
        weights = np.stack([[BOTH_WAYS] * 3] * 2)
        weights[1, 2, 3] *= 0.75
        rows = _alone(weights)["rows"]
        assert (rows.ok, rows.error, rows.place) == (False, 0.25, Place("encoder", 1, 2))

    def test_a_weight_in_the_future(self) -> None:
        """However small: exactly 0 is meant. The row still adds up to 1."""
        weights = np.stack([[LEFT_TO_RIGHT] * 2] * 2)
        weights[0, 1, 1] = [0.5, 0.25, 0.25, 0]
        weights[1, 0, 0] = [1 - 2**-20, 0, 0, 2**-20]
        found = _alone(weights, causal=True)
        assert found["rows"].ok
        assert (found["masked"].ok, found["masked"].error) == (False, 0.25)
        assert found["masked"].place == Place("encoder", 0, 1)
        weights[0, 1, 1] = [0.5, 0.5, 0, 0]
        assert _alone(weights, causal=True)["masked"].error == 2**-20
        assert not _alone(weights, causal=True)["masked"].ok

    def test_no_number_fails(self) -> None:
        weights = np.stack([[BOTH_WAYS] * 3] * 2)
        weights[0, 0, 0] = 9
        weights[1, 1, 2, 2] = np.nan
        rows = _alone(weights)["rows"]
        assert rows.ok is False
        assert np.isnan(rows.error or 0)
        assert rows.place == Place("encoder", 1, 1)

    def test_sinks_whose_share_is_not_known(self) -> None:
        under, over = BOTH_WAYS * 0.5, BOTH_WAYS * 1.5
        assert _alone(under, sunk=True)["rows"].ok
        assert "only a row over 1" in _alone(under, sunk=True)["rows"].note
        assert (_alone(over, sunk=True)["rows"].error, _alone(under)["rows"].error) == (0.5, 0.5)

    def test_sinks_that_are_wrong(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded = tiny("gpt-oss")
        cap, stack = _captured(loaded), explorer.Stack
        told = stack.score_parts

        def larger(*where: Any) -> Any:
            parts = told(*where)
            return replace(parts, sink=parts.sink + 1) if where[1:3] == (1, 2) else parts

        monkeypatch.setattr(stack, "score_parts", larger)
        rows = _check(loaded, cap)["rows"]
        assert (rows.ok, rows.place) == (False, Place(*SPOILED))


class TestSpoiled:
    """One thing at a time is spoiled; what depends on it fails, and says where."""

    def test_a_recorded_query(self, gpt2: explorer.LoadedModel, folder: Folder) -> None:
        """One head's queries: its map, and what its layer's heads add up to."""
        cap = _captured(gpt2)
        stack, layer, head = SPOILED
        with torch.inference_mode():
            cap.stack(stack).call(layer).query[head] *= 1.5
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_attention", "heads_add_up"}
        assert found["eager_attention"].place == Place(*SPOILED)
        assert found["heads_add_up"].place == Place(stack, layer)
        expected = reference.eager(FAMILIES["gpt2"], folder("gpt2"), TEXT)
        theirs = expected.attention[stack][layer][head]
        apart = np.abs(cap.attention(layer, head) - theirs).max()
        assert found["eager_attention"].error == pytest.approx(apart, abs=1e-6)
        total = sum(cap.head_output(layer, h) for h in range(4)) + cap.output_bias(layer)
        assert found["heads_add_up"].error == pytest.approx(
            reference.relative(total, expected.projected[stack][layer]), abs=1e-6
        )

    def test_a_value(self, gpt2: explorer.LoadedModel) -> None:
        cap = _captured(gpt2)
        with torch.inference_mode():
            cap.call(2).value[0, 3] += 1
        found = _check(gpt2, cap)
        assert _failing(found) == {"heads_add_up"}
        assert found["heads_add_up"].place == Place("decoder", 2)

    def test_an_output_matrix_cut_the_wrong_way(
        self, gpt2: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = head_layers.output_projection

        def turned(*given: Any) -> head_layers.OutputProjection:
            found = right(*given)
            return replace(found, weight=found.weight.roll(1, dims=0))

        monkeypatch.setattr(head_layers, "output_projection", turned)
        assert _failing(_check(gpt2, _captured(gpt2))) == {"heads_add_up"}

    def test_a_state(self, gpt2: explorer.LoadedModel) -> None:
        cap = _captured(gpt2)
        state = next(itertools.islice(cap.tensors(), 2, None))
        with torch.inference_mode():
            state *= 1.01
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_states"}
        assert found["eager_states"].place == Place("decoder", state=2)
        assert found["eager_states"].error == pytest.approx(0.01, rel=1e-3)

    def test_a_state_that_is_no_number(self, gpt2: explorer.LoadedModel) -> None:
        cap = _captured(gpt2)
        state = next(itertools.islice(cap.tensors(), 1, None))
        with torch.inference_mode():
            state[0, 0] = torch.nan
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_states"}
        assert np.isnan(found["eager_states"].error or 0)
        assert found["eager_states"].place == Place("decoder", state=1)

    def test_a_recorder_that_is_wrong_everywhere(
        self, gpt2: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it is held against does not go through it."""
        cap, right = _captured(gpt2), AttentionCall.scores
        monkeypatch.setattr(AttentionCall, "scores", lambda *given: right(*given) * 1.1)
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_attention", "heads_add_up"}

    def test_predictions(self, gpt2: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        """The recorder's run gives other ones than it gave when the text was captured."""
        cap, right = _captured(gpt2), recorder.sdpa_attention_forward

        def louder(*given: Any, **named: Any) -> Any:
            result, weights = right(*given, **named)
            return result * 1.2, weights

        monkeypatch.setattr(recorder, "sdpa_attention_forward", louder)
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_logits"}
        assert found["eager_logits"].place == Place("decoder")

    def test_weights_of_the_model(self, gpt2: explorer.LoadedModel) -> None:
        """Changed after the text was read: from there on everything is another model's."""
        cap = _captured(gpt2)
        gpt2.model.transformer.h[1].mlp.c_fc.weight.mul_(1.5)
        found = _check(gpt2, cap)
        assert _failing(found) == {"eager_attention", "eager_states", "heads_add_up"}
        assert found["eager_attention"].place.layer == 2  # type: ignore[union-attr]
        assert found["eager_logits"].ok  # both runs are of the model as it is now

    @pytest.mark.parametrize(
        ("spoil", "failing", "error"),
        [
            (lambda p: replace(p, components=p.components[::-1]), {"pca"}, None),
            (lambda p: replace(p, components=-p.components), set(), None),
            (lambda p: replace(p, explained_variance=p.explained_variance * 1.5), {"variance"}, 0.5),
        ],
        ids=["other order", "other sign", "shares over 1"],
    )
    def test_a_projection(
        self,
        tiny: Loader,
        monkeypatch: pytest.MonkeyPatch,
        spoil: Callable[[Projection], Projection],
        failing: set[str],
        error: float | None,
    ) -> None:
        right = pca.project
        monkeypatch.setattr(pca, "project", lambda *given: spoil(right(*given)))
        found = _check(tiny("bert"), _captured(tiny("bert")))
        assert _failing(found) == failing
        if error is not None:
            assert found["variance"].error == pytest.approx(error)


class TestWhatDoesNotApply:
    def test_an_eager_model_has_no_second_run(self, tiny: Loader) -> None:
        loaded = tiny("deberta-v2")
        found = _check(loaded, _captured(loaded))
        assert "captured with eager attention itself" in found["heads_add_up"].why_not
        assert loaded.method_reason in found["heads_add_up"].why_not
        assert found["rows"].ok

    def test_an_unknown_output_projection(self, gpt2: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_given: Any) -> Any:
            raise ModelError("none known")

        monkeypatch.setattr(head_layers, "output_projection", unknown)
        found = _check(gpt2, _captured(gpt2))
        assert _failing(found) == set()
        assert "output projection is, is not known" in found["heads_add_up"].why_not

    def test_no_memory_for_a_second_run(self, tiny: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(second_run, "free_bytes", lambda _device: 0)
        found = _check(tiny("llama"), _captured(tiny("llama")))
        assert {name for name, one in found.items() if one.ok is None} == AGAINST_EAGER
        assert "0.0 GB are free on cpu: shorten the text" in found["eager_states"].why_not

    def test_another_models_capture(self, tiny: Loader) -> None:
        with pytest.raises(ValueError, match=r"was captured with .*bert, not with .*gpt2$"):
            identities(tiny("gpt2"), _captured(tiny("bert")))


class TestTheModelIsLeftAsItWas:
    @pytest.mark.parametrize("name", ["albert", "gpt2", "t5"])
    def test_after_a_check(self, name: str, tiny: Loader) -> None:
        loaded = tiny(name)
        hooks = [len(module._forward_hooks) for module in loaded.model.modules()]
        before = _captured(loaded).stack("decoder" if name != "albert" else None)
        _check(loaded, _captured(loaded))
        assert loaded.method == "recorder"
        assert loaded.model.config._attn_implementation == recorder.IMPLEMENTATION
        assert [len(module._forward_hooks) for module in loaded.model.modules()] == hooks
        after = _captured(loaded).stack(before.name)
        np.testing.assert_array_equal(before.q(1, 2), after.q(1, 2))

    def test_when_it_is_stopped(self, tiny: Loader) -> None:
        """At every step, the second run's among them; what stops it comes out as it is."""

        class StopHereError(Exception):
            pass

        loaded = tiny("t5")
        cap, told = _captured(loaded), []
        identities(loaded, cap, lambda *now: told.append(now))
        sentences = [sentence for sentence, _ in told]
        assert "comparing maps, cross layer 1" in sentences
        shares = [share for _, share in told]
        assert shares == sorted(shares)
        assert 0 <= shares[0] < shares[-1] < 1
        for step in range(len(told)):
            left = itertools.count()

            def stop(*_now: Any, left: Any = left, step: int = step) -> None:
                if next(left) == step:
                    raise StopHereError

            with pytest.raises(StopHereError):
                identities(loaded, cap, stop)
            assert loaded.model.config._attn_implementation == recorder.IMPLEMENTATION

    def test_when_memory_runs_out(self, tiny: Loader) -> None:
        loaded = tiny("gpt2")

        def full(*_seen: Any) -> None:
            raise torch.OutOfMemoryError("out of memory")

        with pytest.raises(ModelError, match=r"^out of memory while .*eager attention: use a"):
            _captured(loaded).run_eagerly(full)
        assert loaded.model.config._attn_implementation == recorder.IMPLEMENTATION

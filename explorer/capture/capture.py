"""A loaded model and a text to a capture: every head's attention, on demand.

torch inside, numpy out: tensors stay on the model's device, and each access moves only
what is asked for, as float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
import torch

from explorer.capture.eager_run import EagerRun, See, Watched, eager_run
from explorer.capture.footprint import free_bytes, stored_bytes
from explorer.capture.loading import LoadedModel, make_inputs
from explorer.capture.recorder import Inputs, Unfaithful, inputs_of, run
from explorer.capture.stack import Stack, to_numpy
from explorer.models import architectures
from explorer.models.checkpoints import quiet_transformers
from explorer.models.failures import one_clear_line
from explorer.records import FloatArray, IntArray, ModelError, Tokens
from explorer.text.tokens import describe, describe_generated, encode

MAX_GENERATED = 64
# Said in full, or generate would take what the checkpoint's own settings ask for instead.
_GREEDY = {
    "do_sample": False,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_repetition_penalty": 1.0,
    "encoder_no_repeat_ngram_size": 0,
    "min_length": 0,
}


class Capture:
    """A text run through a model, with all it takes to look inside.

    On a model of a single stack the capture itself answers what ``Stack`` does
    (``cap.attention(4, 11)``, ``cap.tokens``, ``cap.hidden``); on an encoder–decoder
    choose one: ``cap.stack("cross")``.

    Attributes:
        model_name: as it was given to ``load_model``.
        revision: the checkpoint's commit, or a bundled model's package and version.
        text: what the encoder or the only stack read.
        pair: the second segment, where there is one.
        target: what its decoder was given; None where the model generated it.
        stacks: names of its stacks: ``("encoder",)``, ``("decoder",)``, or
            ``("encoder", "decoder", "cross")``.
    """

    target: str | None = None

    def __init__(
        self, loaded: LoadedModel, text: str, pair: str | None, stacks: tuple[Stack, ...], inputs: Inputs
    ) -> None:
        self.model_name = loaded.name
        self.revision = loaded.revision
        self.text = text
        self.pair = pair
        self.stacks = tuple(stack.name for stack in stacks)
        self._stacks = {stack.name: stack for stack in stacks}
        self._loaded = loaded
        self._inputs = inputs

    def stack(self, name: str | None = None) -> Stack:
        """One stack by name; without a name the only one, or the first.

        Raises:
            ValueError: the model has no stack of that name.
        """
        name = self.stacks[0] if name is None else name
        if name not in self._stacks:
            raise ValueError(f"{self.model_name} has no {name} stack: it has {', '.join(self.stacks)}")
        return self._stacks[name]

    def __getattr__(self, name: str) -> Any:
        """What a single stack answers; asked only for what the capture itself lacks."""
        stack = None if name.startswith("_") else self._stacks[self.stacks[0]]
        if name not in dir(stack):
            raise AttributeError(f"a capture has no '{name}'")
        if len(self.stacks) > 1:
            raise AttributeError(
                f"{self.model_name} has several stacks: use cap.stack(name).{name}, "
                f"name being one of {', '.join(self.stacks)}"
            )
        return getattr(stack, name)

    def logits(self) -> FloatArray:
        """The language-model head's logits [N, vocabulary], computed now by a run of its own.

        Raises:
            ModelError: the checkpoint has no language-model head.
        """
        loaded = self._loaded
        if not loaded.has_logits:
            raise ModelError(f"{loaded.name} has no language-model head, so there are no logits")
        arguments = dict(self._inputs.arguments)
        if self._inputs.decoder_ids is not None:
            arguments["decoder_input_ids"] = self._inputs.decoder_ids
        with loaded.lock, _one_line(loaded, "computing logits"), torch.inference_mode():
            return to_numpy(_faithfully(loaded, lambda: loaded.model(**arguments).logits[0]))

    def attention_inputs(self, name: str | None = None) -> tuple[FloatArray, FloatArray]:
        """What each layer's attention makes queries of and keys of, by a run of its own.

        That is the residual stream after any norm that stands before attention; keys of cross
        attention are made of the encoder's last states.

        Returns:
            Arrays [L, Q, D] and [L, K, D]; the same twice but for cross attention.

        Raises:
            ValueError: the model has no stack of that name.
            ModelError: captured eagerly, so that the modules are not known.
        """
        source, loaded = self.stack(name), self._loaded
        modules = [source.call(layer).module for layer in range(source.n_layers)]
        with loaded.lock, _one_line(loaded, "reading what its layers are given"):
            given = inputs_of(loaded.model, self._inputs, modules)
        queries = np.stack([to_numpy(own) for own, _ in given])
        keys = [to_numpy(other) for _, other in given if other is not None]
        return queries, np.stack(keys) if keys else queries

    def run_eagerly(self, see: See) -> EagerRun:
        """The same tokens through the whole model with transformers' own eager attention.

        Args:
            see: given stack, layer and weights [H, Q, K] as each layer makes them; they are not
                kept. What it raises, other than running out of memory, comes out as it is.

        Raises:
            ModelError: captured eagerly already, or the model failed; one line says why.
        """
        layers = [
            Watched(stack.name, layer, stack.call(layer).module, stack.output_module(layer))
            for stack in self._stacks.values()
            for layer in range(stack.n_layers)
        ]
        with self._loaded.lock:
            return eager_run(self._loaded.model, self._inputs, layers, see, self.model_name)

    def reordered(self, order: IntArray, decoder_order: IntArray | None = None) -> Capture:
        """The same tokens in another order, read by the model anew.

        Positions, segments and the marks of special tokens stay where they are, so only
        tokens of one segment should change places among each other. What was generated is
        not generated again.

        Args:
            order: for each place the token that stands there now [N], a permutation.
            decoder_order: the same of what an encoder–decoder's decoder reads; None leaves
                it as it is.

        Raises:
            ValueError: an order that is no permutation.
            ModelError: the model failed on it; one line says why.
        """
        first, last = self._stacks[self.stacks[0]], self._stacks[self.stacks[-1]]
        tokenizer = self._loaded.tokenizer
        tokens = _in_order(tokenizer, first.query_tokens, order)
        decoder = last.query_tokens if self._loaded.is_encoder_decoder else None
        if decoder is not None and decoder_order is not None:
            decoder = _in_order(tokenizer, decoder, decoder_order)
        encoded = {"input_ids": tokens.ids.tolist()}
        if (types := self._inputs.arguments.get("token_type_ids")) is not None:
            encoded["token_type_ids"] = types[0].tolist()
        return _read(self._loaded, encoded, tokens, decoder, self.text, self.pair)

    @property
    def loaded(self) -> LoadedModel:
        """The model that read it."""
        return self._loaded

    @property
    def nbytes(self) -> int:
        """Bytes this capture keeps on the device, each shared storage counted once."""
        return stored_bytes(t for stack in self._stacks.values() for t in stack.tensors())


def capture(
    model: LoadedModel, text: str, pair: str | None = None, target: str | None = None, *, truncate: bool = False
) -> Capture:
    """Run a model on a text and keep what its attention is made of.

    Args:
        model: from ``load_model``.
        text: what the encoder or the only stack reads.
        pair: a second segment, for an encoder that knows pairs (BERT and its kin).
        target: what an encoder–decoder's decoder is given; without it the model generates
            greedily, at most 64 tokens.
        truncate: of a text with more tokens than the model reads take the first, special
            tokens included (of a pair the longer text is cut first); ``n_given`` tells how
            many there were.

    Raises:
        TextTooLong: more tokens than the model reads, and not ``truncate``.
        ValueError: an unusable text, pair or target.
        ModelError: the model failed on it; one line says why.
    """
    check_read(model, pair, target)
    with model.lock:
        encoded, tokens = encode(model.tokenizer, text, pair, max_tokens=model.max_tokens, truncate=truncate)
        decoder_tokens = _decoder_tokens(model, encoded, target, truncate)
        made = _read(model, encoded, tokens, decoder_tokens, text, pair)
    made.target = target
    return made


def check_read(model: LoadedModel, pair: str | None, target: str | None) -> None:
    """Refuse a second text or a target that a model does not read.

    Raises:
        ValueError: it is none that reads them.
    """
    if pair is not None and not model.takes_pairs:
        raise ValueError(f"{model.name} takes no second text: only encoders such as BERT read pairs")
    if target is not None and not model.is_encoder_decoder:
        raise ValueError(f"{model.name} takes no target text: it is no encoder–decoder")


def capture_ids(model: LoadedModel, ids: Sequence[int], decoder_ids: Sequence[int] = ()) -> Capture:
    """Run a model on vocabulary indices as they are, with nothing added around them.

    For sequences that no text would be cut into, such as random tokens. They are labelled
    as a decoder's own output is; the capture's text is what they decode to.

    Args:
        model: from ``load_model``.
        ids: what the encoder or the only stack reads.
        decoder_ids: what an encoder–decoder's decoder reads, its start token included.

    Raises:
        ValueError: no indices, more than the model reads, ones outside its vocabulary, or
            decoder indices missing or not wanted.
        ModelError: the model failed on them; one line says why.
    """
    if bool(decoder_ids) is not model.is_encoder_decoder:
        wants = "needs" if model.is_encoder_decoder else "takes no"
        raise ValueError(f"{model.name} {wants} decoder indices")
    rows = architectures.vocabulary_size(model.model)
    for given in (ids, decoder_ids) if decoder_ids else (ids,):
        if not 0 < len(given) <= (model.max_tokens or len(given)):
            limit = f" to {model.max_tokens:,}" if model.max_tokens else " or more"
            raise ValueError(f"{model.name} reads 1{limit} tokens; {len(given):,} were given")
        if outside := [index for index in given if not 0 <= index < rows]:
            raise ValueError(f"token {outside[0]} is outside {model.name}'s {rows:,} tokens")
    tokens = describe_generated(model.tokenizer, list(ids))
    decoder = describe_generated(model.tokenizer, list(decoder_ids)) if decoder_ids else None
    return _read(model, {"input_ids": list(ids)}, tokens, decoder, tokens.texts[0], None)


def _read(
    model: LoadedModel,
    encoded: dict[str, list[int]],
    tokens: Tokens,
    decoder_tokens: Tokens | None,
    text: str,
    pair: str | None,
) -> Capture:
    """Run the model on tokens that are already cut and labelled."""
    _check_memory(model, max(len(tokens), len(decoder_tokens or ())))
    decoder_ids = None if decoder_tokens is None else decoder_tokens.ids.tolist()
    with model.lock, _one_line(model, f"reading {len(tokens):,} tokens"):
        inputs = make_inputs(model.model, encoded, model.device, decoder_ids)
        runs = _faithfully(model, lambda: run(model.model, inputs, eager=model.method == "eager"))
    sides = {"encoder": (tokens, tokens), "decoder": (tokens, tokens)}
    if decoder_tokens is not None:
        sides["decoder"] = (decoder_tokens, decoder_tokens)
        sides["cross"] = (decoder_tokens, tokens)
    stacks = tuple(
        Stack(info, stack_run, model, *sides[info.name]) for info, stack_run in zip(model.stacks, runs, strict=True)
    )
    return Capture(model, text, pair, stacks, inputs)


def _check_memory(model: LoadedModel, n_tokens: int) -> None:
    """Refuse a text whose capture alone would not fit, before the model begins on it."""
    needed, free = model.footprint.of(n_tokens), free_bytes(model.device)
    if needed > free:
        raise ValueError(
            f"the text has {n_tokens:,} tokens; what {model.name} keeps of them takes "
            f"{needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free on {model.device}: "
            "shorten it"
        )


_Result = TypeVar("_Result")


def _one_line(model: LoadedModel, doing: str) -> AbstractContextManager[None]:
    return one_clear_line(f"{model.name} failed while {doing}", f"{model.name} was {doing}")


def _faithfully(model: LoadedModel, compute: Callable[[], _Result]) -> _Result:
    """Run the model; where the recorder can't be trusted, again and from then on eagerly."""
    try:
        return compute()
    except Unfaithful as reason:
        model.use_eager(str(reason))
        return compute()


def decoder_start(model: LoadedModel) -> int:
    """The token an encoder–decoder's decoder is given first."""
    config = model.model.config
    start = config.decoder_start_token_id
    return int(config.bos_token_id if start is None else start)


def _in_order(tokenizer: Any, tokens: Tokens, order: IntArray) -> Tokens:
    """The tokens in another order; segments and special marks stay at their places."""
    n, order = len(tokens), np.asarray(order)
    if order.shape != (n,) or not np.array_equal(np.sort(order), np.arange(n)):
        raise ValueError(f"an order of {n} tokens names each of 0 to {n - 1} once")
    moved = describe(
        tokenizer,
        tokens.ids[order].tolist(),
        tokens.special.tolist(),
        [(int(start), int(end)) for start, end in tokens.offsets[order]],
        tokens.segment.tolist(),
        tokens.texts,
    )
    return replace(moved, n_untruncated=tokens.n_untruncated)


def _decoder_tokens(
    model: LoadedModel, encoded: dict[str, list[int]], target: str | None, truncate: bool
) -> Tokens | None:
    """What the decoder reads: the target moved right by one, or what the model generates."""
    if not model.is_encoder_decoder:
        return None
    if target is None:
        return _generated(model, encoded)
    _, tokens = encode(model.tokenizer, target, max_tokens=model.max_tokens, target=True, truncate=truncate)
    # Training moves the target right by one: the start token in, the last token out.
    keep = slice(0, -1) if tokens.ids[-1] == model.tokenizer.eos_token_id else slice(None)
    moved = describe(
        model.tokenizer,
        [decoder_start(model), *tokens.ids[keep].tolist()],
        [True, *tokens.special[keep].tolist()],
        [(0, 0), *((int(a), int(b)) for a, b in tokens.offsets[keep])],
        [-1, *tokens.segment[keep].tolist()],
        tokens.texts,
    )
    return replace(moved, n_untruncated=tokens.n_untruncated)


def _generated(model: LoadedModel, encoded: dict[str, list[int]]) -> Tokens:
    if not hasattr(model.model, "generate") or not model.has_logits:
        raise ValueError(f"{model.name} has no language-model head to generate with: give a target text")
    limit = MAX_GENERATED if model.max_tokens is None else model.max_tokens - 1

    def generate() -> list[int]:
        inputs = make_inputs(model.model, encoded, model.device).arguments
        generator: Any = model.model
        sequences = generator.generate(**inputs, **_GREEDY, max_new_tokens=min(MAX_GENERATED, limit))
        return cast(list[int], sequences[0].tolist())

    with _one_line(model, "generating"), torch.inference_mode(), quiet_transformers():
        output = _faithfully(model, generate)
    ends = model.model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    if len(output) > 1 and output[-1] in ends:
        output = output[:-1]
    return describe_generated(model.tokenizer, output)

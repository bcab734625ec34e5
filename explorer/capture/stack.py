"""One stack of a capture: its heads' weights, vectors and outputs, each when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from explorer.capture.attention_call import AttentionCall
from explorer.capture.loading import LoadedModel
from explorer.capture.recorder import StackRun
from explorer.models import architectures, head_layers
from explorer.models.failures import out_of_memory
from explorer.records import BoolArray, FloatArray, IntArray, ModelError, ScoreParts, StackInfo, Tokens


def to_numpy(tensor: torch.Tensor) -> FloatArray:
    """A tensor from any device as float32 numpy."""
    array: FloatArray = tensor.detach().to("cpu", torch.float32).numpy()
    return array


class Stack:
    """One stack of a capture: the encoder, the decoder, or the cross attention between.

    Layers and heads count from 0.

    Attributes:
        name: "encoder", "decoder" or "cross".
        n_layers: layers of attention L.
        n_heads: query heads a layer H.
        n_kv_heads: key/value heads a layer; fewer than ``n_heads`` where heads share them:
            query head h reads number ``h // (n_heads // n_kv_heads)``.
        causal: whether no token sees a later one.
        query_tokens: the tokens that attend, with ids, labels and character positions.
        key_tokens: the tokens attended to; another text's for cross attention.
    """

    def __init__(
        self, info: StackInfo, run: StackRun, loaded: LoadedModel, query_tokens: Tokens, key_tokens: Tokens
    ) -> None:
        self.name = info.name
        self.n_layers = info.n_layers
        self.n_heads = info.n_heads
        self.n_kv_heads = info.n_kv_heads
        self.causal = info.causal
        self.query_tokens = query_tokens
        self.key_tokens = key_tokens
        self._run = run
        self._loaded = loaded

    @property
    def queries(self) -> tuple[str, ...]:
        """Labels of the tokens that attend [Q]."""
        return self.query_tokens.labels

    @property
    def keys(self) -> tuple[str, ...]:
        """Labels of the tokens attended to [K]."""
        return self.key_tokens.labels

    @property
    def tokens(self) -> tuple[str, ...]:
        """Labels of the stack's own tokens: its queries."""
        return self.queries

    @property
    def n_given(self) -> int:
        """Tokens that the queries' whole text has: more than here where it was truncated."""
        given = self.query_tokens.n_untruncated
        return len(self.query_tokens) if given is None else given

    @property
    def offsets(self) -> IntArray:
        """Character positions [N, 2] of the queries in their text."""
        return self.query_tokens.offsets

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> FloatArray:
        """Attention weights of one head [Q, K], or of a layer's heads [H, Q, K].

        Rows sum to 1 (less where a model has learned sinks); a cell that the mask forbids
        is exactly 0. With ``rows`` only those queries' weights are computed: a long text's
        map never has to be held whole.

        Raises:
            ValueError: layer or head out of range.
        """
        self._check(layer, head)
        rows = slice(None) if rows is None else rows
        with out_of_memory("making an attention map"), torch.inference_mode():
            return to_numpy(self._run.weights(layer, head, rows))

    def allowed(self, layer: int, rows: slice | None = None) -> BoolArray:
        """Which keys each query may see [Q, K] in a layer; False where the mask forbids.

        With ``rows`` of those queries only. After an eager run the mask is not known; there
        only a causal one is told.
        """
        self._check(layer)
        rows = slice(None) if rows is None else rows
        queries, n_keys = np.arange(len(self.query_tokens))[rows], len(self.key_tokens)
        if not self._run.calls:
            last = queries[:, None] if self.causal else np.full((len(queries), 1), n_keys)
            return np.arange(n_keys) <= last
        allowed = self._run.calls[layer].allowed(rows).any(dim=0).cpu().numpy()
        return np.broadcast_to(allowed, (len(queries), n_keys))

    def q(self, layer: int, head: int) -> FloatArray:
        """Query vectors [Q, d_head] as the scores are made of them (after rotation)."""
        return to_numpy(self.call(layer, head).query[head])

    def k(self, layer: int, head: int) -> FloatArray:
        """Key vectors [K, d_head] that query head ``head`` reads (after rotation)."""
        call = self.call(layer, head)
        return to_numpy(call.key[call.kv_head(head)])

    def v(self, layer: int, head: int) -> FloatArray:
        """Value vectors [K, d_head] that query head ``head`` reads."""
        call = self.call(layer, head)
        return to_numpy(call.value[call.kv_head(head)])

    def scores(self, layer: int, head: int) -> FloatArray:
        """A head's scores as they go into the softmax [Q, K], as if no key were forbidden.

        Raises:
            ValueError: layer or head out of range.
            ModelError: captured eagerly, so that they are not known.
        """
        call = self.call(layer, head)
        open_call = replace(call, mask=None) if call.only_forbids else call
        with out_of_memory("making a head's scores"), torch.inference_mode():
            return to_numpy(open_call.scores(head)[0])

    def score_parts(self, layer: int, head: int, query: int) -> ScoreParts:
        """What one query's scores are made of beside q·k.

        Raises:
            ValueError: layer, head or query out of range.
            ModelError: captured eagerly, so that they are not known.
        """
        call = self.call(layer, head)
        if not 0 <= query < len(self.query_tokens):
            raise ValueError(
                f"query {query} is out of range: there are {len(self.query_tokens)} tokens, 0 to "
                f"{len(self.query_tokens) - 1}"
            )
        bias, sinks = call.added(head, query), call.sinks
        return ScoreParts(
            scale=call.scale,
            softcap=call.softcap,
            bias=None if bias is None else to_numpy(bias),
            sink=None if sinks is None else float(sinks[head]),
            allowed=self.allowed(layer, slice(query, query + 1))[0],
        )

    def transformed_values(self, layer: int, head: int | None = None) -> FloatArray:
        """Values as the residual stream is given them, (x_k W_V + b_V) W_O, before weights.

        Of one head [K, D], or of a layer's heads [H, K, D]. A head's output is its weights
        times these (Kobayashi et al. 2020, "Attention is Not Only a Weight").

        Raises:
            ValueError: layer or head out of range.
            ModelError: captured eagerly, so that values are not known.
        """
        call = self.call(layer, head)
        weight = head_layers.output_projection(self._loaded.model, call.module, call.n_heads).weight
        with out_of_memory("making the transformed values"), torch.inference_mode():
            if head is not None:
                return to_numpy(call.value[call.kv_head(head)].float() @ weight[head].float())
            values = call.value.repeat_interleave(call.n_heads // call.n_kv_heads, dim=0)
            return to_numpy(values.float() @ weight.float())

    def head_output(self, layer: int, head: int) -> FloatArray:
        """What one head adds to the attention block's output [Q, D]: A·v·W_O.

        Summed over heads, plus the output bias, it is what the output projection gives
        (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits").
        """
        call = self.call(layer, head)
        weight = head_layers.output_projection(self._loaded.model, call.module, call.n_heads).weight
        with out_of_memory("making a head's output"), torch.inference_mode():
            mixed = call.weights(head) @ call.value[call.kv_head(head)].float()
            return to_numpy(mixed @ weight[head].float())

    def output_bias(self, layer: int) -> FloatArray:
        """The output projection's bias b_O [D], zeros where it has none."""
        call = self.call(layer)
        output = head_layers.output_projection(self._loaded.model, call.module, call.n_heads)
        width = output.weight.shape[-1]
        return np.zeros(width, np.float32) if output.bias is None else to_numpy(output.bias)

    def projected(self, layer: int, heads: FloatArray) -> FloatArray:
        """All heads' mixed values side by side [Q, H·d_v] through the model's own W_O [Q, D]."""
        call = self.call(layer)
        module = head_layers.output_projection(self._loaded.model, call.module, call.n_heads).module
        weight = next(module.parameters())
        with torch.inference_mode():
            return to_numpy(module(torch.from_numpy(heads).to(weight)))

    def output_module(self, layer: int) -> torch.nn.Module | None:
        """The model's own layer that holds W_O; None where it is not known.

        Raises:
            ValueError: layer out of range.
            ModelError: captured eagerly.
        """
        call = self.call(layer)
        try:
            return head_layers.output_projection(self._loaded.model, call.module, call.n_heads).module
        except ModelError:
            return None

    @property
    def residual(self) -> str:
        """How attention's output meets the residual stream (``architectures.attention_residual``)."""
        return architectures.attention_residual(self._loaded.model)

    @property
    def hidden(self) -> FloatArray:
        """Residual stream [L+1, N, D] as transformers' ``hidden_states``.

        0 is what the first block is given; the last is after the final norm where the
        model has one. Cross attention reports the decoder's.
        """
        return np.stack([to_numpy(state) for state in self._run.hidden])

    @property
    def static(self) -> FloatArray:
        """Each token's row of the embedding table [N, D], before position and norm."""
        ids = torch.from_numpy(self.query_tokens.ids).to(self._loaded.device)
        with torch.inference_mode():
            return to_numpy(architectures.static_embeddings(self._loaded.model, self.name, ids))

    def tensors(self) -> Iterable[torch.Tensor]:
        """All tensors this stack holds on the device."""
        yield from self._run.hidden
        yield from self._run.attentions
        for call in self._run.calls:
            for tensor in (call.query, call.key, call.value, call.mask, call.bias):
                if tensor is not None:
                    yield tensor

    def _check(self, layer: int, head: int | None = None) -> None:
        for what, given, count in (("layer", layer, self.n_layers), ("head", head, self.n_heads)):
            if given is not None and not 0 <= given < count:
                raise ValueError(f"{what} {given} is out of range: {self._loaded.name} has {what}s 0 to {count - 1}")

    def call(self, layer: int, head: int | None = None) -> AttentionCall:
        """What the recorder kept of a layer, tensors on the device.

        Raises:
            ValueError: layer or head out of range.
            ModelError: captured eagerly, so that there is none.
        """
        self._check(layer, head)
        if not self._run.calls:
            raise ModelError(
                f"{self._loaded.name} was captured eagerly, weights only, because "
                f"{self._loaded.method_reason}: queries, keys and values are not known"
            )
        return self._run.calls[layer]

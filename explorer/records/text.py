"""A text as a model reads it, and the interface of its capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer]


class ModelError(RuntimeError):
    """A model that cannot be loaded or captured; the message is one line for the user."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of one side of an attention map, with readable labels.

    Attributes:
        ids: vocabulary indices [N].
        labels: decoded text of each token, repeats numbered ``the·1``, ``the·2``.
        offsets: character positions [N, 2] in the text (for a pair, in its own segment);
            (0, 0) for tokens the tokenizer added.
        special: True [N] for tokens such as ``[CLS]`` or ``</s>``.
        segment: 0 for the first text, 1 for the second [N]; -1 for added tokens.
        notes: more for a hover text, such as the bytes of a split character.
        texts: the whole text of each segment.
        n_untruncated: number of tokens of the whole text if it was truncated; else None.
    """

    ids: IntArray
    labels: tuple[str, ...]
    offsets: IntArray
    special: BoolArray
    segment: IntArray
    notes: tuple[str, ...]
    texts: tuple[str, ...]
    n_untruncated: int | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class StackInfo:
    """The shape of one stack of attention layers: encoder, decoder or cross.

    Attributes:
        name: "encoder", "decoder" or "cross".
        n_layers: layers of attention.
        n_heads: query heads per layer.
        n_kv_heads: key/value heads per layer.
        causal: whether no token sees a later one.
        d_head: width of a head's queries and keys.
        d_value: width of its values.
    """

    name: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    causal: bool
    d_head: int
    d_value: int


@dataclass(frozen=True)
class ScoreParts:
    """The parts of a query's scores other than q·k.

    Attributes:
        scale: factor of q·k, usually 1/√d_head.
        softcap: c of c·tanh(score/c), applied to the scaled scores; None without.
        bias: added to each key's scaled score [K], by position; None without.
        sink: a learned score in the softmax that belongs to no key; None without.
        allowed: which keys the query may see [K].
    """

    scale: float
    softcap: float | None
    bias: FloatArray | None
    sink: float | None
    allowed: BoolArray


class AttentionStack(Protocol):
    """The interface of one captured stack for views and measures (see ``stack.Stack``)."""

    name: str
    n_layers: int
    n_heads: int
    n_kv_heads: int
    causal: bool
    query_tokens: Tokens
    key_tokens: Tokens

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> FloatArray:
        """Weights [Q, K] of one head, or [H, Q, K] of a layer's heads; of ``rows`` only."""
        ...

    def allowed(self, layer: int, rows: slice | None = None) -> BoolArray:
        """Which keys each query may see [Q, K]; False where masked."""
        ...

    def q(self, layer: int, head: int) -> FloatArray:
        """Query vectors [Q, d] as they enter the scores."""
        ...

    def k(self, layer: int, head: int) -> FloatArray:
        """Key vectors [K, d] that a query head reads."""
        ...

    def v(self, layer: int, head: int) -> FloatArray:
        """Value vectors [K, d_v] that a query head reads."""
        ...

    def scores(self, layer: int, head: int) -> FloatArray:
        """Inputs of the softmax [Q, K], without the mask."""
        ...

    def projected(self, layer: int, heads: FloatArray) -> FloatArray:
        """The model's own W_O [Q, D] applied to all heads' mixed values [Q, H·d_v]."""
        ...

    def head_output(self, layer: int, head: int) -> FloatArray:
        """One head's contribution to the attention block's output [Q, D]: A·v·W_O."""
        ...

    def score_parts(self, layer: int, head: int, query: int) -> ScoreParts:
        """The parts of one query's scores other than q·k."""
        ...

    def transformed_values(self, layer: int, head: int | None = None) -> FloatArray:
        """Each key's value through W_O, for one head [K, D] or a layer's heads [H, K, D]."""
        ...

    def output_bias(self, layer: int) -> FloatArray:
        """The output projection's bias [D], zeros where it has none."""
        ...

    @property
    def residual(self) -> str:
        """How attention's output joins the residual stream (``architectures.attention_residual``)."""
        ...

    @property
    def hidden(self) -> FloatArray:
        """Residual stream [L+1, N, D]."""
        ...

    @property
    def static(self) -> FloatArray:
        """The tokens' rows of the embedding table [N, D]."""
        ...


class CapturedText(Protocol):
    """The interface of a capture for views (see ``capture.Capture``)."""

    model_name: str
    revision: str | None
    text: str
    pair: str | None
    stacks: tuple[str, ...]

    def stack(self, name: str | None = None) -> AttentionStack:
        """One stack; None means the only one, or the first."""
        ...

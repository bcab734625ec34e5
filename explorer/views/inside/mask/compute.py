"""The other mask as a thought experiment, and the real effect of right context on a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import BoolArray, CapturedText, FloatArray, HeadMap, ModelError, RightContext
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.inside.mask import MaskSettings

MOST_TOKENS = 512


@dataclass(frozen=True)
class Masks:
    """A head's map under both masks, and the effect of right context on one token.

    Attributes:
        own: the model's own map.
        other: the same scores under the mask that the model does not have.
        query: the token, counted from 0.
        curves: computes the effect of right context in this model and in another; raises
            ValueError and ModelError.
    """

    own: HeadMap
    other: HeadMap
    query: int
    curves: Callable[[], list[RightContext]]

    @property
    def source(self) -> Source:
        """The model and the text of both maps."""
        return self.own.source

    def curves_or_error(self) -> tuple[list[RightContext], str]:
        """The curves, or none and the error message."""
        try:
            return self.curves(), ""
        except (ValueError, ModelError) as error:
            return [], str(error)


def compute(session: Session, settings: MaskSettings, progress: Progress | None = None) -> Masks:
    """Both maps; the curves are computed on demand.

    Raises:
        ValueError: a query out of range; see ``other_mask``.
    """
    cap = session.capture(settings.request, progress)
    own, other = other_mask(cap, settings.layer, settings.head, settings.stack or None)
    if not 0 <= settings.query < len(own.queries):
        raise ValueError(f"query {settings.query} is out of range: queries are 0 to {len(own.queries) - 1}")
    return Masks(own, other, settings.query, lambda: context_curves(session, settings))


def context_curves(session: Session, settings: MaskSettings) -> list[RightContext]:
    """The chosen token with and without its right context, in this model and in another.

    Raises:
        ValueError: a token without right context, or one that is tokenized differently without it.
        ModelError: a model cannot be loaded.
    """
    whole = session.capture(settings.request)
    if len(whole.stacks) > 1:
        raise ValueError("later context is shown for models with one stack")
    other = settings.other_model.strip() or ("minilm" if whole.stack().causal else "smollm2")
    end = len(cut_after(whole, settings.query))

    def curve(model: str) -> RightContext:
        request = replace(settings.request, model=model, pair="", target="")
        long, short = session.capture(request), session.capture(replace(request, text=settings.text[:end]))
        return right_context(long, short, token_at(long, end))

    return [
        session.get_or_compute(("right context", settings.request, model, end), partial(curve, model))
        for model in (settings.model, other)
    ]


def other_mask(cap: CapturedText, layer: int, head: int, stack: str | None = None) -> tuple[HeadMap, HeadMap]:
    """A head's map, and the same scores under the mask it does not have.

    A causal mask is removed (a window stays, mirrored); an encoder's head gets a causal mask. Scores
    are the model's own: only this softmax is recomputed, nothing else of the model.

    Raises:
        ValueError: cross attention, more than 512 tokens, or layer or head out of range.
        ModelError: captured eagerly, so that scores are not known.
    """
    source = cap.stack(stack)
    if source.name == "cross":
        raise ValueError("cross attention joins two texts, which have no order to mask by")
    if len(source.query_tokens) > MOST_TOKENS:
        raise ValueError(
            f"the text has {len(source.query_tokens):,} tokens; both masks are shown of at most "
            f"{MOST_TOKENS}: shorten it"
        )
    own = head_map(cap, layer, head, stack)
    before = np.tri(len(source.query_tokens), dtype=bool)
    allowed = own.allowed | own.allowed.T if source.causal else own.allowed & before
    sink = source.score_parts(layer, head, 0).sink
    weights = masked_softmax(source.scores(layer, head).astype(np.float64), allowed, sink)
    return own, replace(own, weights=weights.astype(np.float32), allowed=allowed, causal=not source.causal, sinks=())


def masked_softmax(scores: FloatArray, allowed: BoolArray, sink: float | None = None) -> FloatArray:
    """Softmax of scores [Q, K] over the allowed keys; a learned sink is in the sum only."""
    masked = np.where(allowed, scores, -np.inf)
    largest = masked.max(axis=1, keepdims=True)
    if sink is not None:
        largest = np.maximum(largest, sink)
    exponentials = np.exp(masked - largest)
    total = exponentials.sum(axis=1, keepdims=True)
    return exponentials / (total if sink is None else total + np.exp(sink - largest))


def cut_after(cap: CapturedText, query: int, stack: str | None = None) -> str:
    """The text up to the end of a token.

    Raises:
        ValueError: a token the tokenizer added, a second text's, or the text's last one.
    """
    tokens = cap.stack(stack).query_tokens
    label, end = tokens.labels[query], int(tokens.offsets[query][1])
    if tokens.special[query] or tokens.segment[query] != 0:
        raise ValueError(f"“{label}” is no token of the first text: choose one that is")
    if not cap.text[end:].strip():
        raise ValueError(f"nothing comes after “{label}”: choose an earlier token")
    return cap.text[:end]


def token_at(cap: CapturedText, end: int, stack: str | None = None) -> int:
    """The token of the first text that contains the character before ``end``.

    Raises:
        ValueError: no token does.
    """
    tokens = cap.stack(stack).query_tokens
    inside = (tokens.offsets[:, 0] < end) & (end <= tokens.offsets[:, 1]) & (tokens.segment == 0)
    if not inside.any():
        raise ValueError(f"no token of {cap.model_name} ends there")
    return int(np.flatnonzero(inside)[-1])


def right_context(whole: CapturedText, cut: CapturedText, query: int) -> RightContext:
    """Cosines, by layer, of a token in the whole text with the same token at the end of the cut text.

    Raises:
        ValueError: the cut text has other tokens.
    """
    source, shorter = whole.stack(), cut.stack()
    first = slice(0, query + 1)
    if not np.array_equal(source.query_tokens.ids[first], shorter.query_tokens.ids[first]):
        raise ValueError(
            f"cut after “{source.query_tokens.labels[query]}” the text is read as other tokens: "
            "choose a token that ends a word"
        )
    long, short = (one.hidden[:, query].astype(np.float64) for one in (source, shorter))
    lengths = np.linalg.norm(long, axis=1) * np.linalg.norm(short, axis=1)
    return RightContext(
        source=Source.of(whole),
        label=source.query_tokens.labels[query],
        causal=source.causal,
        cosines=(long * short).sum(axis=1) / lengths,
    )

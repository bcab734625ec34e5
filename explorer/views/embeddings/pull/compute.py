"""The pull of a head: what every token adds to a word's vector, as arrows in the word's plane."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from explorer.analysis.measures.blocks import Sides
from explorer.analysis.projection import turn
from explorer.capture.loading import Progress
from explorer.records import (
    Arrow,
    AttentionStack,
    CapturedText,
    FloatArray,
    Occurrence,
    PlaneOptions,
    Pull,
    PullPlane,
    WordProjection,
    WordStudy,
)
from explorer.records.pull import BIAS, KINDS
from explorer.records.source import Source
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.text.words import pieces_of
from explorer.views.embeddings.embeddings.compute import check_layer, plane_options, projections_of
from explorer.views.embeddings.pull import ALL, SEEN, PullSettings
from explorer.views.embeddings.study import check_occurrence, study_of

_REACH = 0.45  # of the picture that the longest arrow is to take where arrows are drawn longer
_LEAST_SPREAD = 1e-10  # share of the variance


@dataclass(frozen=True)
class WordPull:
    """A pull and its plane, the arrows ``times`` as long as they are."""

    study: WordStudy
    pulled: Pull
    plane: PullPlane
    times: int

    @property
    def source(self) -> Source:
        """The model and the sentence."""
        return self.pulled.source


def compute(session: Session, settings: PullSettings, progress: Progress | None = None) -> WordPull:
    """The pull on an occurrence; of the last block where the layer is the result, which none reads.

    Raises:
        ValueError: an unusable sentence, word or layer, or an unknown head or occurrence.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    study = study_of(session, settings.study, progress)
    check_layer(study, settings.layer)
    layer = min(settings.layer, len(study.contextual) - 2)
    cap = sentence_of(session, study, settings)
    heads = [ALL, *map(str, range(cap.stack().n_heads))]
    if settings.head not in heads:
        raise ValueError(f"head={settings.head} is not a choice: use {', '.join(heads)}")
    head = None if settings.head == ALL else int(settings.head)
    pulled = pull(cap, study.occurrences[settings.pull_on], layer, head)
    shown = projections_of(session, settings.study, with_arrows(plane_options(settings)), layer)[layer]
    arrows = pull_plane(settings.pull_on, pulled, shown)
    return WordPull(study, pulled, arrows, stretch(arrows) if settings.arrow_length == SEEN else 1)


def sentence_of(session: Session, study: WordStudy, settings: PullSettings) -> CapturedText:
    """The pulled occurrence's sentence, as the study read it.

    Raises:
        ValueError: no such occurrence.
    """
    check_occurrence(study, "pull_on", settings.pull_on)
    text = study.occurrences[settings.pull_on].text
    target = text if session.model(settings.model).is_encoder_decoder else ""
    return session.capture(TextRequest(settings.model, text, target=target))


def with_arrows(options: PlaneOptions) -> PlaneOptions:
    """The plane's options, without those in which a difference of vectors has no place."""
    normalise = "none" if options.normalise == "unit" else options.normalise
    return replace(options, method="pca", normalise=normalise)


def pull(cap: CapturedText, occurrence: Occurrence, layer: int, head: int | None = None) -> Pull:
    """What every token gives one occurrence of a word: A[q,k]·v_k·W_O.

    Summed over tokens it is what the head gives at the word (``head_output``), over heads and
    with the output bias what the attention block's output projection gives (Elhage et al.
    2021, "A Mathematical Framework for Transformer Circuits"; Kobayashi et al. 2020).

    Attention ``layer`` reads ``hidden[layer]``; ``head`` None is all heads of the layer together.

    Raises:
        ValueError: a layer or head out of range, or a word with no token of its own.
        ModelError: the model was captured eagerly, so that values are not known.
    """
    source = cap.stack()
    source.attention(layer, head, slice(0, 1))  # raises if there is no such layer or head
    pieces = pieces_of(source.query_tokens, occurrence.span)
    if not pieces:
        raise ValueError(f"the word has no token of its own in “{cap.text}”")
    hidden = source.hidden[layer]
    weights = np.empty((source.n_heads, len(source.key_tokens)))
    heads = np.empty((source.n_heads, hidden.shape[1]))
    together = np.zeros((weights.shape[1], hidden.shape[1]))
    value_norms = np.full(weights.shape[1], np.nan)
    for number in range(source.n_heads):
        values = source.transformed_values(layer, number).astype(np.float64)
        weights[number] = _word_weights(source, layer, number, pieces)
        heads[number] = weights[number] @ values
        if head in (None, number):
            together += weights[number][:, None] * values
        if head == number:
            value_norms = np.linalg.norm(values, axis=1)
    return Pull(
        source=Source(cap.model_name, cap.revision, cap.text),
        occurrence=occurrence,
        layer=layer,
        head=head,
        labels=source.key_tokens.labels,
        kinds=_kinds(source, pieces),
        allowed=np.any(source.allowed(layer, slice(pieces[0], pieces[-1] + 1)), axis=0),
        weights=weights.mean(axis=0) if head is None else weights[head],
        value_norms=value_norms,
        contributions=together,
        bias=source.output_bias(layer).astype(np.float64),
        heads=heads,
        before=hidden[pieces].mean(axis=0, dtype=np.float64),
        residual=source.residual,
    )


def _word_weights(source: AttentionStack, layer: int, head: int, pieces: list[int]) -> FloatArray:
    """A word's weight on each token [K]: the mean of its pieces'."""
    rows = source.attention(layer, head, slice(pieces[0], pieces[-1] + 1))
    return np.asarray(rows[np.array(pieces) - pieces[0]].mean(axis=0, dtype=np.float64))


def _kinds(source: AttentionStack, pieces: list[int]) -> tuple[str, ...]:
    """What each token is to the word; a causal model's first token is a kind of its own."""
    keys = source.key_tokens
    marks = Sides(source.query_tokens, keys, cross=False).punctuation
    own, words, punctuation, special, first = KINDS
    return tuple(
        own
        if index in pieces
        else special
        if keys.special[index]
        else first
        if source.causal and index == 0
        else punctuation
        if marks[index]
        else words
        for index in range(len(keys))
    )


def pull_plane(place: int, pulled: Pull, shown: WordProjection) -> PullPlane:
    """A pull in the plane that shows the word at the layer which the block reads.

    Arrows are differences of vectors: the basis's mean is not taken from them. Of three axes
    the first two are taken.

    ``place`` is the pulled occurrence of the study, ``shown`` the study at ``pulled.layer``.

    Raises:
        ValueError: a basis that scales each vector to length 1, or no basis (t-SNE).
    """
    if shown.basis is None:
        raise ValueError("t-SNE has no axes that an arrow could be brought to: use PCA")
    basis = shown.basis
    # Rounding alone would choose an axis without variance.
    spreads = basis.explained_variance[:2] > _LEAST_SPREAD

    def projected(vector: FloatArray) -> _Projected:
        whole = float(np.linalg.norm(vector / basis.scale))
        x, y = (turn(basis, vector)[:2] * spreads).tolist()
        return _Projected(vector, x, y, math.hypot(x, y) / whole if whole else None)

    total = projected(pulled.total)
    arrows = [
        _arrow(label, kind, projected(vector), total, float(weight), _number(norm))
        for label, kind, vector, weight, norm, allowed in zip(
            pulled.labels,
            pulled.kinds,
            pulled.contributions,
            pulled.weights,
            pulled.value_norms,
            pulled.allowed,
            strict=True,
        )
        if allowed
    ]
    if pulled.head is None and pulled.bias.any():
        arrows.append(_arrow(BIAS, BIAS, projected(pulled.bias), total))
    return PullPlane(
        points=shown.points[:, :2],
        static=shown.static[:, :2],
        place=place,
        arrows=tuple(sorted(arrows, key=lambda arrow: -arrow.length)),
        total=_arrow("the sum", "the sum", total, total),
        attention=_arrow("attention", "attention", projected(pulled.attention), total),
        heads=np.linalg.norm(pulled.heads, axis=1),
        heads_seen=np.linalg.norm(turn(basis, pulled.heads)[:, :2] * spreads, axis=1),
        explained_variance=basis.explained_variance[:2],
        fit=shown.fit,
        warnings=shown.warnings,
    )


@dataclass(frozen=True)
class _Projected:
    """A vector, its arrow in the plane, and the share of its length that the plane shows."""

    vector: FloatArray
    x: float
    y: float
    seen: float | None


def _arrow(
    label: str,
    kind: str,
    own: _Projected,
    total: _Projected,
    weight: float | None = None,
    value_norm: float | None = None,
) -> Arrow:
    length, sum_length = (float(np.linalg.norm(one.vector)) for one in (own, total))
    along = float(own.vector @ total.vector)
    return Arrow(
        label,
        kind,
        weight,
        value_norm,
        length,
        seen=own.seen,
        cosine=along / (length * sum_length) if length and sum_length else None,
        share=along / sum_length**2 if sum_length else None,
        x=own.x,
        y=own.y,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def pull_rows(plane: PullPlane) -> list[dict[str, Any]]:
    """The arrows as a table's rows, strongest first, and their sum."""
    return [asdict(arrow) for arrow in (*plane.arrows, plane.total)]


def stretch(plane: PullPlane) -> int:
    """How many times their length arrows are drawn to be seen: 1, 2, … 9, 10, 20 and so on."""
    spread = float(np.ptp(np.concatenate([plane.points, plane.static]), axis=0).max())
    longest = max(math.hypot(arrow.x, arrow.y) for arrow in (*plane.arrows, plane.total))
    if not longest or not spread:
        return 1
    factor = max(1.0, _REACH * spread / longest)
    power = 10 ** math.floor(math.log10(factor))
    return int(factor // power * power)

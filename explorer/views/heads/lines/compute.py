"""The lines view: the strongest weights of some heads as lines from queries to keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import CapturedText, FloatArray, HeadLines, HeadMap, IntArray, MapOptions
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import AS_CAPTURED, head_map, options_of
from explorer.views.heads.lines import MAX_HEADS, MAX_LINES, LinesSettings


def compute(session: Session, settings: LinesSettings, progress: Progress | None = None) -> HeadLines:
    """The strongest weights of the chosen heads.

    Raises:
        ValueError: a choice the model or the view does not have.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(settings.request, progress)
    return head_lines(
        cap,
        settings.layer,
        heads_of(settings),
        settings.stack or None,
        options_of(settings, cap.pair),
        settings.threshold,
        settings.count,
    )


def heads_of(settings: LinesSettings) -> list[int]:
    """The chosen head first, then the further ones, each once.

    Raises:
        ValueError: a further head that is not a number.
    """
    named = [name for name in settings.other_heads.split(",") if name]
    if not all(name.isdecimal() for name in named):
        raise ValueError(f"other_heads={settings.other_heads} is not a list of heads: write numbers, as 1,5")
    return list(dict.fromkeys([settings.head, *map(int, named)]))[:MAX_HEADS]


def head_lines(
    cap: CapturedText,
    layer: int,
    heads: Sequence[int],
    stack: str | None = None,
    switches: MapOptions = AS_CAPTURED,
    threshold: float = LinesSettings.threshold,
    count: int = LinesSettings.count,
) -> HeadLines:
    """The strongest weights of some heads, strongest first.

    Args:
        cap: the captured text.
        layer: counted from 0.
        heads: which heads of the layer, counted from 0; one named twice is drawn once.
        stack: "encoder", "decoder" or "cross"; None means the only or first one.
        switches: which words, tokens and part are drawn; the lines are always of each head's
            own attention weights.
        threshold: the least weight that becomes a line.
        count: the most lines, over all heads.

    Raises:
        ValueError: a layer, head or stack the model does not have, no head or more than
            seven, a threshold outside 0…1, or a count outside 1…2,000.
    """
    chosen = tuple(dict.fromkeys(heads))
    _check(chosen, threshold, count)
    switches = replace(switches, aggregate="head", heads=(), norm=False)
    maps = [head_map(cap, layer, head, stack, switches) for head in chosen]
    found = [_strongest(drawn, threshold, count) for drawn in maps]
    weights = np.concatenate([strongest for strongest, _, _ in found])
    cells = np.concatenate([places for _, places, _ in found])
    owners = np.repeat(np.arange(len(chosen)), [len(strongest) for strongest, _, _ in found])
    order = np.argsort(-weights, kind="stable")[:count]
    weights, cells, owners = weights[order], cells[order], owners[order]
    like = maps[0]
    return HeadLines(
        source=like.source,
        stack=like.stack,
        layer=layer,
        heads=chosen,
        queries=like.queries,
        keys=like.keys,
        query_notes=like.query_notes,
        key_notes=like.key_notes,
        causal=like.causal,
        switches=switches,
        line_heads=owners,
        line_queries=cells[:, 0],
        line_keys=cells[:, 1],
        weights=weights,
        threshold=threshold,
        count=count,
        above=sum(above for _, _, above in found),
        shares=tuple(_share(weights[owners == place], drawn.weights) for place, drawn in enumerate(maps)),
    )


def _check(heads: Sequence[int], threshold: float, count: int) -> None:
    if not 1 <= len(heads) <= MAX_HEADS:
        raise ValueError(f"{len(heads)} heads were chosen: choose 1 to {MAX_HEADS}, as many as colours can tell apart")
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold {threshold} is no weight: use a number from 0 to 1")
    if not 1 <= count <= MAX_LINES:
        raise ValueError(f"{count} lines were asked for: use a number from 1 to {MAX_LINES:,}")


def _strongest(drawn: HeadMap, threshold: float, count: int) -> tuple[FloatArray, IntArray, int]:
    """The ``count`` largest weights of a map, their cells [n, 2], and how many reach the bar."""
    cells = np.argwhere(drawn.allowed & (drawn.weights >= threshold) & (drawn.weights > 0))
    weights = drawn.weights[cells[:, 0], cells[:, 1]]
    above = len(weights)
    if above > count:
        # Equal weights at the limit are all kept here; the order of all heads decides.
        least = np.partition(weights, above - count)[above - count]
        cells, weights = cells[weights >= least], weights[weights >= least]
    return weights, cells, above


def _share(drawn: FloatArray, weights: FloatArray) -> float:
    total = float(weights.sum(dtype=float))
    return float(drawn.sum(dtype=float)) / total if total else 0.0

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
    """The chosen head and then the other ones, without repeats.

    Raises:
        ValueError: another head that is not a number.
    """
    names = [name for name in settings.other_heads.split(",") if name]
    if not all(name.isdecimal() for name in names):
        raise ValueError(f"other_heads={settings.other_heads} is not a list of heads: write numbers, as 1,5")
    return list(dict.fromkeys([settings.head, *map(int, names)]))[:MAX_HEADS]


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

    The lines are always of each head's own attention weights; of ``switches`` only words, special
    tokens and part apply. ``threshold`` is the least weight of a line, and ``count`` the most lines
    of all heads together.

    Raises:
        ValueError: a layer, head or stack the model does not have, no head or more than
            seven, a threshold outside 0…1, or a count outside 1…2,000.
    """
    chosen = tuple(dict.fromkeys(heads))
    if not 1 <= len(chosen) <= MAX_HEADS:
        raise ValueError(
            f"{len(chosen)} heads were chosen: choose 1 to {MAX_HEADS}, as many as colours can tell apart"
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold {threshold} is not a weight: use a number from 0 to 1")
    if not 1 <= count <= MAX_LINES:
        raise ValueError(f"{count} lines were requested: use a number from 1 to {MAX_LINES:,}")
    switches = replace(switches, aggregate="head", heads=(), norm=False)
    maps = [head_map(cap, layer, head, stack, switches) for head in chosen]
    strongest = [_strongest(one, threshold, count) for one in maps]
    weights = np.concatenate([weights for weights, _, _ in strongest])
    cells = np.concatenate([cells for _, cells, _ in strongest])
    line_heads = np.repeat(np.arange(len(chosen)), [len(weights) for weights, _, _ in strongest])
    order = np.argsort(-weights, kind="stable")[:count]
    weights, cells, line_heads = weights[order], cells[order], line_heads[order]
    first = maps[0]
    return HeadLines(
        source=first.source,
        stack=first.stack,
        layer=layer,
        heads=chosen,
        queries=first.queries,
        keys=first.keys,
        query_notes=first.query_notes,
        key_notes=first.key_notes,
        causal=first.causal,
        switches=switches,
        line_heads=line_heads,
        line_queries=cells[:, 0],
        line_keys=cells[:, 1],
        weights=weights,
        threshold=threshold,
        count=count,
        above=sum(above for _, _, above in strongest),
        shares=tuple(_share(weights[line_heads == place], one.weights) for place, one in enumerate(maps)),
    )


def _strongest(head: HeadMap, threshold: float, count: int) -> tuple[FloatArray, IntArray, int]:
    """The ``count`` largest weights of a map, their cells [n, 2], and how many reach the threshold."""
    cells = np.argwhere(head.allowed & (head.weights >= threshold) & (head.weights > 0))
    weights = head.weights[cells[:, 0], cells[:, 1]]
    above = len(weights)
    if above > count:
        # All weights equal to the last stay here; the order over all heads decides.
        least = np.partition(weights, above - count)[above - count]
        cells, weights = cells[weights >= least], weights[weights >= least]
    return weights, cells, above


def _share(lines: FloatArray, weights: FloatArray) -> float:
    total = float(weights.sum(dtype=float))
    return float(lines.sum(dtype=float)) / total if total else 0.0

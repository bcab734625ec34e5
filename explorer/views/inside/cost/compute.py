"""Memory and operations of a model's attention, by context length, batch, precision and sharing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from explorer.analysis.measures import cost
from explorer.capture.loading import Progress
from explorer.records import AttentionShape, CacheCost, Costs, CostSettings, Growth, ModelShape, Sharing
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.inside.cost import CostViewSettings

OWN = "own"
_POINTS = 121  # of a curve


def compute(session: Session, settings: CostViewSettings, progress: Progress | None = None) -> Costs:
    """Memory and operations of a model's attention.

    Raises:
        ValueError: a head the model does not have; see ``costs``.
    """
    model = session.model(settings.model, progress)
    calculator = CostSettings(settings.tokens, settings.batch, settings.precision, settings.sharing)
    record = costs(model.shape(), calculator, model.revision)
    n_heads = record.shape.cached[0].n_heads
    if not 0 <= settings.head < n_heads:
        raise ValueError(f"head {settings.head} is out of range: heads are 0 to {n_heads - 1}")
    return record


def costs(shape: ModelShape, settings: CostSettings, revision: str | None = None) -> Costs:
    """Everything that the calculator computes for a model.

    Raises:
        ValueError: an unusable context length, batch, precision or sharing.
    """
    cost.check_cost(settings.n_tokens, settings.batch, settings.precision)
    lengths = np.unique(np.geomspace(1, cost.MOST_TOKENS, _POINTS).round().astype(np.int64))

    n_tokens, batch, precision = settings.n_tokens, settings.batch, settings.precision

    def growth(of: Callable[[AttentionShape, int], int], stacks: tuple[AttentionShape, ...]) -> Growth:
        def at(n_tokens: int) -> int:
            return sum(of(stack, n_tokens) for stack in stacks)

        return Growth(at(n_tokens), np.array([at(n) for n in lengths.tolist()], float))

    def cache(sharing: Sharing) -> CacheCost:
        stacks = tuple(stack.shared(sharing.n_kv_heads) for stack in shape.cached)
        total = growth(lambda stack, n: cost.cache_bytes(stack, n, batch, precision), stacks)
        per_token = sum(cost.cache_bytes_per_token(stack, precision) for stack in stacks)
        return CacheCost(sharing, per_token, total.total, total.curve)

    return Costs(
        source=Source(shape.model, revision),
        shape=shape,
        settings=settings,
        lengths=lengths,
        caches=tuple(cache(sharing) for sharing in sharings(shape.cached[0], settings.sharing)),
        weights=cost.bytes_of(shape.n_parameters, precision),
        maps=growth(cost.map_bytes, shape.stacks),
        vectors=growth(lambda stack, n: cost.vector_bytes(stack, n, shape.dtype), shape.stacks),
        captured=round(n_tokens * shape.per_token + n_tokens**2 * shape.per_cell),
        forward=growth(cost.forward_operations, shape.stacks),
        needed=sum(cost.needed_operations(stack, n_tokens) for stack in shape.stacks),
        step=growth(cost.step_operations, shape.cached) if shape.keeps_cache else None,
    )


def sharings(shape: AttentionShape, chosen: str = OWN) -> tuple[Sharing, ...]:
    """The sharings that are compared, most key/value heads first.

    Multi-head, multi-query, the model's own and the chosen one; where none of these is in
    between, the grouping nearest √H as an example.

    Args:
        shape: of one stack.
        chosen: "own", or a number of key/value heads.

    Raises:
        ValueError: a number that the query heads cannot share evenly.
    """
    possible = cost.possible_kv_heads(shape.n_heads)
    if chosen != OWN and chosen not in map(str, possible):
        raise ValueError(
            f"{shape.n_heads} query heads cannot share {chosen} key/value heads evenly: use {OWN}, "
            f"{', '.join(map(str, possible))}"
        )
    requested = shape.n_kv_heads if chosen == OWN else int(chosen)
    counts = {shape.n_heads, shape.n_kv_heads, requested, 1}
    between = possible[1:-1]
    if between and not counts & set(between):
        counts.add(min(between, key=lambda n: abs(n - math.sqrt(shape.n_heads))))
    return tuple(
        Sharing(kind_of(n, shape.n_heads), n, n == shape.n_kv_heads, n == requested)
        for n in sorted(counts, reverse=True)
    )


def kind_of(n_kv_heads: int, n_heads: int) -> str:
    """The name of attention with so many key/value heads for so many query heads."""
    if n_kv_heads == n_heads:
        return "multi-head"
    return "multi-query" if n_kv_heads == 1 else "grouped"


def sharing_options(shape: AttentionShape) -> dict[str, str]:
    """The possible sharings, value to label: the model's own, and all others by their number."""
    own = f"its own: {kind_of(shape.n_kv_heads, shape.n_heads)}, {shape.n_kv_heads}"
    others = [n for n in cost.possible_kv_heads(shape.n_heads) if n != shape.n_kv_heads]
    return {OWN: own, **{str(n): f"{kind_of(n, shape.n_heads)}, {n}" for n in others}}

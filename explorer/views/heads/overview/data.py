"""The picture of all heads to files: their small maps, or a number each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.figures.caption import cut, of_text
from explorer.figures.figure_style import SizedFigure
from explorer.figures.style import SEQUENTIAL, literal, model_label, title
from explorer.records import CapturedText, HeadNumbers, HeadsOverview, IntArray
from explorer.records.source import truncation
from explorer.records.table import Table
from explorer.saving.formats import versions
from explorer.views.heads.overview.compute import distinct_cells
from explorer.views.heads.overview.figure import measure_figure, numbers_caption, overview_caption, overview_figure

_CELL = 52  # pixels a head


def maps_json(cap: CapturedText, overview: HeadsOverview, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the small maps show.

    ``maps`` [L][H][q][k] is 0…1: the square root of a weight over the head's largest. A cell is
    a query and a key, of a text of more than 28 tokens the largest weight of a block of them:
    ``map_queries`` and ``map_keys`` are the first tokens of each row and column.

    Args:
        cap: the captured text.
        overview: its heads' small maps.
        settings: what else was chosen (device, dtype, target text, …).
    """
    cells, queries, keys = distinct_cells(overview)
    return {
        **_about(cap, overview.stack),
        "scale": "square root of weight ÷ the head’s largest weight",
        "maps": cells.tolist(),
        "map_queries": queries.tolist(),
        "map_keys": keys.tolist(),
        **_settings(cap, overview.stack, settings),
    }


def numbers_json(
    cap: CapturedText, stack: str, numbers: HeadNumbers, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A number a head: ``values`` [L][H], with their name and unit.

    Args:
        cap: the captured text.
        stack: of which stack.
        numbers: what is shown of each head.
        settings: what else was chosen (device, dtype, target text, …).
    """
    return {
        **_about(cap, stack),
        "name": numbers.name,
        "unit": numbers.unit,
        "values": numbers.values.tolist(),
        **_settings(cap, stack, settings),
    }


def _about(cap: CapturedText, stack: str) -> dict[str, Any]:
    source = cap.stack(stack)
    return {
        "kind": "overview",
        "model": cap.model_name,
        "revision": cap.revision,
        "stack": source.name,
        "causal": source.causal,
        "text": cap.text,
        "pair": cap.pair,
        "queries": list(source.query_tokens.labels),
        "keys": list(source.key_tokens.labels),
    }


def _settings(cap: CapturedText, stack: str, settings: Mapping[str, Any] | None) -> dict[str, Any]:
    told = {"truncation": truncation(cap.stack(stack)) or None, **(settings or {})}
    return {"settings": told, "versions": versions()}


def maps_table(cap: CapturedText, overview: HeadsOverview) -> Table:
    """A row a cell of a small map: layer, head, the tokens it is of, and what it shows.

    Of a truncated text a last, empty column is headed by what was left out.
    """
    source = cap.stack(overview.stack)
    cells, queries, keys = distinct_cells(overview)
    rows, columns = (_blocks(source.query_tokens.labels, queries), _blocks(source.key_tokens.labels, keys))
    header = ["layer", "head", "query", "key", "square root of weight ÷ largest"]
    table = Table.of(
        header,
        (
            [layer, head, query, key, value]
            for layer, heads in enumerate(cells.tolist())
            for head, small in enumerate(heads)
            for query, weights in zip(rows, small, strict=True)
            for key, value in zip(columns, weights, strict=True)
        ),
    )
    return table.cut(truncation(source))


def _blocks(labels: tuple[str, ...], starts: IntArray) -> list[str]:
    """How blocks of tokens are called: by their first and last."""
    ends = [*starts[1:], len(labels)]
    names = [(labels[first], labels[end - 1]) for first, end in zip(starts, ends, strict=True)]
    return [first if first == last else f"{first} … {last}" for first, last in names]


def numbers_table(cap: CapturedText, stack: str, numbers: HeadNumbers) -> Table:
    """A row a head: layer, head, its number.

    Of a truncated text a last, empty column is headed by what was left out.
    """
    table = Table.of(
        ["layer", "head", numbers.name],
        (
            [layer, head, value]
            for layer, values in enumerate(numbers.values.tolist())
            for head, value in enumerate(values)
        ),
    )
    return table.cut(truncation(cap.stack(stack)))


def maps_picture(
    cap: CapturedText, overview: HeadsOverview, palette: str = SEQUENTIAL, theme: str = "light"
) -> SizedFigure:
    """The small maps with a caption, each large enough to be read."""
    figure = overview_figure(overview, theme, palette=palette)
    figure.update_layout(title=title(f"{literal(_name(cap, overview.stack))} · all heads"))
    caption = (
        f"All heads of {_name(cap, overview.stack)}, layers down: queries down and keys across "
        f"in each. {overview_caption(overview)} {_of(cap, overview.stack)}"
    )
    n_layers, n_heads = overview.tiles.shape[:2]
    return SizedFigure(figure, caption, _CELL * n_heads + 80, _CELL * n_layers + 90)


def numbers_picture(
    cap: CapturedText, stack: str, numbers: HeadNumbers, palette: str = SEQUENTIAL, theme: str = "light"
) -> SizedFigure:
    """A number a head as colours, with a caption."""
    shown = HeadNumbers(numbers.values, literal(numbers.name), numbers.unit)
    figure = measure_figure(shown, theme, palette=palette)
    figure.update_layout(title=title(f"{literal(_name(cap, stack))} · {shown.name}"))
    caption = f"{numbers_caption(numbers, _name(cap, stack))} {_of(cap, stack)}"
    n_layers, n_heads = numbers.values.shape
    return SizedFigure(figure, caption, _CELL * n_heads + 180, _CELL * n_layers + 90)


def _of(cap: CapturedText, stack: str) -> str:
    """Which text a caption is of, and what of it."""
    return " ".join([of_text(cap.text, cap.pair), *cut(truncation(cap.stack(stack)))])


def _name(cap: CapturedText, stack: str) -> str:
    return f"{model_label(cap.model_name)}{'' if stack in ('encoder', 'decoder') else f' · {stack}'}"

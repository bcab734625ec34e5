"""The command ``heatmap``: one head's attention map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from explorer.capture import capture
from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import standard_input
from explorer.cli.telling import sayer
from explorer.cli.writing import format_of, write
from explorer.export.formats import to_json
from explorer.export.heatmap import heatmap_json, heatmap_picture, heatmap_table
from explorer.export.pictures import figure_bytes
from explorer.records import MapSwitches
from explorer.views.maps import head_map


def heatmap(
    text: options.Text,
    layer: Annotated[int, typer.Option(help="Layer, counted from 0.")],
    head: Annotated[int, typer.Option(help="Head, counted from 0.")],
    stack: options.Stack = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    words: Annotated[
        bool, typer.Option("--words", help="Merge pieces: a key's summed, a query's averaged.")
    ] = False,
    no_special: Annotated[
        bool, typer.Option("--no-special", help="Leave out special tokens; not renormalised.")
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="Logarithmic colours (PNG, SVG).")] = False,
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: options.Output = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one head's attention map of a text.

    \b
    Example:
      python -m explorer heatmap "She ate an apple." --layer 1 --head 8 -o head.svg
    """  # noqa: D301
    kind = format_of(output, force)
    text = standard_input() if text == "-" else text
    loaded = load(model, device, dtype, revision, quiet)
    cap = capture(loaded, text, pair, target, truncate=truncate)
    drawn = head_map(cap, layer, head, stack, MapSwitches(words=words, special=not no_special))
    if drawn.truncation:
        sayer(quiet)(f"truncated: {drawn.truncation}")
    settings = {"log": log, "target": target, **settings_of(loaded)}
    make: dict[str, Callable[[], str | bytes]] = {
        "json": lambda: to_json(heatmap_json(drawn, settings)),
        "csv": lambda: heatmap_table(drawn).csv(),
        "png": lambda: figure_bytes(heatmap_picture(drawn, log), "png"),
        "svg": lambda: figure_bytes(heatmap_picture(drawn, log), "svg"),
    }
    write(make[kind](), output)

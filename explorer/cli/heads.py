"""The command ``heads``: every measure of every head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from explorer.capture import capture
from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import standard_input
from explorer.cli.telling import progress, sayer
from explorer.cli.writing import format_of, write
from explorer.experiments import nulls_of
from explorer.export.formats import to_json
from explorer.export.heads import TABLES, heads_json, heads_parquet, measures_table
from explorer.measures import compute_all
from explorer.views.table import heads_table


def heads(
    text: options.Text,
    stack: options.Stack = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    nulls: Annotated[
        bool,
        typer.Option("--nulls", help="Also the mean over shuffled tokens, and how far from it."),
    ] = False,
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: options.TableOutput = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write every measure of every head of a text, a row a head.

    \b
    Example:
      python -m explorer heads "She ate an apple." --nulls -o heads.csv
    """  # noqa: D301
    kind = format_of(output, force, TABLES)
    text = standard_input() if text == "-" else text
    loaded = load(model, device, dtype, revision, quiet)
    cap = capture(loaded, text, pair, target, truncate=truncate)
    with progress(quiet, "measuring heads") as tell:
        measured = compute_all(cap, stack, progress=tell)
        shuffled = nulls_of(cap, stack=stack, progress=tell) if nulls else {}
    table = heads_table(cap, measured, shuffled, stack)
    if table.truncation:
        sayer(quiet)(f"truncated: {table.truncation}")
    settings = {"target": target, **settings_of(loaded)}
    make: dict[str, Callable[[], str | bytes]] = {
        "json": lambda: to_json(heads_json(table, settings)),
        "csv": lambda: measures_table(table).csv(),
        "parquet": lambda: heads_parquet(table, settings),
    }
    write(make[kind](), output)

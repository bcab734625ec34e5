"""The command ``heads``: every measure of every head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import sayer
from explorer.cli.writing import outlet
from explorer.export.files import TABLES

if TYPE_CHECKING:
    from explorer.models import Progress


def heads(
    text: options.Text = None,
    *,
    source: options.From = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    stack: options.Stack = None,
    nulls: Annotated[
        bool,
        typer.Option(
            "--nulls",
            help="Also the mean over shuffled tokens, and how far from it.",
            rich_help_panel=options.SHOW,
        ),
    ] = False,
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: Annotated[Path | None, options.output(*TABLES)] = None,
    form: Annotated[str | None, options.format_option(*TABLES)] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write every measure of every head of a text, a row a head.

    \b
    Examples:
      python -m explorer heads "She ate an apple." --nulls -o heads.csv
      printf 'She ate.\\nHe slept.\\n' |
        python -m explorer heads --from - > heads.jsonl
    """  # noqa: D301
    from explorer.capture import capture
    from explorer.experiments import nulls_of
    from explorer.export.formats import to_json
    from explorer.export.heads import heads_json, heads_parquet, measures_table
    from explorer.measures import compute_all
    from explorer.views.table import heads_table

    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts, TABLES)
    loaded = load(model, device, dtype, revision, quiet)
    settings = {"target": target, **settings_of(loaded)}

    def content(one: GivenText, tell: Progress | None) -> str | bytes:
        cap = capture(loaded, one.text, pair, target, truncate=truncate)
        measured = compute_all(cap, stack, progress=tell)
        shuffled = nulls_of(cap, stack=stack, progress=tell) if nulls else {}
        table = heads_table(cap, measured, shuffled, stack)
        if table.truncation:
            sayer(quiet)(f"{one.place}truncated: {table.truncation}")
        make: dict[str, Callable[[], str | bytes]] = {
            "json": lambda: to_json(heads_json(table, settings)),
            "csv": lambda: measures_table(table).csv(),
            "parquet": lambda: heads_parquet(table, settings),
        }
        return make[out.kind]()

    write_each(texts, out, content, quiet)

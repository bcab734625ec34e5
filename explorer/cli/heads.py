"""The command ``heads``: every measure of every head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import say_cut, sayer
from explorer.cli.writing import outlet
from explorer.saving.files import TABLES

if TYPE_CHECKING:
    from explorer.capture.loading import Progress


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
            "--nulls", help="Also the mean over shuffled tokens, and how far from it.", rich_help_panel=options.SHOW
        ),
    ] = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also induction on two copies of random tokens, as the column probe.",
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
    from explorer.saving.parquet import heads_parquet
    from explorer.saving.save import record, result_of, saved
    from explorer.views.heads.heads import VIEW, HeadsSettings

    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts, TABLES)
    session = session_with(model, device, dtype, revision, quiet)
    chosen = HeadsSettings(
        model=model,
        pair=pair or "",
        target=target or "",
        truncate=truncate,
        stack=stack or "",
        nulls=nulls,
        probe=probe,
    )

    def content(one: GivenText, progress: Progress | None) -> bytes:
        view = VIEW.make(session, replace(chosen, text=one.text), progress)
        say_cut(sayer(quiet, one.place), view.truncation)
        if out.kind == "parquet":
            return heads_parquet(result_of(view, record(session, view, "json")))
        return saved(session, view, out.kind)

    write_each(texts, out, content, quiet)

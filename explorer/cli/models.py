"""The command ``models``: what is offered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from explorer.cli.writing import print_out


def models(as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False) -> None:
    """List the models offered, and which of them are here already.

    Any other hub id or folder works as well.

    \b
    Example:
      python -m explorer models --json
    """  # noqa: D301
    from rich.console import Console
    from rich.table import Table

    from explorer.saving.formats import to_json

    rows = list(_offered())
    if as_json:
        print_out("[\n" + ",\n".join(to_json(row).replace("\n", "") for row in rows) + "\n]\n")
        return
    table = Table(box=None, pad_edge=False)
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int) else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    # A table cut to a narrow pipe would lose names.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _offered() -> Iterator[dict[str, Any]]:
    from explorer.models import bundled, hub

    for one in bundled.BUNDLED.values():
        yield {
            "name": one.name,
            "source": "bundled",
            "family": one.family,
            "layers": one.n_layers,
            "heads": one.n_heads,
            "kv_heads": one.n_kv_heads,
            "available": "bundled" if bundled.is_installed(one.name) else "not installed",
        }
    for preset in hub.PRESETS:
        yield {
            "name": preset.repo,
            "source": "hub",
            "family": preset.family,
            "layers": preset.n_layers,
            "heads": preset.n_heads,
            "kv_heads": preset.n_heads,
            "available": "cached" if hub.is_cached(preset.repo) else "hub",
        }

"""The command ``remake``: a file's view made again, and whether its numbers agree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_of_view, told
from explorer.cli.telling import say_cut, sayer
from explorer.cli.writing import print_out


def remake(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="A JSON file that was saved here.")],
    device: Annotated[
        str | None,
        options.choice(
            "auto",
            "cpu",
            "cuda",
            "mps",
            panel=options.MODEL,
            help="Where to run. [default: as the file was made, if that is here]",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON.", rich_help_panel=options.OUTPUT)] = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a saved view again, and tell the largest difference.

    Nothing but the JSON file is needed.

    Exit status 1 if any number differs by more than 0.0001, or any label at all.

    \b
    Examples:
      python -m explorer heatmap "She ate an apple." --layer 1 --head 8 -o head.json
      python -m explorer remake head.json
    """  # noqa: D301
    from explorer.capture.loading import pick_device
    from explorer.records import ModelError
    from explorer.saving.provenance import revisions_in
    from explorer.saving.remake import MOST_APART, opened, view_and_settings
    from explorer.saving.remake import remake as made_again

    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    _, record = opened(data, str(file))
    _, settings, _ = view_and_settings(record, str(file))
    say = sayer(quiet)
    where = device or record.get("device") or "auto"
    try:
        pick_device(where)
    except (ValueError, ModelError):
        if device:
            raise
        say(f"it was made on {where}, which is not here")
        where = "auto"
    dtype = str(record.get("dtype") or "float32")
    session = session_of_view(settings.model, where, dtype, revisions_in(record), quiet)
    with told(session, quiet):
        found = made_again(session, data, str(file))
    say_cut(say, found.view.truncation)
    for remark in found.remarks:
        say(f"not as it was: {remark}")
    if as_json:
        answer = {
            "file": str(file),
            "kind": found.view.spec.name,
            "difference": found.difference if math.isfinite(found.difference) else None,
            "where": found.where,
            "mismatches": list(found.mismatches),
            "agrees": found.agrees,
            "remarks": list(found.remarks),
        }
        print_out(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        at = f" at {found.where}" if found.where else ""
        print_out(f"{found.view.spec.name}: largest difference {found.difference:.3g}{at}\n")
        for place in found.mismatches[:5]:
            print_out(f"differs: {place}\n")
    if not found.agrees:
        say(f"it does not agree: more than {MOST_APART:g} apart, or labels differ")
        raise typer.Exit(1)

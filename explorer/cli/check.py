"""The command ``check``: what must be true of any model, on this one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import texts_to_read
from explorer.cli.telling import progress, say_cut, sayer
from explorer.cli.writing import print_out
from explorer.text.example_sets import OPENING_TEXT

if TYPE_CHECKING:
    from explorer.records import Identity


def check(
    text: Annotated[
        str,
        typer.Argument(
            metavar="[TEXT]", help="The text to read; - reads standard input; without it the page's opening text."
        ),
    ] = OPENING_TEXT,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of lines.", rich_help_panel=options.OUTPUT)
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Check what must be true of any model, on this one.

    A line an identity: its name, the largest error, and ok; ends with status 1 if one fails.

    \b
    Example:
      python -m explorer check "She ate an apple." --model smollm2
    """  # noqa: D301
    from explorer.analysis.identities.report import check_json, failed, verdict
    from explorer.records.source import truncation
    from explorer.saving.formats import to_json
    from explorer.session.identities import identities_of
    from explorer.session.requests import TextRequest
    from explorer.session.versions import versions

    (given,) = texts_to_read(text, None)
    say = sayer(quiet)
    request = TextRequest(model, given.text, pair or "", target or "", truncate)
    session = session_with(model, device, dtype, revision, quiet)
    loaded, cap = session.model(model), session.capture(request)
    say_cut(say, truncation(cap.stack(cap.stacks[-1])))
    with progress(quiet, "checking") as tell:
        found = identities_of(session, request, tell)
    if as_json:
        settings = {
            "target": target,
            "method": loaded.method,
            "method_reason": loaded.method_reason or None,
            "revision": loaded.revision,
            "device": loaded.device,
            "dtype": loaded.dtype,
        }
        print_out(to_json({**check_json(cap, found, settings), "versions": versions()}))
    else:
        print_out("".join(f"{_line(one)}\n" for one in found))
        say(verdict(loaded.name, found))
    if failed(found):
        raise typer.Exit(1)


def _line(one: Identity) -> str:
    """Name, error and ok, and what else there is to say."""
    from explorer.analysis.identities import CLAIMS
    from explorer.analysis.identities.report import where

    width = max(len(claim.title) for claim in CLAIMS.values())
    name = one.claim.title.ljust(width)
    if one.error is None:
        return f"{name}        -  does not apply: {one.why_not}"
    error = f"{one.error:.1e}" if math.isfinite(one.error) else str(one.error)
    told = f"{name}  {error:>7}  {'ok' if one.ok else 'FAILED'}"
    if not one.ok:
        told += f": at most {one.tolerance:g}; largest at {where(one)}"
    return f"{told} ({one.note}: {one.tolerance:g})" if one.note and one.ok else told

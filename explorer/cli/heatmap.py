"""The command ``heatmap``: one head's attention map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import session_with
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import say_cut, sayer
from explorer.cli.writing import outlet

if TYPE_CHECKING:
    from explorer.capture.loading import Progress


def heatmap(
    text: options.Text = None,
    *,
    source: options.From = None,
    pair: options.Pair = None,
    target: options.Target = None,
    truncate: options.Truncate = False,
    layer: options.Layer,
    head: options.Head,
    stack: options.Stack = None,
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Merge pieces: a key's summed, a query's averaged.", rich_help_panel=options.SHOW
        ),
    ] = False,
    no_special: Annotated[
        bool,
        typer.Option("--no-special", help="Leave out special tokens; not renormalised.", rich_help_panel=options.SHOW),
    ] = False,
    log: Annotated[
        bool, typer.Option("--log", help="Logarithmic colours, in pictures.", rich_help_panel=options.SHOW)
    ] = False,
    model: options.Model = "minilm",
    device: options.Device = "auto",
    dtype: options.Dtype = "float32",
    revision: options.Revision = None,
    output: options.Output = None,
    form: options.Format = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Write one head's attention map of a text.

    \b
    Examples:
      python -m explorer heatmap "She ate an apple." --layer 1 --head 8 -o head.svg
      printf 'She ate.\\nHe slept.\\n' |
        python -m explorer heatmap --from - --layer 1 --head 8 -o maps --format csv
    """  # noqa: D301
    from explorer.saving.rendering import renderer
    from explorer.saving.save import saved
    from explorer.views.heads.heatmap import VIEW
    from explorer.views.heads.page import MapSettings

    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts)
    session = session_with(model, device, dtype, revision, quiet)
    chosen = MapSettings(
        model=model,
        pair=pair or "",
        target=target or "",
        truncate=truncate,
        stack=stack or "",
        layer=layer,
        head=head,
        words=words,
        special=not no_special,
        log=log,
    )

    def content(one: GivenText, _tell: Progress | None) -> bytes:
        say = sayer(quiet, one.place)
        computed = VIEW.make(session, replace(chosen, text=one.text))
        say_cut(say, computed.truncation)
        return saved(session, computed, out.kind, draw=draw, tell=say)

    with renderer() as draw:
        write_each(texts, out, content, quiet)

"""The command ``heatmap``: one head's attention map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli import options
from explorer.cli.loading import load, settings_of
from explorer.cli.reading import GivenText, texts_to_read
from explorer.cli.several import write_each
from explorer.cli.telling import sayer
from explorer.cli.writing import outlet

if TYPE_CHECKING:
    from explorer.models import Progress


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
            "--words",
            help="Merge pieces: a key's summed, a query's averaged.",
            rich_help_panel=options.SHOW,
        ),
    ] = False,
    no_special: Annotated[
        bool,
        typer.Option(
            "--no-special",
            help="Leave out special tokens; not renormalised.",
            rich_help_panel=options.SHOW,
        ),
    ] = False,
    log: Annotated[
        bool,
        typer.Option(
            "--log", help="Logarithmic colours, in pictures.", rich_help_panel=options.SHOW
        ),
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
    from explorer.capture import capture
    from explorer.export.files import PICTURES
    from explorer.export.formats import to_json
    from explorer.export.heatmap import heatmap_csv, heatmap_json, heatmap_picture
    from explorer.export.pictures import painter
    from explorer.records import MapSwitches
    from explorer.views.maps import head_map

    texts = texts_to_read(text, source)
    out = outlet(output, form, force, texts)
    loaded = load(model, device, dtype, revision, quiet)
    switches = MapSwitches(words=words, special=not no_special)
    settings = {"log": log, "target": target, **settings_of(loaded)}

    def content(one: GivenText, _tell: Progress | None) -> str | bytes:
        cap = capture(loaded, one.text, pair, target, truncate=truncate)
        drawn = head_map(cap, layer, head, stack, switches)
        if drawn.truncation:
            sayer(quiet)(f"{one.place}truncated: {drawn.truncation}")
        make: dict[str, Callable[[], str | bytes]] = {
            "json": lambda: to_json(heatmap_json(drawn, settings)),
            "csv": lambda: heatmap_csv(drawn),
            **dict.fromkeys(PICTURES, lambda: draw(heatmap_picture(drawn, log), out.kind)),
        }
        return make[out.kind]()

    with painter() as draw:
        write_each(texts, out, content, quiet)

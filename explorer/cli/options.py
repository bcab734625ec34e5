"""Options that several commands have, in the groups that help shows, and how they complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from explorer.saving.files import FORMATS

READ, SHOW, LOOKS, MODEL, OUTPUT = ("What to read", "What to show", "Looks", "Model", "Output")


def _one_of(*values: str) -> Callable[[str], list[str]]:
    """What completes a value that is one of a few."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def choice(*values: str, panel: str, decls: Sequence[str] = (), **more: Any) -> Any:
    """An option whose value is one of a few, which completion offers."""
    return typer.Option(*decls, autocompletion=_one_of(*values), rich_help_panel=panel, metavar="NAME", **more)


def look(*values: str, help: str) -> Any:
    """An option of how a figure looks, one of a few."""
    return choice(*values, panel=LOOKS, help=help)


def _models(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names of models and where they are: bundled, cached or on the hub."""
    from explorer.models import bundled, hub  # slow to import, and needed for this only

    offered = dict.fromkeys(bundled.BUNDLED, "bundled")
    offered |= dict.fromkeys(hub.cached(), "cached")
    for preset in hub.PRESETS:
        offered.setdefault(preset.repo, "on the hub")
    return ((name, where) for name, where in offered.items() if name.startswith(incomplete))


Text = Annotated[str | None, typer.Argument(metavar="TEXT", help="The text to read; - reads standard input.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Read many texts instead, one a line; - is standard input.",
        rich_help_panel=READ,
    ),
]
Pair = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="A second text, for an encoder that reads pairs.", rich_help_panel=READ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="What a decoder is given. [default: what the model generates]", rich_help_panel=READ
    ),
]
Truncate = Annotated[
    bool,
    typer.Option("--truncate", help="Of a text over the model's limit read the first tokens.", rich_help_panel=READ),
]
Stack = Annotated[
    str | None,
    choice(
        "encoder",
        "decoder",
        "cross",
        panel=SHOW,
        help="encoder, decoder or cross, of a model that has several. [default: the first]",
    ),
]
Layer = Annotated[int, typer.Option(help="Layer, counted from 0.", rich_help_panel=SHOW)]
Head = Annotated[int, typer.Option(help="Head, counted from 0.", rich_help_panel=SHOW)]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="minilm, smollm2, a hub id such as gpt2, a folder or a .gguf file.",
        metavar="NAME",
        autocompletion=_models,
        rich_help_panel=MODEL,
    ),
]
Device = Annotated[str, choice("auto", "cpu", "cuda", "mps", panel=MODEL, help="auto, cpu, cuda, cuda:0 or mps.")]
Dtype = Annotated[str, choice("float32", "float16", "bfloat16", panel=MODEL, help="float32, float16 or bfloat16.")]
Revision = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Commit, branch or tag of a checkpoint on the hub.", rich_help_panel=MODEL),
]


def output(*formats: str, several: bool = True) -> Any:
    """The option ``-o`` of a command that writes these formats."""
    endings = ", ".join(f".{name}" for name in formats[:-1]) + f" or .{formats[-1]}"
    folder = " Of several texts name-1, name-2 and so on, or a folder for them." if several else ""
    return typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"File to write; {endings} names the format.{folder} [default: JSON to standard output]",
        rich_help_panel=OUTPUT,
    )


def format_option(*formats: str) -> Any:
    """The option ``--format`` of a command that writes these formats."""
    return choice(
        *formats,
        decls=("--format",),
        panel=OUTPUT,
        help=f"{', '.join(formats[:-1])} or {formats[-1]}, where no ending says it: in a folder, "
        "on standard output. [default: json]",
    )


Output = Annotated[Path | None, output(*FORMATS)]
Format = Annotated[str | None, format_option(*FORMATS)]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=OUTPUT)]

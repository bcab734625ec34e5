"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Text = Annotated[
    str, typer.Argument(metavar="TEXT", help="The text to read; - reads standard input.")
]
Pair = Annotated[str | None, typer.Option(help="A second text, for an encoder that reads pairs.")]
Target = Annotated[
    str | None,
    typer.Option(help="What a decoder is given. [default: what the model generates]"),
]
Truncate = Annotated[
    bool,
    typer.Option("--truncate", help="Of a text over the model's limit read the first tokens."),
]
Stack = Annotated[
    str | None,
    typer.Option(
        help="encoder, decoder or cross, of a model that has several. [default: the first]"
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="minilm, smollm2, a hub id such as gpt2, a folder or a .gguf file."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0 or mps.")]
Dtype = Annotated[str, typer.Option(help="float32, float16 or bfloat16.")]
Revision = Annotated[
    str | None, typer.Option(help="Commit, branch or tag of a checkpoint on the hub.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o",
        help="File to write; .json, .csv, .png or .svg names the format. "
        "[default: JSON to standard output]",
    ),
]  # fmt: skip
TableOutput = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o",
        help="File to write; .json, .csv or .parquet names the format. "
        "[default: JSON to standard output]",
    ),
]  # fmt: skip
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]

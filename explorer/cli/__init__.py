"""The command line: ``python -m explorer``.

Standard output carries what was asked for and nothing else; all that is said to a person
goes to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from explorer import starting
from explorer.cli import check, embeddings, heads, heatmap, models, serve, worksheet
from explorer.export.files import ExportError
from explorer.records import ModelError

app = typer.Typer(
    help="Attention maps and word vectors of pretrained transformers.\n\n"
    "Layers and heads count from 0. Each command tells more with --help.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


for _command in (
    models.models, heatmap.heatmap, heads.heads, embeddings.embeddings, worksheet.worksheet,
    check.check, serve.serve,
):  # fmt: skip
    app.command()(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what goes wrong is one line on standard error.

    Returns:
        The exit status: 0, 1 for a failure, 2 for bad use, 130 when interrupted.
    """
    try:
        starting.raise_when_interrupted()
        status = app(arguments, prog_name="python -m explorer", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except TyperException as error:
        return _complain(error.format_message(), 2)
    except ValueError as error:
        return _complain(str(error), 2)
    except (ModelError, ExportError) as error:
        return _complain(str(error), 1)
    except BrokenPipeError:  # whoever read the output has seen enough
        _give_up_output()
        return 1
    except OSError as error:
        _give_up_output()
        return _complain(f"the output cannot be written: {error.strerror}", 1)
    except KeyboardInterrupt:
        return starting.INTERRUPTED
    except Exception as error:  # a mistake in here; even so a line, not a page
        return _complain(f"unexpected {type(error).__name__}: {error}", 1)


def _give_up_output() -> None:
    """What is left in the buffers goes nowhere, or flushing at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, status: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status

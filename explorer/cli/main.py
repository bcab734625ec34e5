"""The command line: ``python -m explorer``.

Standard output carries what was asked for and nothing else; all that is said to a person
goes to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

import typer
from typer.exceptions import TyperException

from explorer.cli import check, embeddings, heads, heatmap, models, remake, serve, starting, view, worksheet
from explorer.cli.helping import Command, Program
from explorer.cli.telling import complain

_HELP = """Attention maps and word vectors of pretrained transformers.

Layers and heads count from 0. Each command tells more with --help.

Results go to standard output as JSON, or to the file that -o names. Exit status: 0 done,
1 failed (a model cannot be loaded, a file not be written), 2 bad use, 130 interrupted.

\b
Examples:
  python -m explorer models
  python -m explorer heatmap "She ate an apple." --layer 1 --head 8 -o head.png
"""

app = typer.Typer(
    help=_HELP,
    cls=Program,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


_COMMANDS: dict[Callable[..., None], type[Command]] = {
    models.models: Command,
    heatmap.heatmap: Command,
    heads.heads: Command,
    embeddings.embeddings: Command,
    worksheet.worksheet: Command,
    view.view: view.ViewCommand,
    remake.remake: Command,
    check.check: Command,
    serve.serve: Command,
}
for _function, _class in _COMMANDS.items():
    app.command(cls=_class)(_function)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what goes wrong is one line on standard error.

    Returns:
        The exit status: 0, 1 for a failure, 2 for bad use, 130 when interrupted.
    """
    try:
        starting.raise_when_interrupted()
        name = starting.SCRIPT if starting.is_script() else starting.MODULE
        status = app(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except TyperException as error:
        complain(error.format_message())
        return 2
    except BrokenPipeError:  # whoever read the output has seen enough
        _give_up_output()
        return 1
    except OSError as error:
        _give_up_output()
        complain(f"the output cannot be written: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        return starting.INTERRUPTED
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    from explorer.records import ModelError  # slow to import: help does without
    from explorer.saving.files import ExportError

    if isinstance(error, (ValueError, ModelError, ExportError)):
        complain(str(error))
    else:  # a mistake in here; even so a line, not a page
        complain(f"unexpected {type(error).__name__}: {error}")
    return 2 if isinstance(error, ValueError) else 1


def _give_up_output() -> None:
    """What is left in the buffers goes nowhere, or flushing at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

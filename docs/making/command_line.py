"""The page of the command line: every command as typer knows it."""

from __future__ import annotations

import textwrap
from typing import Any

import typer

from docs.making.markdown import anchor, bullets, code, document, plain, table
from explorer.cli.main import app

_OPENING = """\
# Command line

```text
python -m explorer COMMAND …
```

Layers and heads count from 0. Standard output carries what was asked for and nothing else; what is
said to a person goes to standard error. The ending of the file after `-o` names the format; without
a file, JSON goes to standard output. An existing file is kept unless `--force` is given.
`python -m explorer COMMAND --help` tells the same as this page."""

_ENDINGS = """\
## Exit codes

| code | what it means |
| --- | --- |
| 0 | done |
| 1 | failed: a model cannot be loaded or captured, a file not written, one of several texts not \
be read; `check`: an identity does not hold; `remake`: the numbers do not agree |
| 2 | bad use: an argument, a text or a file that cannot be used |
| 130 | interrupted with Ctrl+C |

What goes wrong is one line on standard error that begins with `error:`."""


def page() -> str:
    commands = list(typer.main.get_command(app).commands.values())
    return document(
        _OPENING,
        bullets(f"[`{one.name}`](#{anchor(one.name)}): {_told(one)[0].removesuffix('.')}" for one in commands),
        *map(_command, commands),
        _ENDINGS,
    )


def _command(command: Any) -> str:
    command.get_params(typer.Context(command))  # help that names the views is completed
    lead, *paragraphs = _told(command)
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    needed = (
        *(_value(one) for one in arguments),
        *(f"{one.opts[0]} {_value(one)}" for one in options if one.required),
    )
    usage = " ".join(["python -m explorer", command.name, *needed, "[OPTIONS]"])
    parts = [f"## {command.name}", lead, f"```text\n{usage}\n```", *paragraphs]
    if arguments:
        told = ((code(_value(one)), plain(one.help)) for one in arguments)
        parts.append(table(("argument", "what it is"), told))
    parts.append(table(("option", "default", "what it does"), map(_option, options)))
    if examples := _examples(command):
        parts.append(f"```sh\n{examples}\n```")
    return "\n\n".join(parts)


def _told(command: Any) -> list[str]:
    """A command's help, a paragraph each, without its examples."""
    text = command.help.partition("\b")[0]
    return [plain(" ".join(one.split())) for one in text.strip().split("\n\n")]


def _examples(command: Any) -> str:
    """The examples at the end of a command's help, as they are typed."""
    after = command.help.partition("\b\n")[2].partition(":\n")[2]
    return textwrap.dedent(after.replace("\b\n", "")).strip()


def _value(parameter: Any) -> str:
    """What stands for an argument's or option's value."""
    return str(parameter.metavar or parameter.name.upper())


def _option(option: Any) -> tuple[str, str, str]:
    help_text, _, said = option.help.partition(" [default: ")
    if option.required:
        default = "required"
    elif said:
        default = said.removesuffix("]")
    elif option.is_flag or option.default in (None, ""):
        default = ""
    else:
        default = code(str(option.default))
    names = (*option.opts, *option.secondary_opts)
    return ", ".join(map(code, names)), default, plain(help_text)

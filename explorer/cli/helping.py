"""How help is laid out, in plain text: options in groups, completion where a shell can have it."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from explorer.cli import starting

_COMPLETION = ("install_completion", "show_completion")


class Command(TyperCommand):
    """A command whose help shows its options in the groups that they name."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, the groups in the order of their first options, then the rest."""
        groups: dict[str, list[tuple[str, str]]] = {}
        rest = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.param_type_name == "argument":
                groups.setdefault("Arguments", []).append((str(param.metavar), record[1]))
            elif panel := getattr(param, "rich_help_panel", None):
                groups.setdefault(panel, []).append(record)
            else:
                rest.append(record)
        for title, records in (groups | {"Options": rest}).items():
            with formatter.section(title):
                formatter.write_dl(records)


class Program(TyperGroup):
    """All commands. A shell completes what follows a program's name, not "python -m"."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its options; those of completion for the installed script only."""
        params = super().get_params(ctx)
        if ctx.info_name == starting.SCRIPT:
            return params
        return [param for param in params if param.name not in _COMPLETION]

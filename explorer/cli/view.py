"""The command ``view``: any view of the page, by its address, to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from explorer.cli import options
from explorer.cli.telling import sayer
from explorer.cli.writing import format_of, write

"""The command ``serve``: the page."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8050,
) -> None:
    """Serve the page, as python app.py does.

    Ctrl-C ends it.

    \b
    Example:
      python -m explorer serve --port 8060
    """  # noqa: D301
    from explorer.app import server as web  # Dash is needed for this only

    with suppress(KeyboardInterrupt):  # how it is meant to end
        web.serve(host, port)

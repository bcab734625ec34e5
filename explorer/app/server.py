"""The web app: a Dash app around a session, and the server for it."""

from __future__ import annotations

import logging
from pathlib import Path

from dash import Dash
from waitress.server import create_server

from explorer.app import frame
from explorer.session.jobs import Jobs
from explorer.session.session import Session

# A file that is opened again travels in base64, which makes it a third larger.
_MAX_REQUEST_BYTES = 16 * 1024**2


def create_app(session: Session | None = None) -> Dash:
    """Build the app; no model is loaded before a page needs it.

    All scripts, styles and fonts are served from here; nothing is fetched from elsewhere.
    """
    app = Dash(
        "explorer",
        title="Attention explorer",
        update_title="",
        serve_locally=True,
        compress=True,
        # A page starts with its address. Without this, opening it would call some thirty callbacks
        # that have nothing to do yet.
        prevent_initial_callbacks=True,
        assets_folder=str(Path(__file__).parents[2] / "assets"),
    )
    # Fast gzip: the strongest costs more time than it saves, on this machine or the next desk.
    app.server.config.update(COMPRESS_ALGORITHM=["gzip"], COMPRESS_LEVEL=1)
    app.server.config["MAX_CONTENT_LENGTH"] = _MAX_REQUEST_BYTES
    app.layout = frame.layout
    app.validation_layout = frame.all_of_it()
    frame.register(app, session or Session(), Jobs())
    return app


def serve(host: str = "127.0.0.1", port: int = 8050, app: Dash | None = None) -> None:
    """Serve the app until interrupted, and print where.

    Raises:
        ValueError: the port is out of range, or the address cannot be listened on.
    """
    if not 1 <= port <= 65535:  # a larger one would be taken modulo 65536
        raise ValueError(f"port {port} is out of range: choose one from 1 to 65535")
    app = app or create_app()
    try:
        server = create_server(
            app.server, host=host, port=port, threads=8, ident=None, max_request_body_size=_MAX_REQUEST_BYTES
        )
    except (OSError, ValueError) as error:  # waitress raises the second for an unknown host
        reason = getattr(error, "strerror", None) or "no such address here"
        raise ValueError(f"cannot listen on {host}:{port} ({reason}): choose another --port or --host") from None
    _log_to_terminal()
    print(f"Attention explorer: http://{host}:{port}", flush=True)
    server.run()


def _log_to_terminal() -> None:
    """Print what the page reports: what is being loaded, and what failed."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("explorer")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

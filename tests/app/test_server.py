"""The server: everything from here, requests of bounded size, one line when it cannot listen."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from dash import Dash
from flask.testing import FlaskClient

import app as app_module
from explorer.app.save_menu import LARGEST_FILE
from explorer.app.server import create_app, serve

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def app() -> Dash:
    return create_app()


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


def _resources(page: str) -> list[str]:
    """Addresses of all scripts, styles and icons of a page."""
    return re.findall(r"""<(?:script|link|img|iframe)[^>]*?\s(?:src|href)="([^"]*)""", page)


@pytest.mark.parametrize("path", ["/", "/embeddings"])
def test_pages_name_no_other_host(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    resources = _resources(page.text)
    assert any("style.css" in resource for resource in resources)
    assert any("explorer.js" in resource for resource in resources)
    for resource in resources:
        assert re.match(r"/(?!/)", resource), resource


def test_every_resource_of_the_page_is_served(client: FlaskClient) -> None:
    for resource in _resources(client.get("/").text):
        answer = client.get(resource)
        assert answer.status_code == 200, resource
        assert len(answer.data) > 100
        answer.close()


def test_own_assets_fetch_nothing() -> None:
    """No address of another host in our own scripts and styles, no font or import from one."""
    own = [path for kind in ("*.js", "*.css") for path in (ROOT / "assets").glob(kind)]
    assert own
    for path in own:
        source = path.read_text(encoding="utf-8")
        found = re.findall(r"""(?:https?:)?//[\w.-]+\.\w+""", source)
        assert [one for one in found if "www.w3.org" not in one] == [], path.name


def test_component_suites_are_local(app: Dash) -> None:
    assert app.config.serve_locally
    assert app.scripts.config.serve_locally
    assert app.css.config.serve_locally
    assert app.config.external_scripts == []
    assert app.config.external_stylesheets == []


def test_a_request_over_the_limit_is_refused(app: Dash, client: FlaskClient) -> None:
    limit = app.server.config["MAX_CONTENT_LENGTH"]
    assert 1_000_000 <= limit <= 16 * 1024**2
    answer = client.post("/_dash-update-component", data=b"x" * (limit + 1), content_type="application/json")
    assert answer.status_code == 413


def test_the_largest_file_that_is_opened_fits_into_a_request(app: Dash) -> None:
    beside = 10_000  # the names and ids of the request
    sent = len(base64.b64encode(bytes(LARGEST_FILE))) + beside
    assert LARGEST_FILE >= 10_000_000  # plotly.js alone has 4.8 MB, and a page holds it
    assert sent <= app.server.config["MAX_CONTENT_LENGTH"]


def test_other_wsgi_servers_find_the_app() -> None:
    """``app:server`` is what gunicorn is given; it answers as any WSGI app does."""
    said: list[str] = []

    def start_response(status: str, _headers: object, _error: object = None) -> object:
        said.append(status)
        return None

    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    body = b"".join(app_module.server(environment, start_response))
    assert said == ["200 OK"]
    assert b"Attention explorer" in body
    assert app_module.app.server is app_module.server


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "app.py", "--port", str(port)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port" in line


@pytest.mark.parametrize("arguments", [("--port", "99999"), ("--port", "0"), ("--host", "no.such.host.invalid")])
def test_an_address_that_is_none_is_one_clear_line(app: Dash, arguments: tuple[str, ...]) -> None:
    host, port = ("127.0.0.1", arguments[1]) if arguments[0] == "--port" else (arguments[1], "8050")
    with pytest.raises(ValueError, match=arguments[1]) as caught:
        serve(host, int(port), app)
    assert "\n" not in str(caught.value)


def test_listens_on_this_machine_only_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(app_module, "serve", lambda host, port, _app: given.append((host, port)))
    for arguments in ([], ["--host", "0.0.0.0", "--port", "81"]):
        monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
        assert app_module.main() == 0
    assert given == [("127.0.0.1", 8050), ("0.0.0.0", 81)]

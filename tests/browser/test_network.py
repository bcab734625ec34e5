"""What goes over the wire: to this server only, and not too much of it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from tests.browser.driving import Server
from tests.browser.driving_heads import Heads


def test_all_requests_stay_here(heads: Heads, server: Server) -> None:
    """Every test checks that none goes elsewhere; here that everything was in fact fetched."""
    entries: list[str] = heads.page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    fetched = [entry for entry in entries if not entry.startswith("data:")]
    assert {urlsplit(entry).netloc for entry in fetched} == {urlsplit(server.url).netloc}
    kinds = {urlsplit(entry).path.rpartition(".")[2] for entry in fetched}
    assert {"js", "css"} <= kinds


@pytest.mark.parametrize("length", [16 * 1024**2 + 1, 200 * 1024**2])
def test_a_request_over_the_limit_is_refused(server: Server, length: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest("POST", "/_dash-update-component")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()

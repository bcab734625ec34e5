"""Make the pictures of README.md and docs/: start the app, drive a browser, keep what it shows.

Run it from the repository's root after ``make test`` has set things up:
``.venv/bin/python docs/pictures.py [NAME …]``; without a name it makes all of them.
"""

import logging
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[1]))

from explorer.app.server import create_app

FOLDER = Path(__file__).parent / "pictures"
SIZE = {"width": 1440, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 180_000  # the first use of smollm2 converts its weights
CELLS = ".heatmaplayer image"
POINTS = ".scatterlayer .point"


@dataclass(frozen=True)
class SizedFigure:
    """One picture: where the view is, and how it is known to be drawn.

    Attributes:
        address: path and query of the page.
        drawn: selectors of what must be there.
        part: selector of what is kept; None means the window.
        press: selector of a button that opens it, once the rest is drawn.
        framed: selector of what must be in the view beside a lesson.
    """

    address: str
    drawn: tuple[str, ...]
    part: str | None = None
    press: str | None = None
    framed: str | None = None


# Head 8 of minilm's layer 1 looks at the next token.
_HEAD = "/?layer=1&head=8"
_ROW = "/inside?layer=0&head=1&query=4"
_HEADS_PANEL = "#heads-page .panel:not(.overview)"
_EMBEDDINGS_PANEL = "#embeddings-page .panel:not(.form)"
_INSIDE_PANEL = "#inside-page .panel"
PICTURES = {
    "heads": SizedFigure(_HEAD, (f"#heads-heatmap {CELLS}", "#heads-table .ag-row")),
    "heads-lines": SizedFigure(f"{_HEAD}&mode=lines", ("#heads-lines-part svg path",), _HEADS_PANEL),
    "heads-distances": SizedFigure(f"{_HEAD}&mode=distances", (f"#heads-distances-part {POINTS}",), _HEADS_PANEL),
    "embeddings": SizedFigure("/embeddings", (f"#embeddings-plot {POINTS}", "#embeddings-caption:not(:empty)")),
    "embeddings-layers": SizedFigure(
        "/embeddings?mode=layers", ("#embeddings-layers-part .lines path",), _EMBEDDINGS_PANEL
    ),
    "embeddings-meaning": SizedFigure(
        "/embeddings?model=smollm2&layer=15&mode=meaning", (f"#embeddings-meaning-part {CELLS}",), _EMBEDDINGS_PANEL
    ),
    "embeddings-pull": SizedFigure("/embeddings?mode=pull", (f"#embeddings-pull-part {POINTS}",), _EMBEDDINGS_PANEL),
    "inside-row": SizedFigure(_ROW, ("#inside-worksheet-steps li",), _INSIDE_PANEL),
    "inside-points": SizedFigure(f"{_ROW}&mode=points", (f"#inside-points-part {POINTS}",), _INSIDE_PANEL),
    "inside-moves": SizedFigure(f"{_ROW}&mode=matrices", (f"#inside-matrices-part {POINTS}",), _INSIDE_PANEL),
    "inside-sharing": SizedFigure(
        f"{_ROW}&mode=cost&model=smollm2", ("#inside-cost-part .lines path",), _INSIDE_PANEL
    ),
    "learn": SizedFigure("/learn/two-meanings", ("#learn-side h1",), framed=f"#embeddings-plot {POINTS}"),
    "check": SizedFigure("/check", ("#check-table .error-size",), "#check-page .panel"),
    "save": SizedFigure(_HEAD, (f"#heads-heatmap {CELLS}",), ".mantine-Modal-content", "#save-button"),
}


def main() -> None:
    wanted = sys.argv[1:] or list(PICTURES)
    FOLDER.mkdir(exist_ok=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app().server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(viewport=SIZE, color_scheme="light", base_url=f"http://127.0.0.1:{server.port}")
        context.set_default_timeout(WAIT_MS)
        for name in wanted:
            page = context.new_page()
            take(page, PICTURES[name], FOLDER / f"{name}.png")
            page.close()
        browser.close()
    server.shutdown()


def take(page: Page, picture: SizedFigure, path: Path) -> None:
    page.goto(picture.address)
    page.wait_for_load_state("networkidle")
    for selector in picture.drawn:
        page.wait_for_selector(selector, state="attached")
    page.wait_for_function("!document.body.hasAttribute('data-working')")
    if picture.framed:
        page.frame_locator("#learn-page iframe").locator(picture.framed).first.wait_for(state="attached")
    if picture.press:
        page.locator(picture.press).click()
        page.wait_for_selector("#save-size:not(:empty)")
    page.wait_for_load_state("networkidle")
    shot = page.locator(picture.part) if picture.part else page
    shot.screenshot(path=path, animations="disabled")
    # A palette of 256 colours is enough for a page, and a third of the bytes.
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    print(path.name, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

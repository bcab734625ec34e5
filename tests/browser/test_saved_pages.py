"""A saved page of every view opens where there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.saving.save import saved
from explorer.session.session import Session
from explorer.views.registry import VIEWS
from tests.computing import computed

# What the chief figure of each says somewhere.
SAID = {
    "heatmap": "key (attended to)",
    "lines": "apple·2",
    "comparison": "second − first",
    "distances": "layer",
    "overview": "all heads",
    "heads": "Entropy",
    "embeddings": "“apple” in minilm · layer 3",
    "layers": "Separation by sense",
    "similarity": "occurrence, by sentence",
    "meaning": "what it means now",
    "pull": "minilm · layer 3 · all heads",
    "positions": "Where position enters",
    "worksheet": "dimension of the head",
    "points": "principal component 1",
    "matrices": "Query map",
    "mask": "query (attends)",
    "contributions": "dimension of the residual stream",
    "cost": "context length (tokens)",
}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(device="cpu")


@pytest.fixture(scope="module")
def offline(browser: Browser) -> Iterator[Page]:
    """One page of a browser that has no network."""
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", VIEWS)
def test_it_opens_without_a_network(session: Session, offline: Page, name: str, tmp_path: Path) -> None:
    wrong, asked = list[str](), list[str]()
    noted = {
        "request": lambda request: asked.append(request.url),
        "pageerror": lambda error: wrong.append(str(error)),
        "console": lambda said: wrong.append(said.text) if said.type == "error" else None,
    }
    view = computed(session, name)
    path = tmp_path / "view.html"
    path.write_bytes(saved(session, view, "html"))
    for event, note in noted.items():
        offline.on(event, note)  # type: ignore[call-overload]
    try:
        offline.goto(path.as_uri())
        plot = offline.locator(".js-plotly-plot")
        expect(plot.locator(".main-svg").first).to_be_visible()
        expect(plot.locator(".subplot .plot, .layer-above").first).to_be_attached()
        told = "".join((plot.text_content() or "").split())
        assert "".join(SAID[name].split()) in told
        offline.get_by_text("How to make this again").click()
        expect(offline.locator("details pre")).to_contain_text("explorer.view(")
    finally:
        for event, note in noted.items():
            offline.remove_listener(event, note)
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []

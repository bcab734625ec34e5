"""The map of heads, end to end: its points, what they tell, and what is saved."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import expect
from scipy.spatial.distance import jensenshannon

from tests.browser import eager
from tests.browser.driving_heads import Heads

GRAPH = "heads-distances-graph"
SENTENCE = "The keys that the man number {} left lost are on the table."
TEXT = " ".join(SENTENCE.format(i) for i in range(8))
LONG = " ".join(SENTENCE.format(i) for i in range(30))

_HEADS = """() => {
  const [heads, ring] = document.querySelector(
    '#heads-distances-graph .js-plotly-plot')?._fullData ?? [];
  return ring && {points: Array.from(heads.x, (x, i) => [x, heads.y[i]]),
    ring: [ring.x[0], ring.y[0]], colours: Array.from(heads.marker.color)};
}"""
_NAMES = """() => Array.from(document.querySelectorAll('#heads-distances-graph .textpoint text'),
  text => { const box = text.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom, text.textContent]; }
  ).filter(([, , , , name]) => name)"""


def apart(attention: np.ndarray) -> np.ndarray:
    """Jensen–Shannon divergence of all heads [L·H, L·H], from scipy."""
    rows = attention.reshape(-1, *attention.shape[2:]).astype(float)
    return np.array([[(jensenshannon(one, other, axis=1) ** 2).mean() for other in rows] for one in rows])


def drawn(heads: Heads, count: int, timeout_ms: float = 20_000) -> dict[str, Any]:
    """Points, ring and colours, once so many heads are drawn."""
    heads.wait_for(f"count => ({_HEADS})()?.points.length === count", count, timeout_ms)
    found: dict[str, Any] = heads.page.evaluate(_HEADS)
    return found | {"points": np.array(found["points"])}


def wait_for_ring(heads: Heads, place: int) -> None:
    heads.wait_for(
        f"place => {{ const drawn = ({_HEADS})(); return drawn"
        " && drawn.points[place].every((value, i) => value === drawn.ring[i]); }",
        place,
    )


def test_heads_lie_by_their_distance_and_can_be_chosen(heads: Heads, tmp_path: Path) -> None:
    page, expected = heads.page, eager.run("minilm", TEXT)
    assert len(expected.labels) > 100
    heads.type(TEXT)
    heads.run()
    heads.wait_for_map(keys=expected.labels)
    heads.show("distances")
    points = drawn(heads, 72)["points"]
    true = apart(expected.attention)
    plane = np.linalg.norm(points[:, None] - points[None], axis=-1)
    stress = np.sqrt(((plane - true) ** 2).sum() / (plane**2).sum())
    caption = page.locator("#heads-distances-caption")
    expect(caption).to_contain_text(f"stress {stress:.2f}")
    expect(caption).to_contain_text(f"{len(expected.labels)} queries")
    wait_for_ring(heads, 0)
    np.fill_diagonal(plane, np.inf)
    np.fill_diagonal(true, np.inf)

    # The head that stands most alone, for the mouse to find.
    lonely = int(plane.min(axis=1).argmax())
    layer, head = divmod(lonely, 12)
    said = heads.hover(GRAPH, *points[lonely], f"^layer {layer} · head {head}\n")
    near = divmod(int(true[lonely].argmin()), 12)
    assert f"most like layer {near[0]} · head {near[1]} ({true[lonely].min():.3f} nats" in said
    weights = expected.attention[layer, head]
    entropy = -(weights * np.log(np.maximum(weights, 1e-30))).sum(axis=1).mean()
    assert f"entropy {entropy:.2f} · " in said
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#heads-layer")).to_have_value(str(layer))
    expect(page.locator("#heads-head")).to_have_value(str(head))
    wait_for_ring(heads, lonely)
    heads.wait_for_address(**{name: str(value) for name, value in (("layer", layer), ("head", head)) if value})
    assert heads.frame() == (layer, head)
    page.keyboard.press("ArrowDown" if layer < 5 else "ArrowUp")
    wait_for_ring(heads, lonely + (12 if layer < 5 else -12))
    assert heads.count_nodes() <= 5000

    table = heads.save("csv", tmp_path)
    assert table.name == "minilm-encoder-heads-distances.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    written = np.array([[row["x"], row["y"]] for row in rows], dtype=float)
    np.testing.assert_allclose(written, points, atol=1e-12)
    nearest = np.array([row["nearest_distance"] for row in rows], dtype=float)
    np.testing.assert_allclose(nearest, true.min(axis=1), atol=1e-5)
    previous = np.array([row["previous_token"] for row in rows], dtype=float).reshape(6, 12)
    below = np.diagonal(expected.attention, offset=-1, axis1=2, axis2=3).mean(axis=2)
    np.testing.assert_allclose(previous, below, atol=1e-5)
    picture = heads.save("png", tmp_path)
    assert picture.name == "minilm-encoder-heads-distances.png"
    with Image.open(picture) as image:
        assert len(image.convert("RGB").getcolors(10_000_000) or []) > 50


def test_colours_and_names(heads: Heads) -> None:
    page, expected = (heads.page, eager.run("minilm", "She ate an apple while Apple announced a phone."))
    heads.show("distances")
    assert drawn(heads, 72)["colours"] == np.repeat(np.arange(6), 12).tolist()
    page.keyboard.press("ArrowRight")  # to another head, not to another view
    wait_for_ring(heads, 1)
    page.click("#heads-distances-colour")
    page.get_by_role("option", name="Itself", exact=True).click()
    expect(page.locator("#heads-distances-caption")).to_contain_text("Colour: itself")
    itself = np.diagonal(expected.attention, axis1=2, axis2=3).mean(axis=2).ravel()
    np.testing.assert_allclose(drawn(heads, 72)["colours"], itself, atol=1e-5)

    heads.wait_for(f"() => ({_NAMES})().length > 5")
    names = page.evaluate(_NAMES)
    assert all(re.fullmatch(r"\d+\.\d+", name) for *_, name in names)
    boxes = np.array([box for *box, _ in names])
    for i, one in enumerate(boxes):
        others = np.delete(boxes, i, axis=0)
        meets = (others[:, :2] < one[2:]).all(axis=1) & (others[:, 2:] > one[:2]).all(axis=1)
        assert not meets.any(), names[i]
    heads.show("map")
    heads.wait_for(f"() => !({_HEADS})()")  # its nodes leave the page
    assert page.locator("#heads-distances-graph .point").count() == 0


def test_progress_and_cancel(heads: Heads, sentence: str) -> None:
    page = heads.page
    eager.run("smollm2", sentence)  # its first use on a machine takes long
    heads.type(LONG)
    heads.choose_model("smollm2")
    heads.wait_until_told(LONG)
    expect(page.locator("#model-facts")).to_contain_text("MB")
    heads.show("distances")
    working = page.locator("#heads-distances-message .working")
    expect(working).to_contain_text("comparing heads")
    working.get_by_role("button", name="Cancel").click()
    expect(page.locator("#heads-distances-message .error")).to_contain_text("Cancelled")
    assert page.evaluate(_HEADS) is None
    # A text that is quickly done: the view goes on by itself.
    heads.type(sentence)
    heads.run()
    drawn(heads, 270)
    expect(page.locator("#heads-distances-caption")).to_contain_text(sentence)
    expect(page.locator("#heads-distances-message")).to_be_empty()
    assert heads.count_nodes() <= 5000

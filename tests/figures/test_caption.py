"""A caption below a figure."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.figures.caption import captioned


def test_a_caption_is_wrapped_below_the_figure() -> None:
    figure = captioned(go.Figure(), "word " * 60, 400, 300, axis=40)
    (note,) = figure.layout.annotations
    lines = note.text.split("<br>")
    assert " ".join(lines) == ("word " * 60).strip()
    assert max(map(len, lines)) * 6 < 400
    assert figure.layout.height - 300 == figure.layout.margin.b >= 40 + 15 * len(lines)
    assert note.yshift < -40

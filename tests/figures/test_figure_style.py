"""How saved figures look: sizes on paper by hand, colours by their definition."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.figure_style import FONTS, FigureStyle, SizedFigure, styled
from explorer.figures.style import DIVERGING, FONT
from explorer.figures.vector import MOST_CELLS, raster_parts, vectorised


def picture(**more) -> SizedFigure:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], marker={"color": "#d9480f"}))
    figure.update_layout(title={"text": "Head 3"}, font={"family": FONT, "size": 12})
    return SizedFigure(figure, "What a reader could paste.", 600, 300, **more)


def test_a_figure_has_its_own_size_where_none_is_asked_for() -> None:
    made = styled(picture(), FigureStyle(caption=False))
    assert (made.figure.layout.width, made.figure.layout.height) == (600, 300)
    # 96 pixels are an inch of 2.54 cm.
    assert made.size_cm == pytest.approx((15.875, 7.9375))


@pytest.mark.parametrize(
    ("look", "width_cm"),
    [
        (FigureStyle(width=8.5), 8.5),
        (FigureStyle(width=2, unit="columns"), 17),
        (FigureStyle(width=4, unit="inches"), 10.16),
        (FigureStyle(width=12, points=6), 12),
        (FigureStyle(width=12, points=18), 12),
    ],
)
def test_the_width_is_that_on_paper_whatever_the_letters(look: FigureStyle, width_cm: float) -> None:
    made = styled(picture(), look)
    assert made.size_cm[0] == pytest.approx(width_cm, abs=0.03)


def test_letters_are_of_the_size_asked_for() -> None:
    """Letters are drawn with 12 pixels, 9 points: at 6 points all is two thirds as large."""
    made = styled(picture(), FigureStyle(points=6))
    assert made.figure.layout.font.size == 12
    assert made.scale == pytest.approx(2 / 3)


def test_height_follows_the_width_unless_it_is_fixed() -> None:
    assert styled(picture(), FigureStyle(width=10, caption=False)).size_cm[1] == pytest.approx(5, abs=0.02)
    fixed = styled(picture(fixed=True), FigureStyle(width=10, caption=False))
    assert fixed.figure.layout.height == 300


def test_title_and_caption_can_be_left_out() -> None:
    both = styled(picture(), FigureStyle()).figure.layout
    assert both.title.text == "Head 3"
    assert [one.name for one in both.annotations] == ["caption"]
    none = styled(picture(), FigureStyle(title=False, caption=False)).figure.layout
    assert none.title.text is None
    assert not none.annotations


def test_a_narrow_figure_says_what_its_labels_need() -> None:
    (remark,) = styled(picture(), FigureStyle(width=5)).remarks
    assert remark.startswith("labels may overlap at this width: use 9 cm")
    assert styled(picture(), FigureStyle(width=10)).remarks == ()


def test_numbers_that_would_meet_are_left_out() -> None:
    """Sixteen cells a row; a number of four signs is 24 pixels wide in letters of 10."""

    def picture() -> SizedFigure:
        cells = go.Heatmap(z=np.eye(16), texttemplate="%{z:.2f}", textfont={"size": 10})
        return SizedFigure(go.Figure(cells, {"margin": {"l": 80, "r": 70}}), "", 616, 516)

    assert styled(picture(), FigureStyle(caption=False)).figure.data[0].texttemplate == "%{z:.2f}"
    small = styled(picture(), FigureStyle(width=13, caption=False))
    assert small.figure.data[0].texttemplate is None
    # 16 × 24 + 80 + 70 = 534 pixels, of which 96 are 2.54 cm.
    assert small.remarks == (
        "the numbers in the cells are left out, because they would overlap: use 14.2 cm, or a smaller font",
    )
    fits = styled(picture(), FigureStyle(width=14.2, caption=False))
    assert (fits.figure.data[0].texttemplate, fits.remarks) == ("%{z:.2f}", ())
    assert styled(picture(), FigureStyle(width=8.5, points=5, caption=False)).remarks == ()


def test_the_font_is_changed_everywhere() -> None:
    made = styled(picture(), FigureStyle(font="Times")).figure
    assert made.layout.font.family == FONTS["Times"]


def test_greys_are_as_light_as_the_colours_they_stand_for() -> None:
    source = picture()
    source.figure.add_trace(go.Heatmap(z=[[0, 1]], colorscale=DIVERGING["light"]))
    source.figure.add_trace(go.Heatmap(z=[[0, 1]], colorscale="Viridis"))
    scatter, diverging, sequential = styled(source, FigureStyle(palette="greys")).figure.data
    # 0.2126·0xd9 + 0.7152·0x48 + 0.0722·0x0f = 98.7
    assert scatter.marker.color == "#636363"
    assert diverging.colorscale == ((0, "#ffffff"), (1, "#000000"))
    assert sequential.colorscale == go.Heatmap(colorscale="Greys").colorscale


def test_greys_leave_text_that_reads_like_a_colour() -> None:
    said = ["#d9480f", "rgb(217, 72, 15)", '&lt;span style="color:#d9480f">']
    figure = go.Figure(
        go.Scatter(
            x=[0, 1, 2],
            y=[0, 1, 2],
            text=said,
            customdata=said,
            name="#d9480f",
            marker={"color": ["#d9480f", "rgb(217, 72, 15)", "#d9480f"], "line": {"color": "#d9480f"}},
        ),
        {
            "title": {"text": "#d9480f"},
            "plot_bgcolor": "#d9480f",
            "xaxis": {"tickvals": [0, 1, 2], "ticktext": said, "gridcolor": "#d9480f"},
            "annotations": [{"text": '<span style="color:#d9480f">●</span> #d9480f'}],
        },
    )
    plain = FigureStyle(palette="greys", title=True, caption=False)
    made = styled(SizedFigure(figure, "", 400, 300), plain).figure
    (trace,) = made.data
    assert (list(trace.text), list(trace.customdata), trace.name) == (said, said, "#d9480f")
    assert (list(made.layout.xaxis.ticktext), made.layout.title.text) == (said, "#d9480f")
    assert list(trace.marker.color) == ["#636363"] * 3
    assert {trace.marker.line.color, made.layout.plot_bgcolor, made.layout.xaxis.gridcolor} == {"#636363"}
    assert made.layout.annotations[0].text == '<span style="color:#636363">●</span> #d9480f'


def test_another_palette_is_of_sequential_scales_only() -> None:
    source = picture()
    source.figure.add_trace(go.Heatmap(z=[[0, 1]], colorscale=DIVERGING["dark"]))
    source.figure.add_trace(go.Heatmap(z=[[0, 1]], colorscale="Viridis"))
    _, diverging, sequential = styled(source, FigureStyle(palette="cividis")).figure.data
    assert diverging.colorscale == go.Heatmap(colorscale=DIVERGING["dark"]).colorscale
    assert sequential.colorscale == go.Heatmap(colorscale="Cividis").colorscale


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"theme": "sepia"}, "unknown theme 'sepia': use light, dark"),
        ({"palette": "jet"}, "unknown palette 'jet': use viridis, cividis, greys"),
        ({"unit": "miles"}, "unknown unit 'miles': use cm, inches, columns"),
        ({"font": "Comic"}, "unknown font 'Comic'"),
        ({"width": 0.5}, "a width of 0.5 cm is out of range: use 3 to 100 cm"),
        ({"width": 20, "unit": "columns"}, "out of range"),
        ({"points": 2}, "a font size of 2 points"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        FigureStyle(**wrong)


def outlines(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in vectorised(figure).data if trace.fill == "toself"]


def test_a_map_of_nothing_known_has_a_scale_and_no_cell() -> None:
    """A measure may be undefined for every head; warnings are errors in tests."""
    figure = go.Figure(go.Heatmap(z=np.full((2, 3), np.nan), colorscale="Viridis"))
    (bar,) = vectorised(figure).data
    assert (bar.marker.cmin, bar.marker.cmax, bar.marker.showscale) == (0, 1, True)


def test_each_cell_becomes_an_outline_of_its_colour() -> None:
    figure = go.Figure(
        go.Heatmap(z=[[0.0, 1.0], [np.nan, 0.0]], zmin=0, zmax=1, colorscale=[[0, "#000000"], [1, "#ffffff"]])
    )
    black, white = outlines(figure)
    assert (black.fillcolor, white.fillcolor) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    # The cell of row 0, column 1 reaches from 0.5 to 1.5 and from −0.5 to 0.5.
    assert (min(white.x[:5]), max(white.x[:5])) == (0.5, 1.5)
    assert (min(white.y[:5]), max(white.y[:5])) == (-0.5, 0.5)
    # Two cells are black, and the one without a number is none.
    assert black.x.count(None) == 2
    assert not any(trace.type == "heatmap" for trace in vectorised(figure).data)


def test_numbers_in_cells_become_text_that_is_read_on_its_colour() -> None:
    figure = go.Figure(
        go.Heatmap(
            z=[[0.123, 0.9]], zmin=0, zmax=1, texttemplate="%{z:.2f}", colorscale=[[0, "#000000"], [1, "#ffffff"]]
        )
    )
    (text,) = [trace for trace in vectorised(figure).data if trace.mode == "text"]
    assert list(text.text) == ["0.12", "0.90"]
    assert list(text.textfont.color) == ["#ffffff", "#000000"]
    assert list(text.x) == [0, 1]


def test_the_colour_bar_stays() -> None:
    figure = go.Figure(go.Heatmap(z=[[0.0, 2.0]], colorbar={"title": {"text": "weight"}}))
    bars = [trace.marker for trace in vectorised(figure).data if trace.marker.showscale]
    assert [(bar.cmin, bar.cmax, bar.colorbar.title.text) for bar in bars] == [(0, 2, "weight")]


def test_a_large_map_stays_dots_and_says_so() -> None:
    side = int(MOST_CELLS**0.5) + 1
    figure = go.Figure(go.Heatmap(z=np.zeros((side, side)), colorscale="Viridis"))
    assert raster_parts(figure) == [f"a map of more than {MOST_CELLS:,} cells"]
    assert vectorised(figure).data[0].type == "heatmap"
    small = go.Figure(go.Heatmap(z=np.zeros((3, 3)), colorscale="Viridis"))
    assert raster_parts(small) == []


def test_a_map_for_hovering_only_is_left_out() -> None:
    unseen = [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]]
    figure = go.Figure([go.Heatmap(z=[[1.0]], colorscale=unseen), go.Scatter(x=[0], y=[0])])
    assert [trace.type for trace in vectorised(figure).data] == ["scatter"]


@pytest.mark.parametrize(
    ("given", "borders"),
    [
        ({"x": [0, 2, 4]}, [[-1, 1], [1, 3], [3, 5]]),
        ({"x0": 10, "dx": 5}, [[7.5, 12.5], [12.5, 17.5], [17.5, 22.5]]),
        ({"x": [0, 1, 4, 5]}, [[0, 1], [1, 4], [4, 5]]),
        ({"x": ["a", "b", "c"]}, [[-0.5, 0.5], [0.5, 1.5], [1.5, 2.5]]),
    ],
)
def test_columns_stand_where_plotly_puts_them(given, borders: list[list[float]]) -> None:
    figure = go.Figure(go.Heatmap(z=[[1.0, 1.0, 1.0]], zmin=0, zmax=1, **given))
    (cells,) = outlines(figure)
    found = [[min(cells.x[i : i + 5]), max(cells.x[i : i + 5])] for i in range(0, 18, 6)]
    assert found == borders

"""The mask on and off, and what later context does to a token.

inside-selection, inside-mask-other-model, theme ─> both maps, the curves, captions, inside-mask-state
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html

from explorer.figures.style import blank_figure
from explorer.models import bundled
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.heatmap.figure import heatmap_figure
from explorer.views.inside.mask import VIEW, MaskSettings
from explorer.views.inside.mask.compute import compute
from explorer.views.inside.mask.figure import context_caption, context_figure, mask_caption, other_figure
from explorer.views.panel.fields import graph, labelled
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "both maps appear here"
_GRAPHS = ("own", "other", "late")


def layout() -> Any:
    """The view's components."""
    own, other, late = (graph(f"inside-mask-{name}", _MESSAGE) for name in _GRAPHS)
    options = {"placeholder": "another model", "data": [m for m in bundled.BUNDLED if bundled.is_installed(m)]}
    model = dmc.Autocomplete(id="inside-mask-other-model", value="", size="xs", w=220, debounce=True, **options)
    compare = labelled("Compare with", MaskSettings.help_of("other_model"), model)
    return part(
        VIEW,
        html.Div([own, other], className="both-masks"),
        html.P(id="inside-mask-caption", className="caption"),
        html.Div(compare, className="controls"),
        late,
        html.P(id="inside-mask-late-caption", className="caption"),
    )


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callback to ``app``."""

    @draws(
        app,
        VIEW,
        [f"inside-mask-{name}" for name in _GRAPHS],
        [Input("inside-selection", "data"), Input("inside-mask-other-model", "value"), Input("theme", "data")],
        [Output("inside-mask-caption", "children"), Output("inside-mask-late-caption", "children")],
        _MESSAGE,
    )
    def draw_masks(selection: dict[str, Any] | None, other_model: str | None, theme: str) -> Drawing | None:
        if selection is None:
            return None
        settings = MaskSettings.of({**selection, "other_model": other_model or ""})
        record = compute(session, settings)
        curves, error = record.curves_or_error()
        late = context_figure(curves, theme) if curves else blank_figure("")
        figures = [heatmap_figure(record.own, theme, stepped=False), other_figure(record.other, theme), late]
        captions = [mask_caption(record.own, record.other, record.query), context_caption(curves)]
        return Drawing(figures, settings, captions, [error] if error else [])

"""A view in one file: how long the tokens of a text are. ``register(VIEW)`` is all that it takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.capture.loading import Progress
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import base_layout, theme_of
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import setting
from explorer.views.heads.page import PAGE
from explorer.views.spec import ViewParts, ViewSpec


@dataclass(frozen=True)
class LengthSettings(TextRequest):
    """How lengths are counted."""

    unit: str = setting("characters", "What is counted of each token.", ("characters", "bytes"))
    factor: float = setting(1.0, "What the lengths are multiplied by.", low=0)


@dataclass(frozen=True)
class Lengths:
    """The length of each token [N], in ``unit`` times the factor."""

    source: Source
    labels: tuple[str, ...]
    lengths: np.ndarray


def compute(session: Session, settings: LengthSettings, progress: Progress | None = None) -> Lengths:
    cap = session.capture(settings.request, progress)
    labels = cap.tokens
    counts = [len(one.encode() if settings.unit == "bytes" else one) for one in labels]
    return Lengths(Source.of(cap), labels, settings.factor * np.array(counts))


def bars(record: Lengths, _settings: LengthSettings, style: FigureStyle) -> SizedFigure:
    figure = go.Figure(go.Bar(x=list(range(len(record.labels))), y=record.lengths, text=record.labels))
    figure.update_layout(base_layout(theme_of(style.theme)))
    return SizedFigure(figure, f"How long the {len(record.labels)} tokens are.", 600, 400)


VIEW = ViewSpec(
    "token_lengths",
    "the lengths of tokens",
    "lengths",
    PAGE,
    LengthSettings,
    ("bars",),
    parts=ViewParts(
        compute,
        figures={"bars": bars},
        data=lambda record, _: {"labels": list(record.labels), "lengths": record.lengths.tolist()},
        table=lambda record, _: Table.of(
            ["token", "length"], zip(record.labels, record.lengths.tolist(), strict=True)
        ),
        stem=lambda record, _: f"{record.source.model}-token-lengths",
    ),
)


def serve(port: int) -> None:
    """The explorer with this view."""
    from explorer.app.server import serve as serve_app
    from explorer.views.registry import register

    register(VIEW)
    serve_app(port=port)

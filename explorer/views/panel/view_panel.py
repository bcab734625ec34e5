"""A view's panel on its page: what all panels share, and a panel made from a ``ViewSpec`` alone.

The page's switch, ``<page>-mode``, chooses the view on the screen; the others compute nothing, and their
figures are removed from the page. One store, ``<page>-<view>-state``, has the settings of the figures
on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.figure_style import FigureStyle
from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.requests import ModelRequest
from explorer.session.session import Session
from explorer.session.settings import Value
from explorer.views.panel.fields import choice, graph, labelled, segments, switch
from explorer.views.panel.running import Run, error_line, follow, remark_line, stores
from explorer.views.registry import views_of
from explorer.views.spec import Page, ViewSpec


class Panel(Protocol):
    """A view on its page: a module ``panel`` of the view's folder, or a ``SpecPanel``."""

    def layout(self) -> Any:
        """The view's components, in a ``part``."""
        ...

    def register(self, app: Dash, session: Session, jobs: Jobs) -> None:
        """Wire the view's callbacks to ``app``."""
        ...


@dataclass(frozen=True)
class Drawing:
    """A view's figures, their settings, its other outputs, and remarks."""

    figures: Sequence[Any]
    settings: ModelRequest
    also: Sequence[Any] = field(default_factory=list)
    remarks: Sequence[str] = field(default_factory=list)


def panels_of(page: Page) -> list[Any]:
    """The panels of a page's views, in their order; without the views beside the others."""
    return [panel_of(view) for view in views_of(page, beside=False)]


def panel_of(view: ViewSpec) -> Any:
    """The panel module of a view's folder, or else a panel made from its spec."""
    name = f"{view.folder}.panel"
    return import_module(name) if view.folder and find_spec(name) else SpecPanel(view)


def mode_switch(page: Page) -> Any:
    """The switch between a page's views."""
    views = views_of(page, beside=False)
    return segments(f"{page.name}-mode", views[0].name, {view.name: view.label for view in views})


def part(view: ViewSpec, *children: Any) -> Any:
    """A view's components, hidden while another view is chosen, with the store of its settings."""
    first = views_of(view.page, beside=False)[0] is view
    name = f"{view.page.name}-{view.name}"
    return html.Div(
        [dcc.Store(id=view.state), *children, html.Div(id=f"{name}-error", role="status")],
        id=f"{name}-part",
        className="part" if first else "part hidden",
    )


def show_chosen_view(app: Dash, page: Page) -> None:
    """Show the part of the view that the page's switch chooses."""
    app.clientside_callback(
        ClientsideFunction("explorer", "showView"),
        *(Output(f"{page.name}-{view.name}-part", "className") for view in views_of(page, beside=False)),
        Input(f"{page.name}-mode", "value"),
        prevent_initial_call=False,
    )


def fits_ranges(app: Dash, graph: str) -> None:
    """Let a graph whose axes constrain each other's domain follow a figure with other ranges."""
    app.clientside_callback(
        ClientsideFunction("explorer", "fitRanges"), Output(graph, "config"), Input(graph, "figure")
    )


def draws(
    app: Dash,
    view: ViewSpec,
    graphs: Sequence[str],
    inputs: Sequence[Input | State],
    also: Sequence[Output] = (),
    blank: str = "",
) -> Callable[[Callable[..., Drawing | None]], Callable[..., Any]]:
    """Register a function that draws a view, called only while the view is on the screen.

    Args:
        app: the app.
        view: the view.
        graphs: the ids of its figures' graphs.
        inputs: the function's arguments, in order.
        also: further outputs, such as a caption.
        blank: the message of a graph without a figure.

    Returns:
        A decorator. The function returns a ``Drawing``, or None for no change; its ValueError
        and ModelError are shown in one line, and the old figures stay.
    """
    mode = f"{view.page.name}-mode"
    error_id = f"{view.page.name}-{view.name}-error"

    def decorate(draw: Callable[..., Drawing | None]) -> Callable[..., Any]:
        @app.callback(
            *(Output(graph, "figure") for graph in graphs),
            *also,
            Output(error_id, "children"),
            Output(view.state, "data"),
            Input(mode, "value"),
            *inputs,
        )
        def on_screen(chosen: str, *values: Any) -> Any:
            others = (no_update,) * (len(also) + 2)
            if chosen != view.name:
                switched = ctx.triggered_id == mode
                return *((blank_figure(blank) if switched else no_update) for _ in graphs), *others
            try:
                drawing = draw(*values)
            except (ValueError, ModelError) as error:
                return *(no_update,) * (len(graphs) + len(also)), error_line(str(error)), None
            if drawing is None:
                return *(no_update,) * len(graphs), *others
            return *drawing.figures, *drawing.also, remark_line(list(drawing.remarks)), drawing.settings.as_dict()

        return on_screen

    return decorate


@dataclass(frozen=True)
class SpecPanel:
    """The panel of a view without a panel module: a control for each setting, its figures, a caption."""

    view: ViewSpec

    @property
    def _name(self) -> str:
        return f"{self.view.page.name}-{self.view.name}"

    @property
    def _own(self) -> dict[str, Value]:
        """The settings that the page does not share among its views, with their defaults."""
        shared = self.view.page.settings.defaults()
        return {name: value for name, value in self.view.settings.defaults().items() if name not in shared}

    def layout(self) -> Any:
        """A control for each setting of its own, its figures, and the caption of the first."""
        return part(
            self.view,
            *(stores(self._name) if self.view.slow else []),
            html.Div([self._control(name, value) for name, value in self._own.items()], className="controls"),
            html.Div(id=f"{self._name}-message"),
            *(graph(f"{self._name}-{figure}-graph", self._blank) for figure in self.view.figures),
            html.P(id=f"{self._name}-caption", className="caption"),
        )

    @property
    def _blank(self) -> str:
        return f"{self.view.title} appears here"

    def _control(self, name: str, value: Value) -> Any:
        field_id, label = self.view.field(name), name.replace("_", " ")
        why, choices = self.view.settings.help_of(name), self.view.settings.choices_of(name)
        if choices:
            return labelled(
                label, why, choice(field_id, {str(one): str(one) for one in choices}, str(value), 120, why)
            )
        if isinstance(value, bool):
            return switch(field_id, label, why, checked=value)
        if isinstance(value, str):
            return labelled(label, why, dmc.TextInput(id=field_id, value=value, debounce=True, size="xs"))
        return labelled(label, why, dmc.NumberInput(id=field_id, value=value, size="xs", w=76, debounce=150))

    def _settings(self, selection: Mapping[str, Any] | None, typed: Sequence[Any]) -> ModelRequest | None:
        """The settings on the screen; the default where a field is empty."""
        if selection is None:
            return None
        own = {
            name: default if value in (None, "") else type(default)(value)
            for (name, default), value in zip(self._own.items(), typed, strict=True)
        }
        return self.view.settings.of({**selection, **own})

    def register(self, app: Dash, session: Session, jobs: Jobs) -> None:
        """Draw the view again when the page's selection or a control changes."""
        fields = [
            Input(self.view.field(name), "checked" if isinstance(value, bool) else "value")
            for name, value in self._own.items()
        ]
        inputs = [Input(self.view.page.selection, "data"), *fields]
        if self.view.slow:
            self._register_work(app, session, jobs, inputs)
            inputs = [Input(f"{self._name}-request", "data")]

        @draws(
            app,
            self.view,
            [f"{self._name}-{figure}-graph" for figure in self.view.figures],
            [Input("theme", "data"), *inputs],
            [Output(f"{self._name}-caption", "children")],
            self._blank,
        )
        def draw(theme: str, selection: Mapping[str, Any] | None, *typed: Any) -> Drawing | None:
            if self.view.slow:
                settings = None if selection is None else self.view.settings.of(selection)
            else:
                settings = self._settings(selection, typed)
            if settings is None:
                return None
            computed, style = self.view.make(session, settings), FigureStyle(theme=theme or "light")
            sized = [computed.figure(name, style) for name in self.view.figures]
            return Drawing([one.figure for one in sized], computed.settings, [sized[0].caption])

    def _register_work(self, app: Dash, session: Session, jobs: Jobs, inputs: list[Input]) -> None:
        """Compute a slow view in the background."""

        def prepare(mode: str, selection: Mapping[str, Any] | None, *typed: Any) -> Run | None:
            settings = self._settings(selection, typed)
            if mode != self.view.name or settings is None:
                return None
            return Run(settings.as_dict(), lambda progress: self.view.make(session, settings, progress))

        follow(app, jobs, self._name, [Input(f"{self.view.page.name}-mode", "value"), *inputs], [], prepare)

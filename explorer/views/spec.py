"""The contract of a view: one ``ViewSpec`` says all that the rest of the explorer must know of it.

From the registry of specs come mode switches, addresses, the Save menu, Keep, the commands ``view``
and ``remake``, notebooks and the documentation. What all views share stands here once: the envelope
of their JSON, their address, the texts that a model does not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from explorer.records.source import Source
from explorer.records.table import Table
from explorer.session.links import link_to
from explorer.session.requests import ModelRequest, TextRequest
from explorer.session.settings import Settings
from explorer.session.versions import versions

if TYPE_CHECKING:  # help names the views without torch and plotly
    from explorer.capture.loading import Progress
    from explorer.figures.figure_style import FigureStyle, SizedFigure
    from explorer.session.session import Session

Compute = Callable[["Session", Any, "Progress | None"], Any]
DrawFigure = Callable[[Any, Any, "FigureStyle"], "SizedFigure"]
_BESIDE_SETTINGS = ("model", "text", "pair", "word", "sentences")


@dataclass(frozen=True)
class Page:
    """A page with views.

    Attributes:
        name: begins the ids of its components.
        path: its address.
        title: of its tab.
        settings: what all of its views share; each is the value of the component
            ``<page>-<setting>``, and those of a text stand in the bar.
        selection: the store that holds the values of these settings.
        around: settings of what stands beside the views, which the store ``<page>-around`` holds.
        fields: the component of a setting, where it has another id.
    """

    name: str
    path: str
    title: str
    settings: type[Settings]
    selection: str
    around: type[Settings] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ViewParts:
    """The functions of a view.

    Attributes:
        compute: (session, settings, progress) to a record; raises ValueError and ModelError.
        figures: by name, (record, settings, style) to a figure as large as its labels need.
        data: (record, settings) to what is the view's own in its JSON.
        table: (record, settings) to its numbers as rows.
        stem: (record, settings) to the name of its files, without ending.
        source: a record to the model and text that it is of.
        other_model: (record, settings) to the name of a second model; empty where there is none.
    """

    compute: Compute
    figures: Mapping[str, DrawFigure]
    data: Callable[[Any, Any], dict[str, Any]]
    table: Callable[[Any, Any], Table]
    stem: Callable[[Any, Any], str]
    source: Callable[[Any], Source] = lambda record: record.source
    other_model: Callable[[Any, Any], str] = lambda _record, _settings: ""


@dataclass(frozen=True)
class ViewSpec:
    """A view: its name, its settings and where its functions are.

    Attributes:
        name: the same everywhere: folder, kind of its files, address, command, documentation.
        title: as menus offer it.
        label: of the page's switch between its views.
        page: the page it is on.
        settings: a frozen dataclass of everything that its numbers and figures depend on.
        figures: the names of its figures, the chief one first.
        folder: the package with its modules ``compute`` (``compute``), ``figure`` (``FIGURES``),
            ``data`` (``data``, ``table``, ``stem``, and where they differ from the rule
            ``source``, ``other_model``), and ``panel`` (``layout``, ``register``) where the one that is
            made from the settings is not enough.
        parts: its functions, of a view that is no folder; the page then makes its panel.
        beside: whether it stands beside every view of its page, instead of being one of them.
        second: the setting that names a second model; empty where it has none.
        slow: whether it may take seconds, so that the page computes it in the background.
    """

    name: str
    title: str
    label: str
    page: Page
    settings: type[ModelRequest]
    figures: tuple[str, ...]
    folder: str = ""
    parts: ViewParts | None = None
    beside: bool = False
    second: str = ""
    slow: bool = False

    @cached_property
    def functions(self) -> ViewParts:
        """The view's functions, imported when they are first needed."""
        if self.parts is not None:
            return self.parts
        data = import_module(f"{self.folder}.data")
        own = {name: getattr(data, name) for name in ("source", "other_model") if hasattr(data, name)}
        return ViewParts(
            import_module(f"{self.folder}.compute").compute,
            import_module(f"{self.folder}.figure").FIGURES,
            data.data,
            data.table,
            data.stem,
            **own,
        )

    @property
    def state(self) -> str:
        """The id of the store that holds the settings of the view on the screen."""
        return f"{self.page.name}-{self.name}-state"

    def field(self, setting: str) -> str:
        """The id of the component that shows a setting."""
        if setting in self.page.fields:
            return self.page.fields[setting]
        around = self.page.around.defaults() if self.page.around else {}
        shared = setting in {**self.page.settings.defaults(), **around}
        return "-".join([self.page.name, *([] if shared else [self.name]), setting.replace("_", "-")])

    def link(self, settings: ModelRequest, first: bool) -> str:
        """The address of these settings.

        Args:
            settings: of this view.
            first: whether it is the view that its page opens with.
        """
        mode = {} if first or self.beside else {"mode": self.name}
        return link_to(
            self.page.path, {**mode, **settings.as_dict()}, {**dict.fromkeys(mode, ""), **settings.defaults()}
        )

    def revisions(self, settings: ModelRequest, own: str | None, other: str | None) -> dict[str, str]:
        """The hub revision of each model that the settings name, where one is asked for.

        Raises:
            ValueError: one is asked for of a second model, and none is named.
        """
        values = settings.as_dict()
        second = str(values[self.second]).strip() if self.second else ""
        if other and not second:
            raise ValueError(f"{self.name} has no second model here for the revision {other}")
        asked = {second: other, settings.model: own}
        return {model: revision for model, revision in asked.items() if revision}

    def make(self, session: Session, settings: ModelRequest, progress: Progress | None = None) -> ComputedView:
        """Compute the view. Texts that the model does not read are left out of its settings.

        Raises:
            ValueError: a setting that the model or the text does not have.
            ModelError: the model cannot be loaded or failed.
        """
        if isinstance(settings, TextRequest):
            read = session.read_of(settings.request, progress)
            settings = replace(settings, pair=read.pair, target=read.target)
        record = self.functions.compute(session, settings.check(), progress)
        loaded = session.model(settings.model)
        return ComputedView(self, settings, record, loaded.device, loaded.dtype)


@dataclass(frozen=True)
class ComputedView:
    """A view computed for some settings; figures and files are made from its record.

    Attributes:
        spec: what is known of the view.
        settings: what it was computed from.
        record: what was computed.
        device: where the model ran.
        dtype: its precision.
    """

    spec: ViewSpec
    settings: ModelRequest
    record: Any
    device: str
    dtype: str

    @property
    def source(self) -> Source:
        """The model and the text that it is of."""
        return self.spec.functions.source(self.record)

    @property
    def stem(self) -> str:
        """The name of its files, without ending."""
        return self.spec.functions.stem(self.record, self.settings)

    @property
    def truncation(self) -> str:
        """Which part of a longer text it is of, in words; empty where it is of all."""
        return self.source.truncation

    @property
    def other_model(self) -> str:
        """The name of a second model that it was made with; empty where there is none."""
        return self.spec.functions.other_model(self.record, self.settings)

    def unread(self, asked: ModelRequest) -> tuple[str, ...]:
        """What to say of the texts among the settings that it was made without."""
        if not (isinstance(asked, TextRequest) and isinstance(self.settings, TextRequest)):
            return ()
        return asked.unread(self.settings)

    def figure(self, name: str, style: FigureStyle) -> SizedFigure:
        """One of its figures, as large as its labels need; the chief one where the name is empty.

        Raises:
            ValueError: no such figure, or one that these settings do not have.
        """
        name = name or self.spec.figures[0]
        if name not in self.spec.figures:
            raise ValueError(f"{self.spec.name} has no figure '{name}': use {', '.join(self.spec.figures)}")
        return self.spec.functions.figures[name](self.record, self.settings, style)

    def result(self) -> dict[str, Any]:
        """Its numbers with the words that explain them, as JSON has them."""
        source, own = self.source, self.spec.functions.data(self.record, self.settings)
        settings = {name: value for name, value in self.settings.in_json().items() if name not in _BESIDE_SETTINGS}
        return {
            "kind": self.spec.name,
            "model": source.model,
            "revision": source.revision,
            "text": source.text,
            "pair": source.pair,
            "truncation": source.truncation or None,
            **own,
            "settings": {**settings, "device": self.device, "dtype": self.dtype},
            "versions": versions(),
        }

    def table(self) -> Table:
        """Its numbers as rows, as CSV has them."""
        return self.spec.functions.table(self.record, self.settings).cut(self.truncation)

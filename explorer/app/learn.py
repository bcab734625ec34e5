"""The Learn page: lessons, with a step's text at the left and the real view it is about beside it.

the address (path: the lesson; step) ─> the list of lessons, or title, text and learn-view
In the browser (assets/learn.js):
    learn-view ─> the frame, which stays for all steps, opens the view's address
    back, next, the keys ─> the address
    theme, present ─> the frame
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.lessons.files import Lesson, Step, read_lessons
from explorer.lessons.questions import QUESTIONS
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.session.settings import Settings
from explorer.views.panel.running import error_line, remark_line
from explorer.views.spec import Page

PAGE: Page = Page("learn", "/learn", "Learn", Settings, selection="")
PATH = PAGE.path

_FRAME = "learn-frame"
# [CLS] is a token; [words](address) is a link.
_LONE_BRACKETS = re.compile(r"\[([^\]]*)\](?!\()")


@dataclass(frozen=True)
class Place:
    """A step of a lesson, counted from 1, and the lesson after it."""

    lesson: Lesson
    number: int
    after: Lesson | None

    @property
    def step(self) -> Step:
        """What is read and seen there."""
        return self.lesson.steps[self.number - 1]


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="learn-view"),
        html.Div(id="learn-wrong"),
        html.Section(id="learn-list", className="panel lessons hidden"),
        html.Div(
            [
                html.Section(
                    [
                        html.Header(
                            [dcc.Link("All lessons", href=PATH, className="muted"), html.Span(id="learn-progress")]
                        ),
                        html.Div(id="learn-side"),
                        _buttons(),
                    ],
                    className="panel reading",
                ),
                html.Iframe(id=_FRAME, name=_FRAME, title="The view this step is about"),
            ],
            id="learn-lesson",
            className="hidden",
        ),
    ]


def _buttons() -> Any:
    return html.Footer(
        [
            html.Button("← Back", id="learn-back", className="save", title="The step before (←)"),
            html.Button("Next →", id="learn-next", className="save", title="The step after (→)"),
            html.Button("⛶", id="learn-present", className="save", title="Presenter mode (p)"),
        ]
    )


def lesson_list(lessons: tuple[Lesson, ...], errors: tuple[str, ...]) -> list[Any]:
    """A card per lesson; errors in files that cannot be read stand above them."""
    return [
        *(error_line(error) for error in errors),
        html.H1("Attention, with a real model’s numbers"),
        html.P(
            "Each step is a short text beside the real view. Read, do what it says, then go on. "
            "Every number about a bundled model is checked against it.",
            className="muted",
        ),
        html.Div([_card(lesson) for lesson in lessons], className="cards"),
    ]


def _card(lesson: Lesson) -> Any:
    return dcc.Link(
        [
            html.B(lesson.title),
            html.Span(lesson.about),
            html.Ul([html.Li(QUESTIONS[number]) for number in lesson.questions]),
            html.Small(f"{len(lesson.steps)} steps · with {lesson.model}"),
        ],
        href=f"{PATH}/{lesson.name}",
        className="card",
    )


def step_text(place: Place) -> list[Any]:
    """The text of a step, under its lesson's title and its own."""
    step = place.step
    return [
        html.Small(place.lesson.title),
        html.H1(step.title),
        dcc.Markdown(_LONE_BRACKETS.sub(r"\\[\1\\]", step.text)),
        html.Ul([html.Li(QUESTIONS[number]) for number in step.answers], title="The questions it answers"),
        html.Small(
            [
                f"The view needs the model {step.view.parameters['model']}. ",
                html.A("Open it by itself", href=step.view.href, target="_blank"),
            ]
        ),
    ]


def find(lessons: tuple[Lesson, ...], path: str, search: str) -> tuple[Place | None, str]:
    """The step that an address names, and what is wrong with the address, as a sentence.

    Args:
        lessons: in their order.
        path: ``/learn`` or ``/learn/<lesson>``.
        search: the query, ``?step=2``; steps count from 1.
    """
    name = unquote(path.removeprefix(PATH).strip("/"))
    if not name:
        return None, ""
    order = [lesson.name for lesson in lessons]
    if name not in order:
        return None, f"there is no lesson “{name[:60]}”: choose one of those below"
    at = order.index(name)
    lesson, after = lessons[at], lessons[at + 1] if at + 1 < len(lessons) else None
    number = parse_qs(search.removeprefix("?")).get("step", ["1"])[-1]
    if number.isdecimal() and 1 <= int(number) <= len(lesson.steps):
        return Place(lesson, int(number), after), ""
    error = f"this lesson has no step “{number[:20]}”: its steps are 1 to {len(lesson.steps)}"
    return Place(lesson, 1, after), error


def register(app: Dash, _session: Session, _jobs: Jobs) -> None:
    """Register the page's callbacks; the view beside the text runs the models."""

    @app.callback(
        Output("learn-list", "children"),
        Output("learn-list", "className"),
        Output("learn-lesson", "className"),
        Output("learn-progress", "children"),
        Output("learn-side", "children"),
        Output("learn-back", "disabled"),
        Output("learn-next", "children"),
        Output("learn-view", "data"),
        Output("learn-wrong", "children"),
        Input("url", "pathname"),
        Input("url", "search"),
        prevent_initial_call=False,
    )
    def show(path: str | None, search: str | None) -> Any:
        if not f"{path or ''}/".startswith(f"{PATH}/"):
            return (no_update,) * 9
        lessons, errors = read_lessons()
        place, wrong = find(lessons, path or "", search or "")
        if place is None:
            error = error_line(wrong) if wrong else None
            cards = lesson_list(lessons, errors)
            return cards, "panel lessons", "hidden", "", None, True, "", None, error
        steps, view = len(place.lesson.steps), _view(place)
        return (
            no_update,
            "panel lessons hidden",
            "lesson",
            f"step {place.number} of {steps}",
            step_text(place),
            place.number == 1,
            _after(place),
            view,
            remark_line([wrong] if wrong else []),
        )

    _register_browser_side(app)


def _after(place: Place) -> str:
    if place.number < len(place.lesson.steps):
        return "Next →"
    return "Next lesson →" if place.after else "All lessons →"


def _view(place: Place) -> dict[str, Any]:
    """What the browser needs to show the view and to find the next step."""
    return {
        "href": place.step.view.href,
        "path": f"{PATH}/{place.lesson.name}",
        "step": place.number,
        "steps": len(place.lesson.steps),
        "next": f"{PATH}/{place.after.name}" if place.after else PATH,
    }


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any) -> None:
        app.clientside_callback(ClientsideFunction("learn", name), *wiring)

    browser(
        "open",
        Output(_FRAME, "aria-label"),
        Input("learn-view", "data"),
        State("theme", "data"),
        State("present", "data"),
    )
    browser("go", Output("learn-back", "name"), Input("learn-back", "n_clicks"), Input("learn-next", "n_clicks"))
    browser("tell", Output("learn-next", "name"), Input("theme", "data"), Input("present", "data"))
    browser(
        "togglePresent",
        Output("present", "data", allow_duplicate=True),
        Input("learn-present", "n_clicks"),
        State("present", "data"),
    )

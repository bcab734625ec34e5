"""Lessons: Markdown files, a step a heading, with the view each step opens and what it claims.

docs/lessons.md tells the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml

from explorer.lessons.claims import Claim, parse_claim
from explorer.lessons.questions import QUESTIONS

FOLDER = Path(__file__).parent

_TEXT = "model text pair target stack truncate layer head query key"
PARAMETERS = {
    "/": _TEXT.split(),
    "/embeddings": ["model", "word", "sentences", "layer"],
    "/inside": [*_TEXT.split(), "mode"],
}
MODES = ("worksheet", "points", "matrices", "mask", "contributions", "cost")  # the views of /inside
_COUNTED = ("layer", "head", "query", "key")
_LOOK = ("theme", "present")  # the reader's own: a copied address may have them
_NAME = re.compile(r"[a-z0-9-]+")
_FRONT = {"title": True, "order": True, "about": True, "model": True, "text": False}
_STEP_KEYS = ("open", "answers", "claim")

Numbered = tuple[int, str]


@dataclass(frozen=True)
class View:
    """What a step opens: a page's path and its query parameters."""

    path: str
    parameters: Mapping[str, str]

    @property
    def href(self) -> str:
        """The address, from the server's root."""
        return f"{self.path}?{urlencode(self.parameters)}"


@dataclass(frozen=True)
class Step:
    """One step: what is read, in Markdown, beside which view, and what it claims of it.

    Attributes:
        answers: numbers of ``QUESTIONS``.
    """

    title: str
    text: str
    view: View
    answers: tuple[int, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Lesson:
    """A lesson; its name is the file's, and the end of its address."""

    name: str
    title: str
    order: int
    about: str
    model: str
    steps: tuple[Step, ...]

    @property
    def questions(self) -> tuple[int, ...]:
        """Which of ``QUESTIONS`` its steps answer."""
        return tuple(sorted({number for step in self.steps for number in step.answers}))


class _BadLine(ValueError):
    """What is wrong with a line, before the file's name is known."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(what)
        self.number = number


def read_lessons(folder: Path = FOLDER) -> tuple[tuple[Lesson, ...], tuple[str, ...]]:
    """All lessons of a folder in their order, and what is wrong with those that cannot be read."""
    lessons, errors = [], []
    for path in sorted(folder.glob("*.md")):
        try:
            lessons.append(read_lesson(path))
        except ValueError as error:
            errors.append(str(error))
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.name))), tuple(errors)


def read_lesson(path: Path) -> Lesson:
    """Read one file.

    Raises:
        ValueError: it is no lesson; one line that names the file and the line.
    """
    try:
        return _lesson(path)
    except UnicodeDecodeError as error:
        number = path.read_bytes()[: error.start].count(b"\n") + 1
        what = "not UTF-8: save the file as UTF-8 text"
    except _BadLine as error:
        number, what = error.number, str(error)
    except OSError as error:
        number, what = 1, f"it cannot be read: {error.strerror}"
    raise ValueError(f"{path.name}, line {number}: {what}")


def _lesson(path: Path) -> Lesson:
    if not _NAME.fullmatch(path.stem):
        raise _BadLine(1, "name the file with small letters, digits and hyphens: my-lesson.md")
    lines = list(enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1))
    front, body = _front(lines)
    steps = tuple(_step(part, front) for part in _parts(body))
    if not steps:
        raise _BadLine(len(lines), "the lesson has no step: begin one with “## Title”")
    return Lesson(path.stem, front["title"], int(front["order"]), front["about"], front["model"], steps)


def _front(lines: list[Numbered]) -> tuple[dict[str, str], list[Numbered]]:
    """The keys between two lines of ---, which are YAML, and the lines after them."""
    fences = [place for place, (_, line) in enumerate(lines) if line.strip() == "---"]
    if not fences or fences[0] != 0:
        raise _BadLine(1, "no front matter: begin the file with a line ---")
    if len(fences) < 2:
        raise _BadLine(1, "the front matter has no end: close it with a line ---")
    front: dict[str, str] = {}
    for number, key, value in _yaml(lines[1 : fences[1]]):
        _check_key(number, key, value, tuple(_FRONT))
        if key in front:
            raise _BadLine(number, f"“{key}” stands there twice")
        if key == "order" and not value.isdecimal():
            raise _BadLine(number, f"order must be a number, not “{value}”")
        front[key] = value
    for key, needed in _FRONT.items():
        if needed and key not in front:
            raise _BadLine(lines[fences[1]][0], f"the front matter has no “{key}: …”")
    return front, lines[fences[1] + 1 :]


def _yaml(lines: list[Numbered]) -> Iterator[tuple[int, str, str]]:
    """Each key of a YAML mapping with its line and its value, as it is written: 1 and yes are texts."""
    try:
        mapping = yaml.compose("\n".join(line for _, line in lines), yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        # Of a line without a colon, or an open quote, the problem is only seen on a later one.
        scanning = (error.context or "").startswith("while scanning")
        mark = error.context_mark if scanning else error.problem_mark
        number, line = lines[min(mark.line, len(lines) - 1) if mark else 0]
        how = "put a value with “: ” or “ #” inside into quotes"
        raise _BadLine(number, f"“{line.strip()}” is no “key: value” of YAML ({error.problem}): {how}") from None
    except yaml.YAMLError:  # of a character, which has no mark
        raise _BadLine(lines[0][0], "the front matter has a character that YAML does not allow") from None
    if mapping is not None and not isinstance(mapping, yaml.MappingNode):
        raise _BadLine(lines[mapping.start_mark.line][0], "the front matter is no lines “key: value”")
    for key, value in mapping.value if mapping else ():
        number = lines[key.start_mark.line][0]
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise _BadLine(number, f"“{lines[key.start_mark.line][1].strip()}” is no text: put it into quotes")
        yield number, key.value, value.value.strip()


def _key(number: int, line: str, known: tuple[str, ...]) -> tuple[str, str]:
    key, colon, value = (part.strip() for part in line.partition(":"))
    if not colon:
        raise _BadLine(number, f"“{line.strip()}” is no “key: value”")
    _check_key(number, key, value, known)
    return key, value


def _check_key(number: int, key: str, value: str, known: tuple[str, ...]) -> None:
    if key not in known:
        raise _BadLine(number, f"unknown key “{key}”: use {', '.join(known)}")
    if not value:
        raise _BadLine(number, f"“{key}” has no value")


def _parts(body: list[Numbered]) -> Iterator[list[Numbered]]:
    """The lines of each step, its heading first."""
    part: list[Numbered] = []
    for number, line in body:
        if line.startswith("##") and not line.startswith("###"):
            if part:
                yield part
            part = [(number, line)]
        elif part:
            part.append((number, line))
        elif line.strip():
            raise _BadLine(number, "a step without a heading: begin it with “## Title”")
    if part:
        yield part


def _step(lines: list[Numbered], front: Mapping[str, str]) -> Step:
    first, heading = lines[0]
    title = heading.removeprefix("##").strip()
    if not title:
        raise _BadLine(first, "a step without a heading: write its title after ##")
    end = next((i for i, (_, line) in enumerate(lines) if not line.strip()), len(lines))
    keys = [(number, *_key(number, line, _STEP_KEYS)) for number, line in lines[1:end]]
    opens = [(number, value) for number, key, value in keys if key == "open"]
    if len(opens) != 1:
        many = "two lines" if opens else "no line"
        raise _BadLine(
            opens[1][0] if opens else first,
            f"the step “{title}” has {many} “open: …”: put one right under its heading",
        )
    text = "\n".join(line for _, line in lines[end:]).strip()
    if not text:
        raise _BadLine(first, f"the step “{title}” has no text: write it after an empty line")
    view = _view(*opens[0], front)
    said = [(number, value) for number, key, value in keys if key == "claim"]
    claims = tuple(_claim(number, value, view) for number, value in said)
    return Step(title, text, view, tuple(_answers(keys)), claims)


def _view(number: int, address: str, front: Mapping[str, str]) -> View:
    """The view of an address, as the Link button copies it; the host is left out."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise _BadLine(number, f"“{address}” is no address") from None
    if parts.path not in PARAMETERS:
        raise _BadLine(number, f"unknown page “{parts.path}”: use {', '.join(PARAMETERS)}")
    if "#" in address:
        raise _BadLine(number, "a # in an address must be written %23")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _BadLine(number, "the address must be name=value, joined by &; in a text write & as %26") from None
    known = PARAMETERS[parts.path]
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in _LOOK:
            continue
        if name not in known:
            raise _BadLine(number, f"{parts.path} knows no parameter “{name}”: use {', '.join(known)}")
        if name in given:
            raise _BadLine(number, f"“{name}” stands in the address twice")
        if name in _COUNTED and not value.isdecimal():
            raise _BadLine(number, f"{name} must be a number counted from 0, not “{value}”")
        if name == "mode" and value not in MODES:
            raise _BadLine(number, f"unknown mode “{value}”: use {', '.join(MODES)}")
        given[name] = value
    defaults = {key: front[key] for key in ("model", "text") if key in front and key in known}
    return View(parts.path, defaults | given)


def _claim(number: int, line: str, view: View) -> Claim:
    texts = [view.parameters[name] for name in ("text", "pair") if name in view.parameters]
    try:
        return parse_claim(line, view.parameters["model"], " | ".join(texts))
    except ValueError as error:
        raise _BadLine(number, str(error)) from None


def _answers(keys: Iterable[tuple[int, str, str]]) -> Iterator[int]:
    for number, key, value in keys:
        if key != "answers":
            continue
        for word in value.replace(",", " ").split():
            if not word.isdecimal() or int(word) not in QUESTIONS:
                raise _BadLine(number, f"“{word}” is no question: they are 1 to {len(QUESTIONS)}")
            yield int(word)


def questions_table(lessons: Iterable[Lesson]) -> str:
    """Where each question is answered, as the Markdown table of docs/lessons.md."""
    rows = ["| | question | lesson and step |", "|--:|---|---|"]
    answered = [
        (number, f"{lesson.title}, step {place}")
        for lesson in lessons
        for place, step in enumerate(lesson.steps, start=1)
        for number in step.answers
    ]
    for number, question in QUESTIONS.items():
        where = "; ".join(place for answers, place in answered if answers == number)
        rows.append(f"| {number} | {question} | {where} |")
    return "\n".join(rows)

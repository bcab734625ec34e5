"""Lessons: every claim of theirs, worked out anew; how a file is read; what is wrong with one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from explorer.app import learn
from explorer.lessons.claims import KINDS, Claim, parse_claim
from explorer.lessons.files import FOLDER, MODES, PARAMETERS, Lesson, questions_table, read_lesson, read_lessons
from explorer.lessons.questions import QUESTIONS
from explorer.views.inside.page import PAGE
from explorer.views.registry import views_of
from tests.claims import CLAIMS

ROOT = Path(__file__).parents[2]

LESSONS, ERRORS = read_lessons()
ALL_CLAIMS = [
    pytest.param(claim, id=f"{lesson.name}-{number}-{claim.name}-{place}")
    for lesson in LESSONS
    for number, step in enumerate(lesson.steps, start=1)
    for place, claim in enumerate(step.claims)
]

GOOD = """---
title: A lesson
order: 3
about: What it is about.
model: minilm
text: The apple & the pear.
---

## First
open: /?layer=1&head=8&query=2
answers: 1, 14
claim: attention layer=1 head=8 query=apple key="the·1" at least 0.5

Some *text*.

open: this is text, too

## Second
open: http://localhost:8050/embeddings?model=smollm2&word=apple&sentences=a | An apple.%0Ab | One.

More.
"""


@pytest.mark.parametrize("claim", ALL_CLAIMS)
def test_what_a_lesson_claims_is_true(claim: Claim) -> None:
    found = CLAIMS[claim.name](claim.model, claim.text, **claim.arguments)
    assert claim.holds(found), f"{claim.relation} {claim.number} is claimed; it is {found}"


def test_claims_that_can_be_written_can_be_checked() -> None:
    assert CLAIMS.keys() == KINDS.keys()
    for name, function in CLAIMS.items():
        taken = inspect.signature(function).parameters
        if any(place.kind is place.VAR_KEYWORD for place in taken.values()):
            continue  # handed on to one that is checked here
        known = {"model", "text", *KINDS[name].arguments, *KINDS[name].optional}
        assert set(taken) == known, name


class TestTheLessons:
    def test_all_can_be_read(self) -> None:
        assert ERRORS == ()
        assert len(LESSONS) == len(list(FOLDER.glob("*.md"))) >= 11
        assert [lesson.order for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))

    @pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
    def test_steps_are_short_and_have_something_to_do(self, lesson: Lesson) -> None:
        assert 3 <= len(lesson.steps) <= 6
        for step in lesson.steps:
            assert 50 <= len(step.text.split()) <= 125, step.title
            assert "**Do this:**" in step.text, step.title

    def test_every_step_of_a_bundled_model_claims_something(self) -> None:
        silent = [
            step.title
            for lesson in LESSONS
            for step in lesson.steps
            if not step.claims and step.view.parameters["model"] in ("minilm", "smollm2")
        ]
        assert silent == []

    def test_every_question_is_answered_and_the_guide_says_where(self) -> None:
        answered = {number for lesson in LESSONS for number in lesson.questions}
        assert answered == set(QUESTIONS) == set(range(1, 21))
        table = questions_table(LESSONS)
        assert table in (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
        assert "| |\n" not in table


class TestReading:
    def _read(self, tmp_path: Path, text: str, name: str = "a-lesson.md") -> Lesson:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return read_lesson(path)

    @pytest.mark.parametrize("change", [str, lambda text: text.replace("\n", "\r\n")])
    def test_a_file(self, tmp_path: Path, change: Callable[[str], str]) -> None:
        lesson = self._read(tmp_path, change(GOOD))
        assert (lesson.name, lesson.title, lesson.order) == ("a-lesson", "A lesson", 3)
        assert (lesson.about, lesson.questions) == ("What it is about.", (1, 14))
        first, second = lesson.steps
        assert first.text == "Some *text*.\n\nopen: this is text, too"
        assert first.view.parameters == {
            "model": "minilm",
            "text": "The apple & the pear.",
            "layer": "1",
            "head": "8",
            "query": "2",
        }
        assert first.view.href == ("/?model=minilm&text=The+apple+%26+the+pear.&layer=1&head=8&query=2")
        assert first.claims == (
            Claim(
                "attention",
                "minilm",
                "The apple & the pear.",
                {"layer": "1", "head": "8", "query": "apple", "key": "the·1"},
                "at least",
                "0.5",
            ),
        )
        assert second.view.path == "/embeddings"
        assert second.view.parameters == {"model": "smollm2", "word": "apple", "sentences": "a | An apple.\nb | One."}

    @pytest.mark.parametrize(
        ("line", "instead", "number", "tells"),
        [
            ("title: A lesson", "titel: A lesson", 2, "unknown key “titel”: use title"),
            ("order: 3", "order: 3\norder: 4", 4, "“order” stands there twice"),
            ("order: 3", "order: third", 3, "order must be a number, not “third”"),
            ("order: 3", "order : third", 3, "order must be a number, not “third”"),
            ("order: 3", " order: 3", 3, "“order: 3” is no “key: value” of YAML"),
            ("title: A lesson", "title: A lesson: of two", 2, "put a value with “: ” or “ #” inside into quotes"),
            ("title: A lesson", "title: [A lesson]", 2, "“title: [A lesson]” is no text: put it into quotes"),
            ("title: A lesson", "title: 'A lesson", 2, "is no “key: value” of YAML"),
            ("title: A lesson", "title: A\x07lesson", 2, "a character that YAML does not allow"),
            ("/?layer=1&head=8&query=2", "/inside?mode=maps", 10, "unknown mode “maps”: use worksheet"),
            ("/?layer=1&head=8&query=2", "http://[x", 10, "“http://[x” is no address"),
            ("order: 3", "order", 3, "“order” is no “key: value”"),
            ("title: A lesson", "title:", 2, "“title” has no value"),
            ("about: What it is about.\n", "", 6, "the front matter has no “about: …”"),
            ("---\ntitle", "title", 1, "no front matter"),
            ("pear.\n---", "pear.", 1, "the front matter has no end"),
            ("## First", "First", 9, "a step without a heading"),
            ("## First", "##", 9, "a step without a heading"),
            ("## Second\n", "## Second\n\n", 18, "has no line “open: …”"),
            ("answers: 1, 14", "open: /", 11, "has two lines “open: …”"),
            ("answers: 1, 14", "answer: 1", 11, "unknown key “answer”: use open"),
            ("answers: 1, 14", "answers: 1, 21", 11, "“21” is no question: they are 1 to 20"),
            ("/?layer=1", "/haeds?layer=1", 10, "unknown page “/haeds”: use /, "),
            ("/?layer=1", "/?layer=one", 10, "layer must be a number counted from 0, not “one”"),
            ("/?layer=1", "/?layer=-1", 10, "layer must be a number"),
            ("/?layer=1", "/?Layer=1", 10, "/ knows no parameter “Layer”: use model"),
            ("/?layer=1", "/?word=apple", 10, "/ knows no parameter “word”"),
            ("/?layer=1", "/?layer=1&layer=2", 10, "“layer” stands in the address twice"),
            ("/?layer=1", "/?text=a & b", 10, "write & as %26"),
            ("&query=2", "&text=C#", 10, "must be written %23"),
            ("attention layer", "atention layer", 12, "unknown claim “atention”: use attention"),
            ("claim: attention layer=1", "claim: attention", 12, "needs layer=…"),
            ("claim: attention layer=1", "claim: attention layer=x", 12, "layer must be a number"),
            ("key=", "kex=3 key=", 12, "knows no “kex”: use layer, head"),
            ("at least 0.5", "around 0.5", 12, "must end in “at least”, “at most” or “is”"),
            ("at least 0.5", "at least half", 12, "must end in"),
            ("at least 0.5", "", 12, "must end in"),
            ('"the·1"', '"the·1', 12, "a quote of the claim is never closed"),
            ("attention layer", "masked layer", 12, "is true or not: leave out “at least 0.5”"),
            ("\n\nMore.\n", "\n", 18, "the step “Second” has no text"),
        ],
    )
    def test_a_bad_file(self, tmp_path: Path, line: str, instead: str, number: int, tells: str) -> None:
        assert line in GOOD
        with pytest.raises(ValueError, match=f"^a-lesson.md, line {number}: ") as said:
            self._read(tmp_path, GOOD.replace(line, instead, 1))
        assert tells in str(said.value)
        assert "\n" not in str(said.value)

    def test_a_file_without_steps_or_letters(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"line 1: no front matter"):
            self._read(tmp_path, "")
        with pytest.raises(ValueError, match=r"line 7: the lesson has no step"):
            self._read(tmp_path, GOOD.partition("\n## ")[0].rstrip())
        with pytest.raises(ValueError, match=r"^My Lesson.md, line 1: name the file with small"):
            self._read(tmp_path, GOOD, "My Lesson.md")
        path = tmp_path / "latin.md"
        path.write_bytes(b"---\ntitle: caf\xe9\n---\n")
        with pytest.raises(ValueError, match=r"^latin.md, line 2: not UTF-8"):
            read_lesson(path)

    def test_a_bad_file_leaves_the_others(self, tmp_path: Path) -> None:
        (tmp_path / "later.md").write_text(GOOD, encoding="utf-8")
        (tmp_path / "earlier.md").write_text(GOOD.replace("order: 3", "order: 1"), encoding="utf-8")
        (tmp_path / "bad.md").write_text("no lesson", encoding="utf-8")
        lessons, errors = read_lessons(tmp_path)
        assert [lesson.name for lesson in lessons] == ["earlier", "later"]
        assert errors == ("bad.md, line 1: no front matter: begin the file with a line ---",)


class TestClaims:
    @pytest.mark.parametrize(
        ("ends", "found", "holds"),
        [
            ("at least 0.5", 0.5, True),
            ("at least 0.5", 0.49, False),
            ("at most 0.5", 0.5, True),
            ("at most 0.5", 0.51, False),
            ("is 0.50", 0.504, True),
            ("is 0.50", 0.494, False),
            ("is 0.5", 0.54, True),
            ("is -0.02", -0.0195, True),
            ("is 12", 12.0, True),
            ("is 12", 13.0, False),
        ],
    )
    def test_a_number_is_compared(self, ends: str, found: float, holds: bool) -> None:
        claim = parse_claim(f"config name=hidden_size {ends}", "minilm", "")
        assert claim.holds(found) is holds

    def test_what_is_true_or_not(self) -> None:
        claim = parse_claim("masked layer=0 head=0 query=a key=b model=smollm2", "minilm", "A b.")
        assert (claim.model, claim.text) == ("smollm2", "A b.")
        assert claim.holds(True)
        assert not claim.holds(False)

    def test_a_false_claim_is_found_out(self) -> None:
        text = "The apple unveiled a phone."
        for line in (
            "masked layer=0 head=1 query=apple key=phone",
            "attention layer=0 head=1 query=apple key=phone is 0.69",
            "strongest layer=0 head=2 query=apple key=phone",
            "leads name=previous_token layer=0 head=3",
        ):
            claim = parse_claim(line, "minilm", text)
            assert not claim.holds(CLAIMS[claim.name](claim.model, claim.text, **claim.arguments))


class TestThePage:
    @pytest.mark.parametrize(
        ("path", "search", "lesson", "number", "tells"),
        [
            ("/learn", "", None, 0, ""),
            ("/learn/", "?step=2", None, 0, ""),
            ("/learn/masking", "", "masking", 1, ""),
            ("/learn/masking", "?theme=dark&step=3", "masking", 3, ""),
            ("/learn/masking", "?step=9", "masking", 1, "no step “9”: its steps are 1 to 5"),
            ("/learn/masking", "?step=0", "masking", 1, "no step “0”"),
            ("/learn/masking", "?step=two", "masking", 1, "no step “two”"),
            ("/learn/%3Cb%3E", "", None, 0, "there is no lesson “<b>”: choose one"),
            ("/learn/masking/2", "", None, 0, "there is no lesson “masking/2”"),
        ],
    )
    def test_an_address(self, path: str, search: str, lesson: str | None, number: int, tells: str) -> None:
        place, wrong = learn.find(LESSONS, path, search)
        assert (place.lesson.name if place else None) == lesson
        assert (place.number if place else 0) == number
        assert tells in wrong if tells else wrong == ""

    def test_the_list_tells_what_cannot_be_read(self) -> None:
        shown = _words(learn.lesson_list(LESSONS, ("bad.md, line 1: no front matter",)))
        assert "bad.md, line 1: no front matter." in shown
        for lesson in LESSONS:
            assert lesson.title in shown
            assert f"{len(lesson.steps)} steps" in shown

    def test_a_token_in_brackets_is_no_link(self) -> None:
        place, _ = learn.find(LESSONS, "/learn/queries-keys-values", "?step=4")
        assert place
        (markdown,) = (part for part in learn.step_text(place) if type(part).__name__ == "Markdown")
        assert r"\[CLS\]" in markdown.children
        assert "[CLS" not in markdown.children.replace(r"\[CLS", "")

    def test_pages_and_parameters_are_those_of_the_address(self) -> None:
        """assets/explorer.js writes and reads these."""
        script = (ROOT / "assets" / "explorer.js").read_text(encoding="utf-8")
        for path in PARAMETERS:
            assert f'"{path}": ' in script


def _words(parts: Any) -> str:
    """All the text of components."""
    if isinstance(parts, str):
        return parts
    if isinstance(parts, list | tuple):
        return " ".join(map(_words, parts))
    return _words(parts.children or "") if isinstance(parts, Component) else ""


def test_the_modes_are_those_of_the_page() -> None:
    assert tuple(view.name for view in views_of(PAGE)) == MODES


def test_a_copied_address_keeps_no_look(tmp_path: Path) -> None:
    path = tmp_path / "a-lesson.md"
    path.write_text(GOOD.replace("query=2", "query=2&theme=dark&present=true"), encoding="utf-8")
    assert read_lesson(path).steps[0].view.parameters.keys() & {"theme", "present"} == set()


def test_what_cannot_be_read_spoils_no_other_lesson(tmp_path: Path) -> None:
    (tmp_path / "a-folder.md").mkdir()
    (tmp_path / "a-lesson.md").write_text(GOOD, encoding="utf-8")
    lessons, errors = read_lessons(tmp_path)
    assert [lesson.name for lesson in lessons] == ["a-lesson"]
    assert len(errors) == 1
    assert errors[0].startswith("a-folder.md, line 1: it cannot be read")

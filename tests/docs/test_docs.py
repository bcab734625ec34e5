"""The documentation says what the code does: fresh, complete, linked, and its examples work."""

from __future__ import annotations

import doctest
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from PIL import Image

import explorer
from docs.generate import pages
from explorer.analysis.measures.by_layer import ANCHOR_MEASURE, CONTEXT_MEASURES
from explorer.cli.main import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
COMMANDS = typer.main.get_command(app).commands
MOST_BYTES_OF_A_PICTURE = 120_000
SCREEN_AND_A_HALF = 90  # lines, at 60 a screen

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _text(page: Path | str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def _prose(page: Path) -> str:
    """A page without its blocks of code, where brackets are no links and # is no title."""
    return _FENCE.sub("", _text(page))


def _sections(page: str) -> dict[str, str]:
    """What stands under each title of a page, to the next one."""
    _, *parts = _TITLE.split(_text(page))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _blocks(page: Path, language: str) -> list[str]:
    return [body for name, body in _FENCE.findall(_text(page)) if name == language]


def _anchors(page: Path) -> list[str]:
    """The names a forge gives a page's titles: small letters, no marks but - and _, hyphens."""
    titles = (title.replace("`", "") for title in _TITLE.findall(_prose(page)))
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_pages_are_fresh(name: str) -> None:
    assert pages()[name] == _text(name), f"docs/{name} is not what the code says: run make docs"


class TestMeasures:
    @pytest.mark.parametrize("name", explorer.MEASURES)
    def test_of_heads(self, name: str) -> None:
        told, measure = _sections("measures.md")[name], explorer.MEASURES[name]
        for said in (measure.title, measure.unit, measure.source, measure.undefined):
            assert said in told
        assert f"`{measure.formula}`" in told
        assert f"range: {measure.range[0]} " in told
        assert ("and up" if measure.range[1] is None else f"to {measure.range[1]}") in told

    @pytest.mark.parametrize("name", [*CONTEXT_MEASURES, ANCHOR_MEASURE.name])
    def test_of_words(self, name: str) -> None:
        told = _sections("measures.md")[name]
        measure = {**CONTEXT_MEASURES, ANCHOR_MEASURE.name: ANCHOR_MEASURE}[name]
        for said in (measure.title, measure.source, measure.null, measure.undefined):
            assert said in told
        assert f"`{measure.formula}`" in told

    @pytest.mark.parametrize(
        ("name", "formula", "source"),
        [
            ("pattern_match", "Σ A·D / Σ A", "TransformerLens"),
            ("head_distance", "Jensen–Shannon", "Clark et al. 2019"),
            ("norm_weights", "‖A[q, k] · (x_k W_V + b_V) W_O‖", "Kobayashi et al. 2020"),
            ("experiments.null", "(score − mean) / standard deviation", "permutation test"),
            ("experiments.best_offset", "the o with the largest Σ_q A[q, q+o]", "Clark et al."),
            ("experiments.induction_probe", "two copies of 50 random tokens", "Olsson et al. 2022"),
        ],
    )
    def test_beside_them(self, name: str, formula: str, source: str) -> None:
        told = _sections("measures.md")[name]
        assert formula in told
        assert source in told
        assert "undefined: " in told


class TestPython:
    def _public(self) -> Iterator[tuple[str, object]]:
        for name in explorer.__all__:
            thing = getattr(explorer, name)
            yield (f"class {name}" if inspect.isclass(thing) else name), thing
        for name in explorer.experiments.__all__:
            yield f"experiments.{name}", getattr(explorer.experiments, name)

    def test_every_public_name_with_its_first_sentence(self) -> None:
        told = _sections("api.md")
        for title, thing in self._public():
            assert title in told
            if title != "MEASURES":
                first = inspect.getdoc(thing).splitlines()[0].replace("``", "`")
                assert first in told[title], title

    @pytest.mark.parametrize(
        "described", [explorer.Capture, explorer.Stack, explorer.LoadedModel], ids=lambda c: c.__name__
    )
    def test_all_that_a_class_has(self, described: type) -> None:
        told = _sections("api.md")
        for name, member in vars(described).items():
            if name.startswith("_"):
                continue
            if inspect.isfunction(member):
                assert f"{described.__name__}.{name}" in told
            else:
                assert f"- `{name}`: " in told[f"class {described.__name__}"], name

    def test_attributes_of_instances(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, "She ate.")
        for thing in (minilm, cap, cap.stack()):
            told = _sections("api.md")[f"class {type(thing).__name__}"]
            for name in vars(thing):
                assert name.startswith("_") or f"- `{name}`: " in told, name

    def test_arguments_and_defaults(self) -> None:
        signature = _sections("api.md")["capture"].partition("```python\n")[2]
        assert signature.startswith(
            "capture(\n    model: LoadedModel,\n    text: str,\n    pair: str | None = None,\n"
            "    target: str | None = None,\n    *,\n    truncate: bool = False,\n) -> Capture\n"
        )


class TestCommandLine:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_with_all_it_takes(self, name: str) -> None:
        told = _sections("command-line.md")[name]
        for parameter in COMMANDS[name].params:
            if parameter.param_type_name == "argument":
                assert f"| `{parameter.metavar}` |" in told
                continue
            for option in parameter.opts:
                assert option in told
        assert f"python -m explorer {name} " in told

    def test_defaults(self) -> None:
        told = _sections("command-line.md")["worksheet"]
        assert "| `--digits` | `2` | Decimals on the page" in told
        assert "| `--query` | required | The token" in told
        assert "| `--model`, `-m` | `minilm` |" in told
        assert "| `--stack` | the first | encoder" in told

    def test_exit_codes(self) -> None:
        told = _sections("command-line.md")["Exit codes"]
        assert re.findall(r"^\| (\d+) \|", told, re.MULTILINE) == ["0", "1", "2", "130"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPages:
    def test_links_lead_somewhere(self, page: Path) -> None:
        for link in _LINK.findall(_prose(page)):
            if link.startswith(("http://", "https://")):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name} links to {link}"
            if anchor:
                assert anchor in _anchors(target), f"{page.name} links to {link}"

    def test_no_two_titles_are_linked_to_alike(self, page: Path) -> None:
        anchors = _anchors(page)
        assert sorted(anchors) == sorted(set(anchors))

    def test_commands_that_are_there(self, page: Path) -> None:
        """Options and arguments are parsed as the shell would give them; nothing is run."""
        for line in (line for block in _blocks(page, "sh") for line in block.splitlines()):
            words = shlex.split(line, comments=True)
            while "-m" in words and words[words.index("-m") + 1] == "explorer":
                name, *words = words[words.index("-m") + 2 :]
                assert name in COMMANDS, f"{page.name}: {line}"
                ends = (words.index(word) for word in ("|", ">", "&&") if word in words)
                given = words[: min(ends, default=len(words))]
                COMMANDS[name].make_context(name, list(given))

    def test_files_that_are_there(self, page: Path) -> None:
        for path in re.findall(r"`((?:bench|docs|explorer|tests)/[\w/.-]+)`", _text(page)):
            assert (ROOT / path).exists(), f"{page.name} names {path}"

    def test_short_commands_in_the_text(self, page: Path) -> None:
        for name in re.findall(r"`python -m explorer ([a-z]+)", _prose(page)):
            assert name in COMMANDS


def test_a_wrong_option_would_be_seen() -> None:
    with pytest.raises(typer.exceptions.TyperException, match="--lyer"):
        COMMANDS["heatmap"].make_context("heatmap", ["text", "--lyer", "1", "--head", "8"])


def test_every_page_is_in_the_index() -> None:
    listed = set(_LINK.findall(_text("README.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed


def test_pictures_are_small_and_all_of_them_shown() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in _LINK.findall(_prose(page))
        if link.endswith(".png")
    }
    files = set((DOCS / "pictures").iterdir())
    assert files == shown
    for path in files:
        assert path.stat().st_size < MOST_BYTES_OF_A_PICTURE
        with Image.open(path) as picture:
            assert picture.width >= 600


def test_the_readme_is_a_screen_and_a_half() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= SCREEN_AND_A_HALF


@pytest.mark.parametrize("name", ["quick-start.md", "extending.md"])
def test_examples_give_what_they_say(name: str, minilm: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "load_model", {"minilm": minilm}.__getitem__)
    sessions = "\n".join(_blocks(DOCS / name, "pycon"))
    test = doctest.DocTestParser().get_doctest(sessions, {}, name, str(DOCS / name), 0)
    assert len(test.examples) > 5
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)


def test_the_readmes_example_runs(minilm: explorer.LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "load_model", {"minilm": minilm}.__getitem__)
    scope: dict[str, Any] = {}
    for block in _blocks(ROOT / "README.md", "python"):
        exec(block, scope)
    assert scope["cap"].attention(layer=1, head=8).shape == (12, 12)

"""requirements.txt declares every package that explorer/ imports."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

ROOT = Path(__file__).parents[1]


def imported(source: str) -> set[str]:
    """The top names of a module's absolute imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def undeclared(names: set[str], requirements: str) -> set[str]:
    """Which of these imports are neither Python's own, the package's, nor of a declared distribution."""
    declared = {_plain(name) for name in re.findall(r"^([\w.-]+)==", requirements, re.MULTILINE)}
    installed = packages_distributions()
    foreign = names - sys.stdlib_module_names - {"explorer"}
    return {name for name in foreign if not declared & {_plain(one) for one in installed.get(name, [])}}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def requirements() -> str:
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_every_import_is_declared(requirements: str) -> None:
    files = [*(ROOT / "explorer").rglob("*.py"), ROOT / "app.py"]
    names = set().union(*(imported(path.read_text(encoding="utf-8")) for path in files))
    assert {"torch", "PIL", "scipy"} <= names
    assert undeclared(names, requirements) == set()


def test_an_undeclared_import_is_found(requirements: str) -> None:
    source = "import os.path\ndef f():\n    from PIL.Image import new\n    import pytest, yet_unknown"
    assert undeclared(imported(source), requirements) == {"pytest", "yet_unknown"}
    assert undeclared(imported(source), "") == {"PIL", "pytest", "yet_unknown"}


def test_the_bundled_part_of_plotly_is_of_the_installed_version() -> None:
    """Figures are checked by one version in Python and drawn by the other in the browser."""
    head = (ROOT / "assets" / "vendor" / "plotly-cartesian.min.js").read_text(encoding="utf-8")[:200]
    assert f"plotly.js (cartesian - minified) v{get_plotlyjs_version()}" in head, (
        "take plotly-cartesian.min.js from npm's plotly.js-cartesian-dist-min of that version"
    )

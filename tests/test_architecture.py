"""Imports point one way, torch and Dash stay where they belong; read from the source."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lowest first. A module imports from layers below its own, or its own package. Every module of
# explorer/ stands here once, by its first name (figures.style: figures).
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "records tables links kept_states",
        "failures tokens bundled hub jobs results projection measures starting sentences "
        "lesson_claims lesson_questions",
        "adapters head_layers words ready_sets attention_call lesson_files",
        "recorder views figures",
        "checkpoints footprint export eager_run requests",
        "models",
        "stack",
        "capture",
        "experiments positions readout head_maps identities vocabulary shelf",
        "session",
        "exhibits",
        "notebook",
        "__init__",
        "pages",
        "web",
        "cli",
        "__main__",
    )
)
# Numpy in, numpy out: these import each other only.
PLAIN = frozenset(
    [
        "records",
        "tables",
        "links",
        "kept_states",
        "tokens",
        "bundled",
        "hub",
        "jobs",
        "results",
        "projection",
        "measures",
        "words",
        "sentences",
        "ready_sets",
        "lesson_claims",
        "lesson_files",
        "lesson_questions",
        "views",
        "figures",
        "export",
        "requests",
        "requests",
    ]
)
MAY_IMPORT = {
    "torch": frozenset(
        [
            "failures",
            "adapters",
            "recorder",
            "eager_run",
            "attention_call",
            "head_layers",
            "checkpoints",
            "footprint",
            "models",
            "stack",
            "capture",
            "positions",
            "readout",
            "head_maps",
            "vocabulary",
        ]
    ),
    "psutil": frozenset(["footprint"]),
    "transformers": frozenset(["adapters", "head_layers", "recorder", "eager_run", "checkpoints", "models"]),
    "dash": frozenset(["pages", "web"]),
    "dash_mantine_components": frozenset(["pages", "web"]),
    "dash_ag_grid": frozenset(["pages", "web"]),
    "typer": frozenset(["cli"]),
    "pyarrow": frozenset(["export"]),
}


def _modules(package: Path) -> dict[str, Path]:
    """Dotted name under the package ("figures.style", "__init__") to file."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        names[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return names


def _imported(path: Path, package: Path) -> set[str]:
    """Every name a file imports, at its top or inside a function; relative ones made absolute."""
    found = set()
    inside = [package.name, *path.relative_to(package).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found


def _graph(package: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each module: the modules of the package it imports, and the libraries."""
    modules = _modules(package)
    own: dict[str, set[str]] = {}
    libraries: dict[str, set[str]] = {}
    for name, path in modules.items():
        own[name], libraries[name] = set(), set()
        for imported in _imported(path, package):
            first, *rest = imported.split(".")
            if first != package.name:
                libraries[name].add(first)
                continue
            if rest == ["__version__"]:  # a constant, anyone's
                continue
            # The longest part of the name that is a module; what is left is a name in it.
            parts = [".".join(rest[:n]) for n in range(len(rest), 0, -1)]
            own[name].add(next((part for part in parts if part in modules), "__init__"))
    return own, libraries


def _layer(module: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if module.partition(".")[0] in layer)


def violations(package: Path) -> list[str]:
    """Each broken rule, in words."""
    own, libraries = _graph(package)
    known = frozenset().union(*LAYERS)
    unlisted = [name for name in own if name.partition(".")[0] not in known]
    if unlisted:
        return [f"{name} is in no layer of tests/test_architecture.py" for name in unlisted]
    found = []
    for name, imported in own.items():
        home = name.partition(".")[0]
        for other in sorted(imported):
            away = other.partition(".")[0]
            if away == home:
                continue
            if _layer(other) >= _layer(name):
                found.append(f"{name} imports {other}, which is not below it")
            if home in PLAIN and away not in PLAIN:
                found.append(f"{name} imports {other}, which knows torch")
    for name, imported in libraries.items():
        for library in sorted(imported & MAY_IMPORT.keys()):
            if name.partition(".")[0] not in MAY_IMPORT[library]:
                found.append(f"{name} imports {library}")
    try:
        graphlib.TopologicalSorter({name: imported - {name} for name, imported in own.items()}).prepare()
    except graphlib.CycleError as error:
        found.append(f"imports go in a circle: {' → '.join(error.args[1])}")
    return found


def test_the_package_itself_is_for_others() -> None:
    """On the command line it has none of its names: help and completion do without torch."""
    own, _ = _graph(ROOT / "explorer")
    assert [name for name, imported in own.items() if "__init__" in imported] == []


def test_imports_point_one_way() -> None:
    assert violations(ROOT / "explorer") == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"records.py": "import numpy"}, []),
        ({"views.py": "from explorer.records import Tokens", "records.py": ""}, []),
        (
            {"models.py": "from explorer import capture", "capture.py": ""},
            ["models imports capture, which is not below it"],
        ),
        (
            {"views.py": "def f():\n    import explorer.capture", "capture.py": ""},
            ["views imports capture, which is not below it", "views imports capture, which knows torch"],
        ),
        (
            {"export.py": "from explorer.adapters import body", "adapters.py": ""},
            ["export imports adapters, which knows torch"],
        ),
        (
            {"figures/__init__.py": "", "figures/style.py": "from ..failures import one_line", "failures.py": ""},
            ["figures.style imports failures, which knows torch"],
        ),
        ({"views.py": "import torch.nn as nn"}, ["views imports torch"]),
        ({"session.py": "from dash import Dash"}, ["session imports dash"]),
        ({"pages/heads.py": "from dash import Dash"}, []),
        ({"newcomer.py": ""}, ["newcomer is in no layer of tests/test_architecture.py"]),
        (
            {"pages/a.py": "from explorer.pages import b", "pages/b.py": "from . import a"},
            ["imports go in a circle: pages.a → pages.b → pages.a"],
        ),
    ],
)
def test_rules_can_be_broken(files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """Small packages with one fault each: what the rule above would say of them."""
    for name, source in files.items():
        path = tmp_path / "explorer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    found = violations(tmp_path / "explorer")
    if expected and "circle" in expected[0]:
        assert len(found) == 1
        assert set(found[0].split(": ")[1].split(" → ")) == {"pages.a", "pages.b"}
    else:
        assert found == expected


WITHOUT_DASH = """
import importlib, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"dash", "dash_mantine_components", "dash_ag_grid", "flask"}:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Refuse())
for name in sys.argv[1:]:
    importlib.import_module(name)
try:
    import dash
except ModuleNotFoundError:
    print("blocked")
"""


def test_core_needs_no_dash() -> None:
    """Everything but the pages is imported by an interpreter that has no Dash."""
    homes = {name.partition(".")[0] for name in _modules(ROOT / "explorer")}
    core = sorted(homes - {"__init__", "__main__", "pages", "web"})
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_DASH, "explorer", *(f"explorer.{name}" for name in core)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout.strip()) == (0, "blocked"), result.stderr

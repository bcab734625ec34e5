"""Imports point one way, torch and Dash stay where they belong; read from the source."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lowest first. A module imports from layers below its own, or from its own package.
LAYERS = (
    "records",
    "text",
    "figures",
    "models",
    "capture",
    "analysis",
    "session",
    "views",
    "saving",
    "lessons",
    "app",
    "notebook",
    "cli",
    "__init__",
    "__main__",
)
# Numpy in, numpy out: these know no model.
PLAIN = frozenset(["records", "text", "figures", "lessons"])
LOOSE = frozenset(["__init__", "__main__", "notebook"])
RUN_THE_MODEL = frozenset(f"analysis.{name}" for name in ("head_maps", "positions", "readout", "vocabulary"))


def _may_import(module: str, library: str) -> bool:
    """Whether a module may import one of the libraries that have their place."""
    home, last = module.partition(".")[0], module.rpartition(".")[2]
    if library in ("dash", "dash_mantine_components", "dash_ag_grid"):
        return home == "app" or module.startswith("views.panel") or last.endswith("panel")
    return {
        "torch": home in ("models", "capture") or module in RUN_THE_MODEL,
        "transformers": home in ("models", "capture"),
        "psutil": module == "capture.footprint",
        "typer": home == "cli",
        "pyarrow": home == "saving",
        "jinja2": module == "figures.templates",
        "yaml": home == "lessons",
    }.get(library, True)


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


def violations(package: Path) -> list[str]:
    """Each broken rule, in words."""
    own, libraries = _graph(package)
    homes = {name: name.partition(".")[0] for name in own}
    if unlisted := [name for name, home in homes.items() if home not in LAYERS]:
        return [f"{name} is in no layer of tests/test_architecture.py" for name in unlisted]
    found = [f"{home}.py stands loose" for home in LAYERS if (package / f"{home}.py").is_file() and home not in LOOSE]
    for name, imported in own.items():
        home = homes[name]
        for other in sorted(imported):
            away = other.partition(".")[0]
            if away == home:
                continue
            if LAYERS.index(away) >= LAYERS.index(home):
                found.append(f"{name} imports {other}, which is not below it")
            if home in PLAIN and away not in PLAIN:
                found.append(f"{name} imports {other}, which knows models")
    found += [
        f"{name} imports {library}"
        for name, imported in libraries.items()
        for library in sorted(imported)
        if not _may_import(name, library)
    ]
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
        ({"records/__init__.py": "import numpy"}, []),
        ({"views/a.py": "from explorer.records import Tokens", "records/__init__.py": ""}, []),
        (
            {"models/a.py": "from explorer.capture import stack", "capture/__init__.py": "", "capture/stack.py": ""},
            ["models.a imports capture.stack, which is not below it"],
        ),
        (
            {"text/a.py": "def f():\n    import explorer.capture.stack", "capture/stack.py": ""},
            [
                "text.a imports capture.stack, which is not below it",
                "text.a imports capture.stack, which knows models",
            ],
        ),
        ({"figures/__init__.py": "", "figures/style.py": "from ..text import words", "text/words.py": ""}, []),
        ({"views/heads/heatmap/compute.py": "import torch.nn as nn"}, ["views.heads.heatmap.compute imports torch"]),
        ({"analysis/readout.py": "import torch", "analysis/experiments.py": ""}, []),
        ({"session/session.py": "from dash import Dash"}, ["session.session imports dash"]),
        ({"views/heads/heatmap/figure.py": "from dash import html"}, ["views.heads.heatmap.figure imports dash"]),
        ({"views/heads/heatmap/tokens_panel.py": "from dash import html", "app/frame.py": "import dash"}, []),
        ({"records.py": ""}, ["records.py stands loose"]),
        ({"newcomer/a.py": ""}, ["newcomer.a is in no layer of tests/test_architecture.py"]),
        (
            {"app/a.py": "from explorer.app import b", "app/b.py": "from . import a"},
            ["imports go in a circle: app.a → app.b → app.a"],
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
        assert set(found[0].split(": ")[1].split(" → ")) == {"app.a", "app.b"}
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
    """Everything but the panels and the app is imported by an interpreter that has no Dash."""
    modules = _modules(ROOT / "explorer")
    core = sorted(name for name in modules if name not in LOOSE and not _may_import(name, "dash"))
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_DASH, "explorer", *(f"explorer.{name}" for name in core)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout.strip()) == (0, "blocked"), result.stderr


def test_the_top_is_small() -> None:
    entries = [path.name for path in (ROOT / "explorer").iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 15, sorted(entries)


# Scripts and styles of the frame, and of panels that all views share; any other is named after the
# page or the view it belongs to: heads-lines.js, and heads-heatmap-tokens.js for a part of a view.
OF_THE_FRAME = frozenset(["address", "explorer", "learn", "check", "opening", "panel", "presenter", "saving", "style"])
OF_A_PAGE = frozenset(["embeddings-sentences"])  # a panel that all views of its page share


def _assets(kind: str) -> list[Path]:
    found = sorted((ROOT / "assets").glob(f"*.{kind}"))
    assert found
    return found


@pytest.mark.parametrize("script", _assets("js"), ids=lambda path: path.name)
def test_a_script_reads_no_private_field(script: Path) -> None:
    """Plotly renames what begins with an underscore without notice, and an axis' l2p and p2l too."""
    text = script.read_text(encoding="utf-8")
    assert re.findall(r"\._[a-zA-Z]\w*|\b(?:l2p|p2l|l2c|c2l)\b", text) == []


@pytest.mark.parametrize("script", _assets("js"), ids=lambda path: path.name)
def test_a_script_defines_the_namespace_of_its_name(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    defined = re.findall(r"Object\.assign\(\{\}, window\.dash_clientside, \{\s*(\w+): \{", text)
    assert defined in ([], [script.stem.replace("-", "_")])


@pytest.mark.parametrize("asset", [*_assets("js"), *_assets("css")], ids=lambda path: path.name)
def test_scripts_and_styles_are_named_after_views(asset: Path) -> None:
    page, *view = asset.stem.split("-")
    if asset.stem not in OF_THE_FRAME | OF_A_PAGE:
        assert (ROOT / "explorer" / "views" / Path(page, *view[:1])).is_dir()

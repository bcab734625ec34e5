"""What a result was made with."""

from __future__ import annotations

import platform
from importlib import metadata

from explorer import __version__


def versions() -> dict[str, str]:
    """The versions of Python, this package and those it is built on."""
    packages = ("torch", "transformers", "numpy", "plotly")
    return {
        "python": platform.python_version(),
        "explorer": __version__,
        **{name: metadata.version(name) for name in packages},
    }

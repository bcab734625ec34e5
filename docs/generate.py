"""Write the pages of docs/ that are made from the code: ``python docs/generate.py``.

What they say stands in the code: in ``MEASURES`` and ``VIEWS``, in docstrings, in the commands'
help. To change a page, change that, then run ``make docs``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.making import api, command_line, files, measures

DOCS = Path(__file__).parent


def pages() -> dict[str, str]:
    """Every generated page: its file name in docs/, and its text."""
    return {
        "api.md": api.page(),
        "command-line.md": command_line.page(),
        "files.md": files.page(),
        "measures.md": measures.page(),
    }


def main() -> None:
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()

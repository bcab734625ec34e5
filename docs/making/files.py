"""The page of links and files: what each holds, and every view with its settings."""

from __future__ import annotations

from collections.abc import Mapping

from docs.making.markdown import code, document, table
from explorer.session.requests import TextRequest, WordRequest
from explorer.session.settings import Settings, Value, written
from explorer.views.registry import VIEWS, link_to_view
from explorer.views.spec import ViewSpec

_OPENING = """\
# Links and files

A view is its *settings*: a few values by name. An address holds them, and so does every file that is
saved: each can be turned into the other, and both into the view.

| from | to the view | by |
| --- | --- | --- |
| a link | in the page | opening it |
| a link | in a notebook, a file | `explorer.view("/?layer=1&head=8")`, `python -m explorer view` |
| a file of any format | in the page | **Open a file …** at the bottom |
| a JSON file | its numbers, compared | `python -m explorer remake head.json` |

## Links

A link is a page and the settings that differ from the defaults: `/?layer=1&head=8` is the
[map](tour.md#the-map) of head 8 in layer 1. Values are written as in any address (`%20` is a space,
`%0A` a new line), switches as `true` and `false`. `mode` names the view on the page, and is left out
for its first view; a view that stands beside the others is named by `kind`: `/?kind=overview` is the
picture of all heads.

A setting that this version does not know, or a value that a setting cannot have, is reported and left
out, and so are a second text or a target that the model does not read. For an unknown `mode` or `kind`
the page’s first view is shown, with a remark.

Beside a view’s own settings an address may have `theme` (`light`, `dark`),
`present=true` (presenter mode), `step` (of a lesson), and `saved`.

An address over 2,000 characters, which a dozen sentences of your own soon need, is stored in a folder of
the server’s user and replaced by a short link: `/embeddings?saved=` and 16 characters. The same address
always gets the same name. A short link opens on that machine only; send a file instead.

## The record in a file

Every file that the page, `explorer.view` or a command saves has a *record* of what made it, in JSON. A
Parquet table of heads has it under `provenance` of its schema’s metadata `explorer`.

| key | what it is |
| --- | --- |
| `kind` | which view, of those [below](#views) |
| `model` | the name by which it was loaded |
| `revision` | the hub’s commit, or a package and its version; null where there is none |
| `checksum` | SHA-256 of the weights |
| `device`, `dtype` | where it ran, and in which precision |
| `settings` | every setting but the model: the text, and all that changes the view |
| `figure`, `look` | in a drawing: which figure, and which of its style was chosen |
| `page` | in a worksheet: its decimals, whether boxes are empty, the paper |
| `other` | for a view with a second model, such as a comparison: the same for that model |
| `link` | the address that shows it |
| `python`, `command` | lines of Python, and a command, that make it again |
| `time` | when it was made, in UTC |
| `versions` | of Python, torch, transformers, numpy, plotly and this project |

The record is no secret: whoever has the file can read the text that the model was given."""

# Each format: where the record is, how Python reads it of the file ``path``, with which import.
READERS: Mapping[str, tuple[str, str, str]] = {
    "png": ("text under the keyword `explorer` (iTXt)", "Image.open(path).text['explorer']", "from PIL import Image"),
    "svg": (
        'the element `<metadata id="explorer">`',
        "ElementTree.parse(path).find('{http://www.w3.org/2000/svg}metadata').text",
        "from xml.etree import ElementTree",
    ),
    "pdf": (
        "`/explorer` in the document’s information",
        "PdfReader(path).metadata['/explorer']",
        "from pypdf import PdfReader",
    ),
    "html": (
        'the element `<script type="application/json" id="explorer">`',
        "re.search('id=\"explorer\">(.*?)</script>', Path(path).read_text('utf-8'))[1]",
        "import re; from pathlib import Path",
    ),
    "csv": (
        "the head of the last column, which has no cells",
        "next(csv.reader(Path(path).read_text('utf-8').split('\\n')))[-1].removeprefix('explorer: ')",
        "import csv; from pathlib import Path",
    ),
    "json": (
        "the key `provenance`",
        "json.dumps(json.loads(Path(path).read_text('utf-8'))['provenance'])",
        "import json; from pathlib import Path",
    ),
    "npz": ("the text array `explorer`", "str(np.load(path)['explorer'])", "import numpy as np"),
}

_READING = """\
## Reading it

This reads the record of any of them in Python:

```python
from explorer.saving.metadata import read_provenance

record = read_provenance(open(path, "rb").read(), path)
```

Without this project, the text of the record, which `json.loads` reads, is"""

_REMAKING = """\
JSON has the numbers in full under names of their own, with null for what is undefined; NPZ has every
list of the JSON as an array, NaN for what is undefined; CSV has them as rows. In a spreadsheet or a data
frame drop a CSV’s last column: `pandas.read_csv(path).iloc[:, :-1]`.

## Made again

`python -m explorer remake head.json` reads the record, makes the view in a new process and
compares number by number: it says the largest difference and where, and what is not as it was
(another version, device or checksum). Beyond 10⁻⁴, or where a label differs, it ends with status
1. A drawing has no numbers to compare: open it in the page, or run the command in its record."""

_VIEWS = """\
## Views

Each view with its page and mode, its figures (the first is drawn where none is named) and its settings.
Every view of a text has these settings:

{text}

Every view of a word has these:

{word}"""


def page() -> str:
    readers = [
        (kind.upper(), place, code("; ".join(filter(None, (imports, reading)))))
        for kind, (place, reading, imports) in READERS.items()
    ]
    return document(
        _OPENING,
        _READING,
        table(("format", "where the record is", "read by"), readers),
        _REMAKING,
        _VIEWS.format(text=settings_table(TextRequest), word=settings_table(WordRequest)),
        *map(view_section, VIEWS.values()),
    )


def view_section(view: ViewSpec) -> str:
    """A view's title, address, figures and settings."""
    shared = next((one for one in (TextRequest, WordRequest) if issubclass(view.settings, one)), Settings)
    about = {TextRequest: "a text", WordRequest: "a word"}.get(shared, "a model")
    title = f"{view.title[:1].upper()}{view.title[1:]}"
    parts = [
        f"### {view.name}",
        f"{title}, of {about}: `{address_of(view)}`. Figures: {', '.join(map(code, view.figures))}.",
        settings_table(view.settings, shared),
    ]
    return "\n\n".join(filter(None, parts))


def address_of(view: ViewSpec) -> str:
    """The shortest address of a view."""
    return f"{view.page.path}?kind={view.name}" if view.beside else link_to_view(view, view.settings())


def settings_table(settings: type[Settings], shared: type[Settings] = Settings) -> str:
    """Every setting that is not shared: its default, its choices, its line of help."""
    rows = [
        (
            code(name),
            default_of(name, value),
            ", ".join(code(str(choice)) for choice in settings.choices_of(name)),
            settings.help_of(name),
        )
        for name, value in settings.defaults().items()
        if name not in shared.defaults()
    ]
    return table(("setting", "default", "choices", "what it does"), rows) if rows else ""


def default_of(name: str, value: Value) -> str:
    """A default as the page shows it; the opening sentences are too many."""
    if name == "sentences":
        return "those of the example set"
    return code(written(value)) if value != "" else "none"

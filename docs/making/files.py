"""The page of links and files: what each holds, and every view with its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from docs.making.markdown import code, document, table
from explorer.session.links import Value, written
from explorer.views.registry import KINDS, Kind
from explorer.views.state import STUDY, TEXT

_OPENING = """\
# Links and files

A view is told by its *state*, a few settings by name. An address holds the state, and so does
every file that is saved: each can be turned into the other, and both into the view.

| from | to the view | by |
| --- | --- | --- |
| a link | in the page | opening it |
| a link | in a notebook, a file | `explorer.view("/?layer=1&head=8")`, `python -m explorer view` |
| a file of any format | in the page | **Open a file …** at the bottom |
| a JSON file | its numbers, compared | `python -m explorer remake head.json` |

## Links

A link is a page and the settings that are not as they begin: `/?layer=1&head=8` is the
[map](tour.md#the-map) of head 8 in layer 1, everything else as the page opens. Values are written
as in any address (`%20` is a space, `%0A` a new line), switches as `true` and `false`. `mode`
says which view of a page is seen; two views that share a screen are told apart by `kind` where
only one is wanted: `/?kind=overview` is the picture of all heads.

A setting that this version does not know, or a value that is none, is told and left out; all else
is shown. So is a second text or a target that the model does not read. Of a `mode` or `kind` that
it does not know the page’s first view is shown, and that is told.

Beside a view’s own settings an address may have `theme` (`light`, `dark`),
`present=true` (presenter mode), `step` (of a lesson), and `saved`.

Over 2,000 characters, which a dozen sentences of your own soon are, the page names the state and
keeps it in a folder of the server’s user: the address becomes `/embeddings?saved=` and 16
characters. The same state always has the same name. Such a link opens on that machine only; send
a file instead.

## What a file tells

Every file that the page, `explorer.view` or a command saves has a *record*, in JSON. A Parquet
table of heads has it under `provenance` of its schema’s metadata `explorer`.

| key | what it is |
| --- | --- |
| `kind` | which view, of those [below](#views) |
| `model` | the name by which it was loaded |
| `revision` | the hub’s commit, or a package and its version; null where there is none |
| `checksum` | SHA-256 of the weights |
| `device`, `dtype` | where it ran, and in which precision |
| `settings` | the whole state but the model: the text, and everything that changes the view |
| `figure`, `look` | of a drawing: which figure, and what of its looks was chosen |
| `page` | of a page to work out: its decimals, whether boxes are empty, the paper |
| `other` | of a view with a second model, as a comparison may be: the same of that one |
| `link` | the address that shows it |
| `python`, `command` | lines of Python, and a command, that make it again |
| `time` | when it was made, in UTC |
| `versions` | of Python, torch, transformers, numpy, plotly and this project |

It is no secret: who has the file can read the text that the model was given."""

# Each format: where the record is, how Python reads it of the file ``path``, with which import.
CARRIERS: Mapping[str, tuple[str, str, str]] = {
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

In Python the record of any of them is

```python
from explorer.saving.metadata import read_record

record = read_record(open(path, "rb").read(), path)
```

and without this project the text of the record, which `json.loads` reads, is"""

_REMAKING = """\
The numbers themselves are what each format is for. JSON has them in full under names of their
own, with null for what is undefined; NPZ has every list of the JSON as an array, NaN for what is
undefined; CSV has them as rows. In a spreadsheet or a data frame
drop a CSV’s last column: `pandas.read_csv(path).iloc[:, :-1]`.

## Made again

`python -m explorer remake head.json` reads the record, makes the view in a new process and
compares number by number: it says the largest difference and where, and what is not as it was
(another version, device or checksum). Beyond 10⁻⁴, or where a label differs, it ends with status
1. A drawing has no numbers to compare: open it in the page, or run the command in its record."""

_VIEWS = """\
## Views

What a link may say, view by view. Every view of a text has

{text}

and where a head is chosen, `stack`, `layer` and `head`; every view of a word has

{study}

Below are the page and mode of each view, what it can be drawn as (the first is drawn where none
is named), and its further settings, each with what it is where nothing is said."""


def page() -> str:
    carried = [
        (kind.upper(), place, code("; ".join(filter(None, (imports, reading)))))
        for kind, (place, reading, imports) in CARRIERS.items()
    ]
    shared = {name: _settings(begin, begin) for name, begin in (("text", TEXT), ("study", STUDY))}
    return document(
        _OPENING,
        _READING,
        table(("format", "where the record is", "read by"), carried),
        _REMAKING,
        _VIEWS.format(**shared),
        *(_view(kind) for kind in KINDS.values()),
    )


def _view(kind: Kind) -> str:
    shared = STUDY if "word" in kind.defaults else TEXT if "text" in kind.defaults else {}
    own = [name for name in kind.defaults if name not in {*shared, "mode"}]
    about = "a word" if shared is STUDY else "a text" if shared is TEXT else "a model"
    told = [
        f"### {kind.name}",
        f"{kind.title[:1].upper()}{kind.title[1:]}, of {about}: `{_address(kind)}`. "
        f"Figures: {', '.join(map(code, kind.figures))}.",
    ]
    return "\n\n".join([*told, *([_settings(kind.defaults, own)] if own else [])])


def _address(kind: Kind) -> str:
    """The shortest address of a view; of several on one screen the kind is named."""
    here = [one for one in KINDS.values() if (one.path, one.mode) == (kind.path, kind.mode)]
    first = next(one for one in KINDS.values() if one.path == kind.path)
    if kind is first:
        return kind.path
    return f"{kind.path}?{f'mode={kind.mode}' if kind is here[0] else f'kind={kind.name}'}"


def _settings(defaults: Mapping[str, Value], names: Iterable[str]) -> str:
    return ", ".join(f"{code(name)} ({begins(name, defaults[name])})" for name in names)


def begins(name: str, value: Value) -> str:
    """What a setting is where nothing is said; the opening sentences are too many to tell."""
    if name == "sentences":
        return "those of the ready set, each after its sense and ` | `"
    return code(written(value)) if value != "" else "none"

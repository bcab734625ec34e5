"""Write docs/notebook.ipynb, executed: ``python docs/notebook.py``.

Each figure is in it twice: for JupyterLab to hover over, and as a picture for who only reads.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import nbclient
import nbformat
import plotly.graph_objects as go
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from explorer.saving.rendering import renderer  # noqa: E402

PATH = Path(__file__).with_name("notebook.ipynb")
FIGURE, PICTURE = "application/vnd.plotly.v1+json", "image/png"

_CELLS = (
    "# Heads and words in a notebook\n\n"
    "The same views, figures and numbers as in the page. Nothing is fetched from a network: the "
    "two bundled models come as packages, and JupyterLab, Notebook 7 and VS Code draw plotly's "
    "figures themselves.",
    [
        'import explorer\n\nmodel = explorer.load_model("minilm")\n'
        'cap = explorer.capture(model, "She ate an apple while Apple announced a phone.")\n'
        "cap.tokens"
    ],
    "## One head\n\n`show` draws a view of a capture; its settings are named as in addresses.",
    ["explorer.show(cap, layer=1, head=8)"],
    ['explorer.show(cap, "lines", layer=1, head=8, threshold=0.2)'],
    "## Which heads look at the token before?\n\nA measure is an array [layer, head].",
    [
        'import numpy as np\n\nscores = explorer.MEASURES["previous_token"].compute(cap)\n'
        "best = np.unravel_index(np.nanargmax(scores), scores.shape)\n"
        'f"layer {best[0]}, head {best[1]}: {scores[best]:.2f}"'
    ],
    "## A word in two meanings\n\nAn address copied from the page works as well. This is the "
    "opening view of *Embeddings*: “apple” the fruit and “apple” the company, at layer 3.",
    ['view = explorer.view("/embeddings?layer=3")\nview'],
    ['view.data()["fit"]'],
    "## Files\n\nEvery file tells what made it. A JSON file alone is enough to make the view again "
    "(`python -m explorer remake apple.json`), and the page opens each of them.",
    [
        "import tempfile\nfrom pathlib import Path\n\nfolder = Path(tempfile.mkdtemp())\n"
        'path = view.save(folder / "apple.json")\n'
        'view.data()["provenance"]["command"]'
    ],
)


def unexecuted() -> nbformat.NotebookNode:
    """The notebook as it is written here."""
    cells = [
        new_markdown_cell(cell, id=f"cell-{number}")
        if isinstance(cell, str)
        else new_code_cell(cell[0], id=f"cell-{number}")
        for number, cell in enumerate(_CELLS)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def executed(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same with what its cells give."""
    where = {"metadata": {"path": str(ROOT)}}
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources=where).execute()
    return book


def small(picture: bytes) -> bytes:
    """The same in a palette of 128 colours, which is a third of the bytes."""
    file = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    book = executed(unexecuted())
    with renderer() as draw:
        for cell in book.cells:
            # What a library says on loading is no result.
            cell.outputs = [one for one in cell.get("outputs", []) if one.output_type != "stream"]
            for output in cell.outputs:
                output.pop("metadata", None)
                output["metadata"] = {}
                if FIGURE in output.get("data", {}):
                    drawn = draw(go.Figure(output.data[FIGURE]), "png", 1.5)
                    output.data[PICTURE] = base64.b64encode(small(drawn)).decode()
            if cell.cell_type == "markdown":
                cell.pop("outputs", None)
            cell.metadata = {}
    nbformat.write(book, PATH)
    print(PATH.relative_to(ROOT))


if __name__ == "__main__":
    main()

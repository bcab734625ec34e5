"""The views of a word as they are saved: numbers, tables, figures, links and every format.

Numbers are checked against the eager model with scikit-learn and numpy, files with their own
readers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from plotly.utils import PlotlyJSONEncoder
from pypdf import PdfReader
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

from explorer.exhibits import KINDS, Exhibit, exhibit_of, state_for
from explorer.exhibits.saving import DRAWINGS, FORMATS, NUMBERS, Saving, saved
from explorer.export.carriers import read_record
from explorer.export.formats import to_json
from explorer.export.pictures import Draw, painter
from explorer.figures.look import Look
from explorer.links import given_in, parse
from explorer.pages import address, embeddings
from explorer.ready_sets import OPENING, READY_SETS
from explorer.sentences import sentences_text
from explorer.session import Session
from tests.browser import eager

SENSES, SENTENCES = (list(part) for part in zip(*OPENING.rows, strict=True))
OF_WORDS = [kind for kind in KINDS.values() if kind.path == "/embeddings"]
COMMON = {
    "model": "smollm2", "word": "bat", "sentences": "a | A bat + a “bat”.\n| 50% bat & ball",
    "match_case": True, "inside": True, "which": "last", "echo": True, "anchors": "bird, ball",
    "layer": 5,
}  # fmt: skip
FIT = {"basis": "all", "normalise": "unit", "method": "pca", "axes": 3, "drop_first": True}
# Every setting of each view as it does not begin.
CHANGED: dict[str, dict[str, Any]] = {
    "embeddings": {
        **FIT, "arrows": False, "paths": True, "anchors_shown": False, "others": True,
    },
    "by_layer": {},
    "similarity": {"values": "corrected"},
    "meaning": {"meaning_of": "sense:a", "read_by": "static"},
    "pull": {**FIT, "pull_on": 3, "head": "7", "arrow_length": "true"},
    "positions": {"positions_of": 4},
}  # fmt: skip
# What the chief figure of each view says somewhere.
SAID = {
    "embeddings": ("“apple” in minilm · layer 3", "banana", "static vector"),
    "by_layer": ("“apple” in minilm · by layer", "Separation by sense", "Similarity to “Google”"),
    "similarity": ("“apple” in minilm · layer 3", "occurrence, by sentence", "0.92"),
    "meaning": ("what it means now", "macintosh", "peach"),
    "pull": ("sentence 1 · minilm · layer 3 · all heads", "punctuation"),
    "positions": ("Where position enters minilm · learned", "+ position", "static vector"),
}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(device="cpu")


@pytest.fixture(scope="module")
def draw() -> Iterator[Draw]:
    with painter() as own:
        yield own


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray]:
    """Contextual [L+1, n, D] and static [n, D] vectors of the opening word, from transformers."""
    return eager.word_vectors("minilm", SENTENCES, "apple")


def _made(session: Session, link: str) -> tuple[Exhibit, dict[str, Any]]:
    """A view and its numbers as strict JSON has them."""
    exhibit, remarks = exhibit_of(session, link)
    assert remarks == ()
    return exhibit, json.loads(to_json(exhibit.result()))


def _points(rows: list[dict[str, Any]], axes: str = "xy") -> np.ndarray:
    return np.array([[row[axis] for axis in axes] for row in rows])


def _cells(exhibit: Exhibit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exhibit.table().csv(), newline="")))


Vectors = tuple[np.ndarray, np.ndarray]


class TestPlane:
    def test_points_are_scikit_learns_of_the_layer_on_the_screen(
        self, session: Session, vectors: Vectors
    ) -> None:
        contextual, static = vectors
        exhibit, result = _made(session, "/embeddings?layer=5&axes=3")
        pca = PCA(3, svd_solver="full").fit(np.concatenate([contextual[5], static]))
        found = _points([*result["points"], *result["static"]], "xyz")
        theirs = pca.transform(np.concatenate([contextual[5], static]))
        signs = np.sign((found * theirs).sum(axis=0))
        np.testing.assert_allclose(found * signs, theirs, atol=1e-4 * np.abs(theirs).max())
        shares = result["explained_variance"]["5"]
        np.testing.assert_allclose(shares, pca.explained_variance_ratio_, atol=1e-5)
        assert result["layers"] == [5]
        assert [row["sense"] for row in result["points"]] == SENSES
        assert result["settings"]["anchors"] == list(OPENING.anchors)
        rows = [row for row in _cells(exhibit) if row["kind"] in ("contextual", "static")]
        np.testing.assert_array_equal([[float(row[axis]) for axis in "xyz"] for row in rows], found)
        assert exhibit.stem == "minilm-apple-layer5"

    def test_all_layers_where_paths_lead_through_them(self, session: Session) -> None:
        _, result = _made(session, "/embeddings?basis=all&paths=true")
        assert result["layers"] == list(range(7))
        assert len(result["points"]) == 7 * 12
        # Paths need one basis: without it a layer is all there is to see.
        assert _made(session, "/embeddings?paths=true")[1]["layers"] == [3]

    def test_other_tokens_and_what_stands_beside_the_plane(
        self, session: Session, vectors: Vectors
    ) -> None:
        contextual, static = vectors
        exhibit, result = _made(session, "/embeddings?others=true")
        tokens = [row["token"] for row in result["others"]]
        assert "pear" in tokens
        assert "apple" not in tokens
        rows = [row for row in _cells(exhibit) if row["kind"] == "other token"]
        assert [row["text"] for row in rows] == tokens
        (apart,) = [row for row in result["distances"] if row["pair"] == "to static"]
        mean = np.linalg.norm(contextual[3] - static, axis=1).mean()
        assert apart["euclidean"] == pytest.approx(mean, rel=1e-4)
        whole = PCA(svd_solver="full").fit(np.concatenate([contextual[3], static]))
        scree = result["scree"]["3"]
        theirs = whole.explained_variance_ratio_[: len(scree)]
        np.testing.assert_allclose(scree, theirs, atol=1e-5)
        bars = exhibit.figures["scree"](Look()).figure.data[0].y
        np.testing.assert_allclose(bars, 100 * theirs[: len(bars)], atol=1e-3)

    def test_tsne_has_no_axes_to_explain(self, session: Session) -> None:
        exhibit, result = _made(session, "/embeddings?method=tsne")
        assert list(exhibit.figures) == ["plane"]
        assert result["settings"]["method"] == "tsne"
        assert result["explained_variance"] == {"3": []}
        assert "anchors" not in result or result["anchors"] == []
        assert len(result["points"]) == 12

    def test_the_file_s_frame_is_the_screen_s(self, session: Session) -> None:
        exhibit, _ = _made(session, "/embeddings?others=true&arrows=false")
        picture = exhibit.figures["plane"](Look(theme="dark"))
        groups = [trace.legendgroup for trace in picture.figure.data]
        assert groups == ["others", "anchors", "sense 0", "sense 1", "static"]
        low, high = picture.figure.layout.xaxis.range
        placed = [x for trace in picture.figure.data[1:] for x in trace.x]
        assert low < min(placed) < max(placed) < high
        assert picture.figure.layout.meta is None
        assert "double-click" not in picture.caption


def test_by_layer_is_scikit_learns_silhouette(session: Session, vectors: Vectors) -> None:
    exhibit, result = _made(session, "/embeddings?mode=layers&layer=5")
    theirs = [silhouette_score(layer, SENSES, metric="cosine") for layer in vectors[0]]
    np.testing.assert_allclose(result["measures"]["separation"], theirs, atol=1e-4)
    assert (result["layers"], result["layer"]) == (list(range(7)), 5)
    assert result["verdict"].startswith("fruit and company part from layer 1 on")
    assert result["all_assignments"] is True
    assert result["assignments"] == 924  # 12 choose 6
    written = [float(row["separation"]) for row in _cells(exhibit)]
    assert written == result["measures"]["separation"]
    shapes = exhibit.figures["layers"](Look()).figure.layout.shapes
    assert {(line.x0, line.x1) for line in shapes} == {(5, 5)}


@pytest.mark.parametrize("values", ["cosine", "corrected"])
def test_similarity_is_scikit_learns(session: Session, vectors: Vectors, values: str) -> None:
    exhibit, result = _made(session, f"/embeddings?mode=similarity&layer=4&values={values}")
    theirs = cosine_similarity(vectors[0][4])
    np.testing.assert_allclose(result["cosine"], theirs, atol=1e-5)
    assert result["order"] == list(range(12))
    assert result["proposals"]["adjusted_rand_index"] == 1
    groups = [row["proposal"] for row in result["occurrences"]]
    assert len(set(groups[:6])) == len(set(groups[6:])) == 1
    taken = result["anisotropy"] if values == "corrected" else 0
    rows = _cells(exhibit)
    written = np.array([[float(row[f"{n}.0"]) for n in range(12)] for row in rows])
    np.testing.assert_allclose(written, np.array(result["cosine"]) - taken)
    drawn = exhibit.figures["similarity"](Look()).figure.data[0].z
    np.testing.assert_allclose(drawn, theirs - taken, atol=1e-5)


def test_meaning_is_the_nearest_static_vectors(session: Session, vectors: Vectors) -> None:
    exhibit, result = _made(session, "/embeddings?mode=meaning&meaning_of=sense:company&layer=2")
    table, words = eager.vocabulary("minilm")
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    found = [[row["token"] for row in result["words"] if row["layer"] == n] for n in range(7)]
    for state, row in zip(vectors[0], found, strict=True):
        mean = state[6:].mean(axis=0)
        nearest = np.argsort(-(table @ mean))[: len(row)]
        assert row == [words[index] for index in nearest]
    assert result["read_by"] == "static"  # this checkpoint has no head
    assert "company" in result["place"]
    rows = [row["token"] for row in _cells(exhibit) if row["read by"] == "static"]
    assert rows[len(result["nearest"]) :] == [token for row in found for token in row]
    (frame,) = exhibit.figures["meaning"](Look()).figure.layout.shapes
    assert (frame.y0, frame.y1) == (1.5, 2.5)


def test_pull_is_what_the_output_projection_gives(session: Session, vectors: Vectors) -> None:
    exhibit, result = _made(session, "/embeddings?mode=pull&pull_on=7&layer=2&arrow_length=true")
    _, given, _ = eager.given_and_made(
        "minilm", SENTENCES[7], "encoder.layer.2.attention.output.dense"
    )
    labels = eager.run("minilm", SENTENCES[7]).labels
    total = given[labels.index("apple")]
    assert result["sum"]["length"] == pytest.approx(np.linalg.norm(total), rel=1e-4)
    assert result["tokens"] == labels
    assert (result["sentence"], result["layer"], result["head"]) == (7, 2, None)
    assert result["drawn_times"] == 1
    pca = PCA(2, svd_solver="full").fit(np.concatenate([vectors[0][2], vectors[1]]))
    along = np.abs(pca.components_ @ total)
    np.testing.assert_allclose(
        np.abs([result["sum"]["x"], result["sum"]["y"]]), along, atol=1e-4 * along.max()
    )
    assert [row["head"] for row in result["heads"]] == list(range(12))
    *rows, last = _cells(exhibit)
    assert [row["label"] for row in rows] == [arrow["label"] for arrow in result["arrows"]]
    assert float(last["length"]) == result["sum"]["length"]
    bars = exhibit.figures["heads"](Look()).figure
    assert list(bars.data[0].y) == [row["length"] for row in result["heads"]]
    assert "click" not in bars.layout.xaxis.title.text


def test_pull_of_one_head_at_the_result_is_the_last_block_s(session: Session) -> None:
    exhibit, result = _made(session, "/embeddings?mode=pull&head=5&layer=6")
    assert (result["layer"], result["head"]) == (5, 5)
    assert exhibit.stem == "minilm-apple-sentence1-layer5-head5-pull"
    norms = eager.value_norms(SENTENCES[0], 5, 5)
    labels = eager.run("minilm", SENTENCES[0]).labels
    for arrow in result["arrows"]:
        theirs = norms[labels.index(arrow["label"])]
        assert arrow["value_norm"] == pytest.approx(theirs, rel=1e-3)


def test_positions_are_the_model_s_table(session: Session) -> None:
    exhibit, result = _made(session, "/embeddings?mode=positions&positions_of=3")
    np.testing.assert_array_equal(result["vectors"], eager.position_rows("minilm"))
    made = eager.run("minilm", SENTENCES[3])
    assert result["tokens"] == made.labels
    assert result["token"] == made.labels.index("apple")
    lengths = np.linalg.norm(made.rows, axis=1)
    np.testing.assert_allclose(result["parts"]["static"]["length"], lengths, rtol=1e-5)
    along = np.sum([part["along_the_sum"] for part in result["parts"].values()], axis=0)
    np.testing.assert_allclose(along, result["sum"], rtol=1e-5)
    np.testing.assert_allclose(result["given"], np.linalg.norm(made.hidden[0], axis=1), rtol=1e-4)
    rows = [row for row in _cells(exhibit) if row["what"] == "norm: static"]
    np.testing.assert_allclose([float(row["value"]) for row in rows], lengths, rtol=1e-5)


@pytest.mark.parametrize("kind", OF_WORDS, ids=lambda kind: kind.name)
class TestLinks:
    def test_every_setting_survives_a_link(self, kind: Any) -> None:
        state = {**kind.defaults, **COMMON, **CHANGED[kind.name], "mode": kind.mode}
        kept = [name for name in kind.defaults if state[name] == kind.defaults[name]]
        assert set(kept) <= {"mode", "method"}  # t-SNE takes the other bases away
        parsed = parse(given_in(kind.link(state)), kind.defaults)
        assert parsed.remarks == ()
        assert parsed.state == state
        assert {name: type(value) for name, value in parsed.state.items()} == {
            name: type(value) for name, value in kind.defaults.items()
        }

    def test_a_link_alone_makes_the_same_numbers(self, session: Session, kind: Any) -> None:
        rows = READY_SETS["bat"].rows[:3] + READY_SETS["bat"].rows[6:9]
        told = {
            **CHANGED[kind.name], "word": "bat", "sentences": sentences_text(rows), "layer": 2,
            "anchors": "bird", "meaning_of": "sense:sport",
        }  # fmt: skip
        exhibit = kind.make(session, state_for(kind, told))
        again, _ = exhibit_of(Session(device="cpu"), exhibit.link)
        assert again.state == exhibit.state
        assert to_json(again.result()) == to_json(exhibit.result())
        assert again.table() == exhibit.table()
        result = json.loads(to_json(exhibit.result()))
        assert result["kind"] == kind.name
        assert result["settings"]["anchors"] == ["bird"]
        assert "torch" in result["versions"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("word=", "the word is empty"),
        ("sentences=", "there is no sentence"),
        ("word=zebra", "“zebra” is in none of the 12 sentences"),
        ("layer=9", "layer 9 is out of range: minilm has layers 0 to 6"),
        ("which=middle", "unknown choice 'middle'"),
        ("basis=own", "unknown basis 'own'"),
        ("axes=4", "axes=4 is no choice: use 2, 3"),
        ("method=umap", "method=umap is no choice: use pca, tsne"),
        ("anchors=a,b,c,d,e,f,g,h,i,j,k,l,m", "13 anchor words; at most 12"),
        ("mode=layers&layer=-1", "layer -1 is out of range"),
        ("mode=similarity&values=dots", "values=dots is no choice: use cosine, corrected"),
        ("mode=meaning&meaning_of=sense:pear", "meaning_of=sense:pear is no place of “apple”"),
        ("mode=meaning&read_by=ear", "read_by=ear is no choice: use head, static"),
        ("mode=pull&pull_on=12", "pull_on=12 is no place of “apple”: use 0 to 11"),
        ("mode=pull&head=12", "head=12 is no choice"),
        ("mode=pull&arrow_length=long", "arrow_length=long is no choice: use seen, true"),
        ("mode=positions&positions_of=-1", "positions_of=-1 is no place of “apple”"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(session: Session, query: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        exhibit_of(session, f"/embeddings?{query}")
    assert "\n" not in str(error.value)


class _Text(HTMLParser):
    """What a page shows, without what its scripts hold."""

    said, inside = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.said += data


def _read(kind: str, data: bytes) -> str:
    """What a reader of the format finds to read in a file."""
    if kind == "png":
        with Image.open(io.BytesIO(data)) as image:
            assert len(image.convert("RGB").getcolors(10_000_000) or []) > 50
        return ""
    if kind == "svg":
        return " ".join(ElementTree.fromstring(data).itertext())
    if kind == "pdf":
        (page,) = PdfReader(io.BytesIO(data)).pages
        return page.extract_text()
    if kind == "html":
        page_text = _Text()
        page_text.feed(data.decode())
        assert "explorer.view(" in page_text.said  # how to make it again
        return page_text.said
    if kind == "json":
        return str(json.loads(data))
    if kind == "csv":
        return str(list(csv.reader(io.StringIO(data.decode(), newline=""))))
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return " ".join(f"{name} {arrays[name].shape}" for name in arrays)


@pytest.mark.parametrize("name", SAID)
def test_every_format_opens_and_says_what_it_shows(session: Session, draw: Draw, name: str) -> None:
    exhibit = KINDS[name].make(session, state_for(KINDS[name], {}))
    for kind in FORMATS:
        data = saved(session, exhibit, kind, Saving(dots=1), draw)
        read = _read(kind, data)
        if kind in ("svg", "pdf"):
            flat = "".join(read.split())
            for part in SAID[name]:
                assert "".join(part.split()) in flat, (kind, part)
        told = read_record(data, f"x.{kind}")
        assert (told["kind"], told["link"]) == (name, exhibit.link)
        assert ("figure" in told) == (kind in DRAWINGS)
    numbers = [saved(session, exhibit, kind, draw=draw) for kind in NUMBERS]
    assert all(numbers)


def test_every_further_figure_is_drawn(session: Session, draw: Draw) -> None:
    for name, figure, said in (
        ("embeddings", "scree", "% of the variance"),
        ("pull", "heads", "how far each head moves it"),
    ):
        exhibit = KINDS[name].make(session, state_for(KINDS[name], {}))
        drawn = saved(session, exhibit, "svg", Saving(figure), draw)
        assert said in _read("svg", drawn)


class TestPage:
    """The fields of the page are the settings of its views."""

    def _sent(self, layout: Any) -> Any:
        return json.loads(json.dumps(layout, cls=PlotlyJSONEncoder))

    def test_fields_begin_as_the_settings_do(self) -> None:
        defaults = embeddings.in_fields(address.settings_of(embeddings))
        filled = address.filled(embeddings.layout(), embeddings.ADDRESS, defaults)
        assert self._sent(filled) == self._sent(embeddings.layout())

    def test_every_setting_has_its_field(self) -> None:
        settings = address.settings_of(embeddings)
        assert set(embeddings.ADDRESS) == set(settings) - {"model"}
        sent = json.dumps(embeddings.layout(), cls=PlotlyJSONEncoder)
        for field in embeddings.ADDRESS.values():
            assert sent.count(f'"id": "{field}"') == 1, field

    def test_every_view_has_its_mode_store_and_kind(self) -> None:
        kinds = {kind.mode: (kind.name,) for kind in OF_WORDS}
        assert {mode: shown.kinds for mode, shown in embeddings.SHOWN.items()} == kinds
        sent = json.dumps(embeddings.layout(), cls=PlotlyJSONEncoder)
        for mode, shown in embeddings.SHOWN.items():
            assert sent.count(f'"id": "{shown.store}"') == 1
            assert sent.count(f'"id": "embeddings-{mode}"') == 1

    def test_a_state_fills_them(self) -> None:
        changed = {name: value for part in CHANGED.values() for name, value in part.items()}
        state = {**address.settings_of(embeddings), **COMMON, **changed, "mode": "pull"}
        layout = address.filled(embeddings.layout(), embeddings.ADDRESS, state)
        held = {
            one["props"]["id"]: one["props"]
            for one in _components(self._sent(layout))
            if "id" in one["props"]
        }
        for name, field in embeddings.ADDRESS.items():
            props = held[field]
            value = props["checked"] if isinstance(state[name], bool) else props["value"]
            assert str(value) == str(state[name]), name


def _components(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "props" in part:
            yield part
        for value in part.values():
            yield from _components(value)
    elif isinstance(part, list):
        for value in part:
            yield from _components(value)

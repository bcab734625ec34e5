"""The numbers in saved CSV, JSON and NPZ, against transformers, scikit-learn and numpy."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

from explorer.saving.save import saved
from explorer.session.session import Session
from explorer.text.example_sets import OPENING
from explorer.text.example_sets import OPENING_TEXT as TEXT
from tests.browser import eager
from tests.computing import computed_at

SENSES, SENTENCES = (list(part) for part in zip(*OPENING.rows, strict=True))
Rows = list[dict[str, str]]


def word() -> tuple[np.ndarray, np.ndarray]:
    """Contextual [L+1, n, D] and static [n, D] vectors of the opening word."""
    return eager.word_vectors("minilm", SENTENCES, "apple")


def first_component(vectors: np.ndarray) -> np.ndarray:
    return PCA(1, svd_solver="full").fit_transform(vectors.astype(float))[:, 0]


def nearest_cosines() -> np.ndarray:
    """Of each layer's mean vector of the last six sentences, its six nearest rows' [L+1, 6]."""
    table, _ = eager.vocabulary("minilm")
    means = word()[0][:, 6:].mean(axis=1)
    return np.sort(cosine_similarity(means, table), axis=1)[:, :-7:-1]


def row_made(position: int) -> np.ndarray:
    """What each head of layer 2 adds to a token [H, D]."""
    mixed, _, module = eager.given_and_made("minilm", TEXT, "encoder.layer.2.attention.output.dense")
    parts = module.weight.detach().numpy().reshape(384, 12, 32)
    return np.einsum("dhk,hk->hd", parts, mixed[position].reshape(12, 32))


@dataclass(frozen=True)
class Case:
    """Where a number stands in each format, and what it is by other means.

    ``name`` is a list's in JSON and an array's in NPZ; ``cells`` finds the same in the CSV's rows.
    ``order`` brings found and expected to one order, or one sign.
    """

    link: str
    name: str
    cells: Callable[[Rows], list[Any]]
    expected: Callable[[], np.ndarray]
    order: Callable[[np.ndarray], np.ndarray] = np.asarray


def column(name: str, **where: str) -> Callable[[Rows], list[Any]]:
    """The cells of a column, in the rows that say so."""
    return lambda rows: [row[name] for row in rows if all(row[key] == value for key, value in where.items())]


def signed(values: np.ndarray) -> np.ndarray:
    """An axis has no direction of its own: the value farthest from 0 is positive."""
    return values * np.sign(values[np.abs(values).argmax()])


INSIDE = "/inside?layer=2&head=3&query=6"
CASES = {
    "embeddings": Case(
        "/embeddings?layer=5",
        "points.x",
        column("x", kind="contextual"),
        lambda: first_component(np.concatenate([word()[0][5], word()[1]]))[:12],
        signed,
    ),
    "layers": Case(
        "/embeddings?mode=layers",
        "measures.separation",
        column("separation"),
        lambda: np.array([silhouette_score(one, SENSES, metric="cosine") for one in word()[0]]),
    ),
    "similarity": Case(
        "/embeddings?mode=similarity&layer=4",
        "cosine",
        lambda rows: [[row[f"{n}.0"] for n in range(12)] for row in rows],
        lambda: cosine_similarity(word()[0][4]),
    ),
    "meaning": Case(
        "/embeddings?mode=meaning&meaning_of=sense:company",
        "words.value",
        # A layer's row of the word itself follows its six nearest.
        lambda rows: np.ravel([column("value", layer=str(n))(rows)[:6] for n in range(7)]).tolist(),
        lambda: nearest_cosines().ravel(),
    ),
    "pull": Case(
        "/embeddings?mode=pull&head=5&layer=5",
        "arrows.value_norm",
        lambda rows: [row["value_norm"] for row in rows if row["value_norm"]],
        lambda: eager.value_norms(SENTENCES[0], 5, 5),
        np.sort,
    ),
    "positions": Case(
        "/embeddings?mode=positions&positions_of=3",
        "parts.static.length",
        column("value", what="norm: static"),
        lambda: np.linalg.norm(eager.run("minilm", SENTENCES[3]).rows, axis=1),
    ),
    "worksheet": Case(INSIDE, "weights", column("weight"), lambda: eager.run("minilm", TEXT).attention[2, 3, 6]),
    "points": Case(
        f"{INSIDE}&mode=points&least=0.35",
        "lines.weight",
        lambda rows: [row["weight"] for row in rows if float(row["weight"] or 0) >= 0.35],
        lambda: (lambda all_: all_[all_ >= 0.35])(eager.run("minilm", TEXT).attention[2, 3]),
        np.sort,
    ),
    "matrices": Case(
        f"{INSIDE}&mode=matrices&map=key",
        "tokens.after_1",
        column("after_1", what="token"),
        lambda: first_component(
            eager.given_and_made("minilm", TEXT, "encoder.layer.2.attention.self.key")[1][:, 96:128]
        ),
        signed,
    ),
    "mask": Case(
        f"{INSIDE}&mode=mask",
        "attention",
        lambda rows: np.reshape(column("own mask")(rows), (12, 12)).tolist(),
        lambda: eager.run("minilm", TEXT).attention[2, 3],
    ),
    "contributions": Case(
        f"{INSIDE}&mode=contributions",
        "outputs",
        lambda rows: [[row[str(n)] for n in range(384)] for row in rows[:12]],
        lambda: row_made(6),
    ),
    "cost": Case(
        "/inside?mode=cost&precision=int8",
        "weights_bytes",
        column("value", what="weights"),
        lambda: np.array(sum(one.numel() for one in eager.module("minilm", "").parameters())),
        np.ravel,
    ),
}


def in_json(data: bytes, name: str) -> Any:
    """What stands under a dotted name; of a list of rows their column."""
    part = json.loads(data)
    for key in name.split("."):
        part = [row[key] for row in part] if isinstance(part, list) else part[key]
    return part


def in_npz(data: bytes, name: str) -> np.ndarray:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        found: np.ndarray = arrays[name]
    return found


@pytest.mark.parametrize("name", CASES)
def test_csv_json_and_npz_hold_the_numbers(session: Session, name: str) -> None:
    case = CASES[name]
    view, remarks = computed_at(session, case.link)
    assert (view.spec.name, remarks) == (name, ())
    files = {kind: saved(session, view, kind) for kind in ("csv", "json", "npz")}
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode(), newline="")))
    expected = case.order(np.asarray(case.expected(), dtype=float))
    for kind, found in (
        ("csv", case.cells(rows)),
        ("json", in_json(files["json"], case.name)),
        ("npz", in_npz(files["npz"], case.name)),
    ):
        numbers = case.order(np.array(found, dtype=float))
        np.testing.assert_allclose(numbers, expected, atol=1e-4 * np.abs(expected).max(), err_msg=kind)

"""What lessons claim, worked out without the explorer: transformers' eager run, numpy, sklearn.

A function a claim, by its name in a lesson's file; each takes the claim's model, text and
arguments and gives the number, or yes and no.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from explorer.text.example_sets import EXAMPLE_SETS
from tests.browser import eager

D_HEAD = 32  # of minilm


@cache
def _run(model: str, text: str) -> eager.EagerRun:
    # A bar parts a pair of texts.
    return eager.run(model, *(part.strip() for part in text.split("|")))


def _place(labels: list[str], label: str) -> int:
    assert labels.count(label) == 1, f"{label} stands {labels.count(label)} times in {labels}"
    return labels.index(label)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


# ---- weights ----


def _row(model: str, text: str, layer: str, head: str, query: str) -> tuple[np.ndarray, list[str]]:
    made = _run(model, text)
    return made.attention[int(layer), int(head), _place(made.labels, query)], made.labels


def attention(model: str, text: str, key: str, **where: str) -> float:
    row, labels = _row(model, text, **where)
    return float(row[_place(labels, key)])


def masked(model: str, text: str, **where: str) -> bool:
    return attention(model, text, **where) == 0


def strongest(model: str, text: str, key: str, **where: str) -> bool:
    row, labels = _row(model, text, **where)
    return labels[int(row.argmax())] == key


def _measures(model: str, text: str, name: str) -> np.ndarray:
    """A measure of every head [L, H], as a plain loop over queries."""
    made = _run(model, text)
    words = [label.partition("·")[0] for label in made.labels]
    special = [label.startswith("[") for label in made.labels]
    earlier = [[k for k in range(q) if words[k] == words[q] and not special[q]] for q in range(len(words))]
    keys: dict[str, Callable[[int], list[int]]] = {
        "previous_token": lambda q: [q - 1] if q else [],
        "next_token": lambda q: [q + 1] if q + 1 < len(words) else [],
        "same_token": lambda q: [q],
        "sink_first": lambda q: [0],
        "sink_special": lambda q: [k for k, yes in enumerate(special) if yes],
        "duplicate_token": lambda q: earlier[q],
        "induction": lambda q: [k + 1 for k in earlier[q]],
    }
    wanted = [(q, keys[name](q)) for q in range(len(words))]
    rows = [made.attention[:, :, q, ks].sum(axis=-1) for q, ks in wanted if ks]
    result: np.ndarray = np.mean(rows, axis=0)
    return result


def measure(model: str, text: str, name: str, layer: str, head: str) -> float:
    return float(_measures(model, text, name)[int(layer), int(head)])


def leads(model: str, text: str, name: str, layer: str, head: str) -> bool:
    found = _measures(model, text, name)
    return divmod(int(found.argmax()), found.shape[1]) == (int(layer), int(head))


def count(model: str, text: str, name: str, over: str) -> float:
    return float((_measures(model, text, name) > float(over)).sum())


# ---- one head of minilm by hand ----


@cache
def _by_hand(model: str, text: str, layer: int, head: int) -> dict[str, np.ndarray]:
    """q, k, v [N, d] of a head, scores [N, N], and what each key gives each query [N, N, D]."""
    assert model == "minilm"
    made, part = _run(model, text), slice(head * D_HEAD, (head + 1) * D_HEAD)
    block = eager._loaded(model)[0].encoder.layer[layer].attention
    with torch.inference_mode():
        state = torch.from_numpy(made.hidden[layer])
        q, k, v = (getattr(block.self, name)(state)[:, part].numpy() for name in ("query", "key", "value"))
        out = block.output.dense.weight[:, part].numpy()
    given = made.attention[layer, head][:, :, None] * (v @ out.T)[None]
    return {"q": q, "k": k, "v": v, "scores": q @ k.T, "given": given}


def _cell(what: str, model: str, text: str, layer: str, head: str, query: str, key: str) -> np.ndarray:
    labels = _run(model, text).labels
    table = _by_hand(model, text, int(layer), int(head))[what]
    cell: np.ndarray = table[_place(labels, query), _place(labels, key)]
    return cell


def score(model: str, text: str, **where: str) -> float:
    return float(_cell("scores", model, text, **where))


def scaled(model: str, text: str, **where: str) -> float:
    return score(model, text, **where) / D_HEAD**0.5


def unscaled_weight(model: str, text: str, layer: str, head: str, query: str, key: str) -> float:
    """What the weight would be, were the scores not divided."""
    labels = _run(model, text).labels
    row = _by_hand(model, text, int(layer), int(head))["scores"][_place(labels, query)]
    raised = np.exp(row - row.max())
    return float((raised / raised.sum())[_place(labels, key)])


def contribution(model: str, text: str, **where: str) -> float:
    """‖A·v·W_O‖."""
    return float(np.linalg.norm(_cell("given", model, text, **where)))


def value_norm(model: str, text: str, layer: str, head: str, key: str) -> float:
    place = _place(_run(model, text).labels, key)
    return float(np.linalg.norm(_by_hand(model, text, int(layer), int(head))["v"][place]))


def head_output(model: str, text: str, layer: str, head: str, query: str) -> float:
    """How long a vector a head adds at a query."""
    given = _by_hand(model, text, int(layer), int(head))["given"]
    return float(np.linalg.norm(given[_place(_run(model, text).labels, query)].sum(axis=0)))


# ---- vectors ----


def cosine(model: str, text: str, layer: str, word: str, other: str = "", other_text: str = "") -> float:
    """Between two tokens at a layer, of one text or of two."""
    here, there = _run(model, text), _run(model, other_text or text)
    a = here.hidden[int(layer), _place(here.labels, word)]
    return _cosine(a, there.hidden[int(layer), _place(there.labels, other or word)])


def norm(model: str, text: str, layer: str, word: str) -> float:
    made = _run(model, text)
    return float(np.linalg.norm(made.hidden[int(layer), _place(made.labels, word)]))


def _static(model: str, word: str) -> np.ndarray:
    loaded, tokenizer = eager._loaded(model)
    (index,) = tokenizer(word, add_special_tokens=False)["input_ids"]
    row: np.ndarray = loaded.get_input_embeddings().weight[index].detach().numpy()
    return row


def static_cosine(model: str, text: str, word: str, other: str) -> float:
    return _cosine(_static(model, word), _static(model, other))


def static_dot(model: str, text: str, word: str, other: str) -> float:
    return float(_static(model, word) @ _static(model, other))


def static_norm(model: str, text: str, word: str) -> float:
    return float(np.linalg.norm(_static(model, word)))


def static_rank(model: str, text: str, word: str, other: str) -> float:
    """Which of the vocabulary's words is nearest by cosine, from 1; the word itself left out."""
    rows, labels = eager.vocabulary(model)
    row = _static(model, word)
    order = np.argsort(-(rows @ row) / np.linalg.norm(rows, axis=1))
    return float([labels[i] for i in order if labels[i] != word].index(other) + 1)


def position_cosine(model: str, text: str, one: str, other_place: str) -> float:
    rows = eager.position_rows(model)
    return _cosine(rows[int(one)], rows[int(other_place)])


# ---- a word in many sentences ----


@cache
def _occurrences(model: str, name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    chosen = EXAMPLE_SETS[name]
    vectors = eager.word_vectors(model, [sentence for _, sentence in chosen.rows], chosen.word)
    return *vectors, tuple(sense for sense, _ in chosen.rows)


def separation(model: str, text: str, set: str, layer: str) -> float:
    contextual, _, senses = _occurrences(model, set)
    return float(silhouette_score(contextual[int(layer)], senses, metric="cosine"))


def _plane(model: str, name: str, layer: str) -> tuple[Any, np.ndarray, tuple[str, ...]]:
    contextual, static, senses = _occurrences(model, name)
    here = contextual[int(layer)]
    fitted = PCA(2).fit(np.concatenate([here, static]).astype(np.float64))
    return fitted, fitted.transform(here), senses


def explained(model: str, text: str, set: str, layer: str, axis: str) -> float:
    """The share of variance that an axis of the plane has; the first is 1."""
    return float(_plane(model, set, layer)[0].explained_variance_ratio_[int(axis) - 1])


def plane_separation(model: str, text: str, set: str, layer: str) -> float:
    """The silhouette of what is seen in the picture."""
    _, points, senses = _plane(model, set, layer)
    return float(silhouette_score(points, senses))


# ---- the model ----


def pieces(model: str, text: str, word: str) -> float:
    return float(len(eager._loaded(model)[1](word, add_special_tokens=False)["input_ids"]))


def tokens(model: str, text: str) -> float:
    return float(len(_run(model, text).labels))


def config(model: str, text: str, name: str) -> float:
    return float(getattr(eager._loaded(model)[0].config, name))


def cache_mb(model: str, text: str, length: str, bytes: str, heads: str = "") -> float:
    """Keys and values of a text of some length, in 10⁶ bytes; of the model's own heads or some."""
    made = eager._loaded(model)[0].config
    d_head = made.hidden_size // made.num_attention_heads
    shared = int(heads) if heads else made.num_key_value_heads
    return 2 * made.num_hidden_layers * shared * d_head * int(length) * int(bytes) / 1e6


CLAIMS: dict[str, Callable[..., float | bool]] = {
    function.__name__: function
    for function in (
        attention,
        masked,
        strongest,
        measure,
        leads,
        count,
        score,
        scaled,
        unscaled_weight,
        contribution,
        value_norm,
        head_output,
        cosine,
        norm,
        static_cosine,
        static_dot,
        static_norm,
        static_rank,
        position_cosine,
        separation,
        explained,
        plane_separation,
        pieces,
        tokens,
        config,
        cache_mb,
    )
}

"""What transformers alone says of the bundled models: eager attention, hidden states, labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from explorer.models import checkpoints


@dataclass(frozen=True)
class EagerRun:
    """Labels [N], attention [L, H, N, N], hidden [L+1, N, D], embedding rows [N, D], offsets."""

    labels: list[str]
    attention: np.ndarray
    hidden: np.ndarray
    rows: np.ndarray
    offsets: list[tuple[int, int]]


@cache
def _loaded(name: str) -> tuple[Any, Any]:
    folder = checkpoints.find(name, None, lambda _sentence, _share: None).folder
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def given_and_made(name: str, text: str, path: str) -> tuple[np.ndarray, np.ndarray, Any]:
    """What a module is given and gives [N, …] in a run, and the module itself."""
    model, tokenizer = _loaded(name)
    module = model.get_submodule(path)
    seen: list[np.ndarray] = []
    hook = module.register_forward_hook(lambda _module, args, out: seen.extend([args[0][0].numpy(), out[0].numpy()]))
    with torch.inference_mode():
        model(**tokenizer(text, return_tensors="pt"))
    hook.remove()
    return seen[0], seen[1], module


def module(name: str, path: str) -> Any:
    """A part of a model, by its dotted name."""
    return _loaded(name)[0].get_submodule(path)


def vocabulary(name: str) -> tuple[np.ndarray, list[str]]:
    """The embedding rows [V, D] of a BERT's ordinary tokens, and how each is read."""
    model, tokenizer = _loaded(name)
    pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    kept = [i for i, piece in enumerate(pieces) if piece == "[" or not piece.startswith("[")]
    rows = model.get_input_embeddings().weight.detach().numpy()[kept]
    return rows, [f"…{pieces[i][2:]}" if pieces[i].startswith("##") else pieces[i] for i in kept]


def position_rows(name: str) -> np.ndarray:
    """The table of a BERT's positions [n, D]."""
    rows: np.ndarray = _loaded(name)[0].embeddings.position_embeddings.weight.detach().numpy()
    return rows


def run(name: str, text: str, pair: str | None = None, without: range = range(0)) -> EagerRun:
    """One forward pass with everything returned, as transformers' documentation does it.

    ``without`` are places of tokens that the model is not given.
    """
    model, tokenizer = _loaded(name)
    encoded = tokenizer(text, pair, return_tensors="pt", return_offsets_mapping=True)
    keep = [i for i in range(encoded["input_ids"].shape[1]) if i not in without]
    for key in encoded:
        encoded[key] = encoded[key][:, keep]
    offsets = encoded.pop("offset_mapping")[0].tolist()
    with torch.inference_mode():
        out = model(**encoded, output_attentions=True, output_hidden_states=True)
        rows = model.get_input_embeddings()(encoded["input_ids"])[0]
    return EagerRun(
        _labels(tokenizer, encoded["input_ids"][0].tolist()),
        torch.stack(out.attentions)[:, 0].numpy(),
        torch.stack(out.hidden_states)[:, 0].numpy(),
        rows.numpy(),
        [tuple(pair) for pair in offsets],
    )


def _labels(tokenizer: Any, ids: list[int]) -> list[str]:
    """What a reader should see for plain Latin text; what occurs twice is numbered."""
    words = [tokenizer.decode([index]).strip().removeprefix("##") for index in ids]
    special = [index in tokenizer.all_special_ids for index in ids]
    total = Counter(word for word, is_special in zip(words, special, strict=True) if not is_special)
    seen: Counter[str] = Counter()
    labels = []
    for word, is_special in zip(words, special, strict=True):
        seen[word] += 1
        labels.append(word if is_special or total[word] < 2 else f"{word}·{seen[word]}")
    return labels


def word_vectors(name: str, sentences: list[str], word: str) -> tuple[np.ndarray, np.ndarray]:
    """Contextual [L+1, n, D] and static [n, D] vectors of a word that is one lower-case token."""
    contextual, static = [], []
    for sentence in sentences:
        made = run(name, sentence)
        (place,) = [i for i, (start, end) in enumerate(made.offsets) if sentence[start:end].strip().lower() == word]
        contextual.append(made.hidden[:, place])
        static.append(made.rows[place])
    return np.stack(contextual, axis=1), np.stack(static)


def value_norms(text: str, layer: int, head: int, d_head: int = 32) -> np.ndarray:
    """‖(x W_V + b_V) W_O‖ of each token [N] in one head of minilm, from its own modules."""
    model, _ = _loaded("minilm")
    attention = model.encoder.layer[layer].attention
    part = slice(head * d_head, (head + 1) * d_head)
    with torch.inference_mode():
        state = torch.from_numpy(run("minilm", text).hidden[layer])
        value = attention.self.value(state)[:, part]
        norms: torch.Tensor = (value @ attention.output.dense.weight[:, part].T).norm(dim=1)
    return norms.numpy()

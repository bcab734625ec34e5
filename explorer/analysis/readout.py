"""What a vector means: the vocabulary's words nearest to it, and what the model reads from it.

A state of the residual stream is read as the model itself reads its last one (the "logit lens",
nostalgebraist 2020, "interpreting GPT: the logit lens"): it replaces the last block's output in a
run of the model, so that the model's own code applies all that follows: the final norm, the head,
its scales and soft caps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from explorer.capture.loading import LoadedModel, make_inputs
from explorer.capture.stack import to_numpy
from explorer.models import architectures
from explorer.models.failures import one_clear_line
from explorer.records import FloatArray, IntArray, Meaning, ModelError, NearestWords, Reading, WordStudy
from explorer.text.tokens import encode, ordinary_ids, vocabulary_labels

N_WORDS = 6  # words per layer
N_NEAREST = 8  # words nearest to the static vector
_MOST_NAMED = 4  # of the word's different tokens
_ROWS = 16_384  # rows of the embedding table at a time


def meaning(model: LoadedModel, study: WordStudy, members: Sequence[int], by_head: bool = True) -> Meaning:
    """What a word means at one of its occurrences, or at several by their mean vector.

    The vectors are read ``by_head``, the model's own head, if it has one for these states; else by
    the nearest static vectors.

    Raises:
        ValueError: no occurrence, or an index that the study does not have.
        ModelError: the model cannot be read from.
    """
    members = list(members)
    count = len(study.occurrences)
    if not members or not all(0 <= member < count for member in members):
        raise ValueError(f"occurrences {members}: choose among 0 to {count - 1}")
    owns, following = _tokens_of(model, study, members)
    lasts = Counter(own[-1] for own in owns)
    ranked = lasts.most_common(1)[0][0]
    states = study.contextual[:, members].mean(axis=1)
    nearest = study.static[members].mean(axis=0)
    return Meaning(
        model=study.model,
        revision=study.revision,
        word=study.word,
        place=_place(study, members),
        nearest=nearest_words(model, nearest, own=sorted({i for own in owns for i in own})),
        reading=read_states(model, states, ranked, following, by_head=by_head),
        remarks=(*_remarks(model, study, members, by_head), *_on_different_tokens(model, lasts, ranked)),
    )


def _tokens_of(model: LoadedModel, study: WordStudy, members: list[int]) -> tuple[list[list[int]], int | None]:
    """Each occurrence's own token ids, and the id that follows it if it is the only one."""
    owns, following = [], None
    for occurrence in (study.occurrences[member] for member in members):
        with model.lock:
            ids = encode(model.tokenizer, occurrence.text, max_tokens=None)[1].ids
        after = occurrence.position + occurrence.pieces
        owns.append([int(i) for i in ids[occurrence.position : after]])
        following = int(ids[after]) if len(members) == 1 and after < len(ids) else None
    return owns, following


def _on_different_tokens(model: LoadedModel, lasts: Counter[int], ranked: int) -> list[str]:
    """A remark on occurrences with different tokens, only one of which can be ranked."""
    if len(lasts) < 2:
        return []
    labels = vocabulary_labels(model.tokenizer, [ranked, *(i for i in lasts if i != ranked)])
    named = ", ".join(f"“{label}”" for label in labels[:_MOST_NAMED])
    more = f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    return [
        f"these occurrences are {len(labels)} different tokens ({named}{more}): all are marked, "
        f"and the rank is that of the most frequent, “{labels[0]}”"
    ]


def _place(study: WordStudy, members: list[int]) -> str:
    occurrence = study.occurrences[members[0]]
    if len(members) == 1:
        return f"sentence {occurrence.sentence + 1}: {occurrence.text}"
    senses = dict.fromkeys(study.occurrences[member].sense for member in members)
    named = ", ".join(f"“{sense}”" if sense else "no sense given" for sense in senses)
    return f"the mean of {len(members)} occurrences ({named})"


def _remarks(model: LoadedModel, study: WordStudy, members: list[int], by_head: bool) -> tuple[str, ...]:
    remarks = []
    if by_head and not architectures.reads_states(model.model):
        remarks.append("this checkpoint has no head that makes words of these states")
    pieces = max(study.occurrences[member].pieces for member in members)
    if pieces > 1:
        remarks.append(
            f"“{study.word}” is cut into {pieces} pieces: the mean of their vectors is read, and "
            "its own token is the last of them"
        )
    return tuple(remarks)


def nearest_words(
    model: LoadedModel, vector: FloatArray, own: IntArray | Sequence[int] = (), k: int = N_NEAREST
) -> NearestWords:
    """The ``k`` words whose static vectors have the largest cosine with a vector [D].

    Special and unused tokens are left out; ``own`` tokens are marked.

    Raises:
        ModelError: how the embedding table reaches the residual stream is not known.
    """
    ids = ordinary_ids(model.tokenizer, architectures.vocabulary_size(model.model))
    cosines = _cosines(model, vector[None], ids)[0]
    order = np.argsort(-cosines, kind="stable")[:k]
    return NearestWords(
        labels=vocabulary_labels(model.tokenizer, ids[order].tolist()),
        ids=ids[order],
        cosines=cosines[order],
        own=np.isin(ids[order], np.asarray(own, dtype=np.int64)),
    )


def read_states(
    model: LoadedModel,
    states: FloatArray,
    own: int,
    following: int | None = None,
    k: int = N_WORDS,
    by_head: bool = True,
) -> Reading:
    """Read a token's states [L+1, D] as the model reads its last one: ``k`` words per layer.

    ``states`` are as in ``hidden`` of a capture: the last is after the final norm. The token's
    ``own`` id is ranked at each layer, and the ``following`` one where the head predicts the next
    token. ``by_head`` as in ``meaning``.

    Raises:
        ModelError: the model failed on them.
    """
    if not (by_head and architectures.reads_states(model.model)):
        words = ordinary_ids(model.tokenizer, architectures.vocabulary_size(model.model))
        ids = np.union1d(words, [own])  # a special token typed as a word has a rank as well
        return _reading(model, "static", _cosines(model, states, ids), ids, own, None, k)
    scores = logits_of(model, states)
    ids = np.arange(scores.shape[1])
    head = "next" if model.stacks[0].causal else "masked"
    following = following if head == "next" else None
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return _reading(model, head, scores, ids, own, following, k)


def _reading(
    model: LoadedModel, head: str, scores: FloatArray, ids: IntArray, own: int, following: int | None, k: int
) -> Reading:
    """The first k of ``ids`` by their scores [L+1, V], and the ranks of two tokens among them."""
    first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    column = int(np.searchsorted(ids, own))
    own_label, *next_label = vocabulary_labels(model.tokenizer, [own] if following is None else [own, following])
    return Reading(
        head=head,
        n_words=len(ids),
        labels=tuple(vocabulary_labels(model.tokenizer, ids[row].tolist()) for row in first),
        ids=ids[first],
        values=np.take_along_axis(scores, first, axis=1),
        own=own_label,
        own_id=own,
        own_values=scores[:, column],
        own_ranks=_ranks(scores, column),
        following=next_label[0] if next_label else None,
        following_ranks=None if following is None else _ranks(scores, following),
    )


def _ranks(scores: FloatArray, column: int) -> IntArray:
    return 1 + (scores > scores[:, [column]]).sum(axis=1)


def _cosines(model: LoadedModel, vectors: FloatArray, ids: IntArray) -> FloatArray:
    """Cosines [n, V] of vectors [n, D] with the static vectors of ``ids``."""
    directions = nn.functional.normalize(torch.from_numpy(vectors).to(model.device, torch.float32), dim=1)
    parts = []
    with (
        torch.inference_mode(),
        one_clear_line(f"{model.name} failed while comparing words", f"{model.name} was comparing words"),
    ):
        for start in range(0, len(ids), _ROWS):
            some = torch.from_numpy(ids[start : start + _ROWS]).to(model.device)
            rows = architectures.static_embeddings(model.model, "encoder", some).float()
            parts.append(directions @ nn.functional.normalize(rows, dim=1).T)
        return to_numpy(torch.cat(parts, dim=1))


def logits_of(model: LoadedModel, states: FloatArray) -> FloatArray:
    """The head's logits [L+1, V] for the states [L+1, D] of one token at each layer.

    Raises:
        ModelError: the checkpoint has no head that reads its states, or failed on them.
    """
    if not architectures.reads_states(model.model):
        raise ModelError(f"{model.name} has no head that makes words of its states")
    doing = f"reading {len(states)} states"
    with (
        model.lock,
        one_clear_line(f"{model.name} failed while {doing}", f"{model.name} was {doing}"),
        torch.inference_mode(),
    ):
        head_inputs = torch.from_numpy(states).to(model.device, model.model.dtype)[None]
        with _replaced(model, head_inputs[:, :-1], head_inputs[:, -1:]):
            # Any tokens will do: their own states are not read.
            inputs = make_inputs(model.model, {"input_ids": [0] * (len(states) - 1)}, model.device)
            logits = to_numpy(model.model(**inputs.arguments).logits[0])
    if len(logits) != len(states):
        raise ModelError(f"{model.name}: the input of its head is not known here")
    return logits


@contextmanager
def _replaced(model: LoadedModel, before: torch.Tensor, last: torch.Tensor) -> Iterator[None]:
    """Replace the last block's output by ``before`` [1, L, D], and append ``last`` [1, 1, D] to the stack's."""
    end_of_stack = architectures.read_by_head(model.model)
    narrowing = architectures.exit_projection(end_of_stack)

    def of_block(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        return (before, *output[1:]) if isinstance(output, tuple) else before

    def of_stack(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        end = last if narrowing is None else narrowing(last)
        output.last_hidden_state = torch.cat([output.last_hidden_state, end], dim=1)
        return output

    block = architectures.blocks(model.model, "encoder")[-1]
    hooks = [block.register_forward_hook(of_block), end_of_stack.register_forward_hook(of_stack)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()

"""A sample of a model's embedding table: its ordinary tokens."""

from __future__ import annotations

import numpy as np
import regex
import torch

from explorer.capture.loading import LoadedModel
from explorer.capture.stack import to_numpy
from explorer.models import architectures
from explorer.models.failures import one_clear_line
from explorer.records import FloatArray

# A token with a letter, not in brackets as special tokens and bytes are.
_ORDINARY = regex.compile(r"^(?![\[<].*[\]>]$)[^\ufffd]*\p{L}")


def vocabulary_sample(model: LoadedModel, count: int = 2000, seed: int = 0) -> FloatArray:
    """Static vectors [m, D] of a uniform random sample of a vocabulary's ordinary tokens.

    Ordinary tokens have a letter: no special, unused or byte tokens. All of them if there are
    fewer than ``count``.

    Raises:
        ModelError: how the table reaches the residual stream is not known.
    """
    tokenizer = model.tokenizer
    rows = min(architectures.vocabulary_size(model.model), len(tokenizer))
    special = set(tokenizer.all_special_ids)
    chosen: list[int] = []
    doing = "sampling its vocabulary"
    clearly = one_clear_line(f"{model.name} failed while {doing}", f"{model.name} was {doing}")
    with model.lock, clearly, torch.inference_mode():
        for index in np.random.default_rng(seed).permutation(rows).tolist():
            if len(chosen) == count:
                break
            if index not in special and _ORDINARY.search(tokenizer.decode([index]).strip()):
                chosen.append(index)
        ids = torch.tensor(sorted(chosen), dtype=torch.long, device=model.device)
        return to_numpy(architectures.static_embeddings(model.model, model.stacks[0].name, ids))

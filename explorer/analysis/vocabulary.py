"""The ordinary words of a model's vocabulary, as its embedding table has them."""

from __future__ import annotations

import numpy as np
import regex
import torch

from explorer.capture.loading import LoadedModel
from explorer.capture.stack import to_numpy
from explorer.models import architectures
from explorer.models.failures import one_clear_line
from explorer.records import FloatArray

# A token with a letter in it, and not in brackets, as special ones and bytes are.
_ORDINARY = regex.compile(r"^(?![\[<].*[\]>]$)[^\ufffd]*\p{L}")


def vocabulary_sample(model: LoadedModel, count: int = 2000, seed: int = 0) -> FloatArray:
    """Static vectors [m, D] of ordinary tokens, drawn evenly from the vocabulary.

    Ordinary is what has a letter: no special, unused or byte token. A vocabulary with fewer
    than ``count`` gives all of them.

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

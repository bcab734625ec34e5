"""How much a text's capture keeps, told before the model runs, and what memory is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil
import torch

from explorer.capture.recorder import StackRun


@dataclass(frozen=True)
class Footprint:
    """Bytes that a capture keeps.

    ``per_token`` for states, queries, keys and values; ``per_cell`` of a query and a key for
    masks, position biases and, after an eager run, weights.
    """

    per_token: float
    per_cell: float

    def of(self, n_tokens: int) -> int:
        """Bytes of a text's capture, about; of an encoder–decoder as if both sides had so many."""
        return round(n_tokens * self.per_token + n_tokens**2 * self.per_cell)


def footprint(runs: tuple[StackRun, ...]) -> Footprint:
    """What a capture keeps for each token, read off a run on a short text."""
    n_tokens = max(len(run.hidden[0]) for run in runs)
    linear = [state for run in runs for state in run.hidden]
    square = [weights for run in runs for weights in run.attentions]
    for call in (call for run in runs for call in run.calls):
        linear += [call.query, call.key, call.value]
        square += [tensor for tensor in (call.mask, call.bias) if tensor is not None]
    return Footprint(stored_bytes(linear) / n_tokens, stored_bytes(square) / n_tokens**2)


def stored_bytes(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes that tensors hold on their device, each shared storage counted once."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def free_bytes(device: str) -> int:
    """Memory that can still be had on a device; of a GPU with what torch holds unused."""
    if device.startswith("cuda"):
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + unused)
    if device == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return int(psutil.virtual_memory().available)

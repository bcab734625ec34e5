"""What one call of the attention function was given, and the weights that are made of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

ALL_ROWS = slice(None)


@dataclass(frozen=True)
class AttentionCall:
    """What one call of the attention function was given, batch dimension removed.

    ``query`` [H, Q, d], ``key`` [H_kv, K, d], ``value`` [H_kv, K, d_v]; ``mask`` is
    [1 or H, Q, K], True where attending is allowed, or numbers to add; ``bias`` (position)
    [1 or H, Q, K] is added to the scaled scores; ``sinks`` [H] take part in the softmax
    and are left out of its result.
    """

    module: nn.Module
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    causal: bool
    scale: float
    bias: torch.Tensor | None = None
    softcap: float | None = None
    sinks: torch.Tensor | None = None

    @property
    def n_heads(self) -> int:
        """Query heads H."""
        return int(self.query.shape[0])

    @property
    def n_kv_heads(self) -> int:
        """Key/value heads H_kv, at most H."""
        return int(self.key.shape[0])

    @property
    def only_forbids(self) -> bool:
        """Whether the mask adds no number to the keys it allows."""
        if self.mask is None or self.mask.dtype == torch.bool:
            return True
        allowed = self.mask > torch.finfo(self.mask.dtype).min / 2
        return not bool((self.mask[allowed] != 0).any())

    def kv_head(self, head: int) -> int:
        """The key/value head that query head ``head`` reads."""
        return head // (self.n_heads // self.n_kv_heads)

    def allowed(self, rows: slice = ALL_ROWS) -> torch.Tensor:
        """Which keys each query (of ``rows``) may see, as a mask [1 or H, Q, K]."""
        device, n_keys = self.query.device, self.key.shape[1]
        queries = torch.arange(self.query.shape[1], device=device)[rows]
        allowed = torch.ones(1, len(queries), n_keys, dtype=torch.bool, device=device)
        if self.causal:
            allowed &= torch.arange(n_keys, device=device) <= queries[:, None]
        if self.mask is None:
            return allowed
        mask = _of_rows(self.mask, rows)
        if mask.dtype == torch.bool:
            return allowed & mask
        return allowed & (mask > torch.finfo(mask.dtype).min / 2)

    def added(self, head: int, row: int) -> torch.Tensor | None:
        """What is added to a query's scaled scores [K] by position; None where nothing is.

        The numbers of a mask that only forbids are no such thing.
        """
        parts = [self.bias, None if self.only_forbids else self.mask]
        rows = slice(row, row + 1)
        found = [
            _of_rows(_of_heads(part, slice(head, head + 1)), rows)[0, 0].float() for part in parts if part is not None
        ]
        return torch.stack(found).sum(dim=0) if found else None

    def scores(self, head: int | None = None, rows: slice = ALL_ROWS) -> torch.Tensor:
        """What goes into the softmax in float32 [1 or H, Q, K], forbidden keys as they come."""
        heads = slice(None) if head is None else slice(head, head + 1)
        key = self.key[:] if head is None else self.key[self.kv_head(head)][None]
        if head is None and self.n_kv_heads < self.n_heads:
            key = key.repeat_interleave(self.n_heads // self.n_kv_heads, dim=0)
        scores = self.query[heads, rows].float() @ key.float().transpose(1, 2)
        scores *= self.scale
        if self.softcap is not None:
            scores = torch.tanh(scores / self.softcap) * self.softcap
        if self.bias is not None:
            scores += _of_rows(_of_heads(self.bias, heads), rows)
        if self.mask is not None and self.mask.dtype != torch.bool:
            scores += _of_rows(_of_heads(self.mask, heads), rows)
        return scores

    def weights(self, head: int | None = None, rows: slice = ALL_ROWS) -> torch.Tensor:
        """Attention weights in float32: [Q, K] of one head or [H, Q, K] of all.

        A key that the mask forbids gets exactly 0, also where a query may see none. Of the
        queries only ``rows`` are computed.
        """
        heads = slice(None) if head is None else slice(head, head + 1)
        scores = self.scores(head, rows)
        all_seen = self.mask is None and not self.causal
        forbidden = None if all_seen else ~_of_heads(self.allowed(rows), heads)
        if forbidden is not None:
            scores.masked_fill_(forbidden, -torch.inf)
        if self.sinks is not None:
            sink = self.sinks[heads].float()[:, None, None].expand(-1, scores.shape[1], 1)
            scores = torch.cat([scores, sink], dim=-1)
        weights = scores.softmax(dim=-1)[..., : self.key.shape[1]]
        if forbidden is not None:  # a query that may see none has no softmax
            weights.masked_fill_(forbidden, 0.0)
        return weights if head is None else weights[0]


def _of_heads(tensor: torch.Tensor, heads: slice) -> torch.Tensor:
    return tensor if tensor.shape[0] == 1 else tensor[heads]


def _of_rows(tensor: torch.Tensor, rows: slice) -> torch.Tensor:
    return tensor if tensor.shape[1] == 1 else tensor[:, rows]

"""The bundled models through transformers alone: eager attention, what other tools are given."""

from __future__ import annotations

import torch
from transformers import AutoModel, AutoTokenizer

from explorer.models.checkpoints import find

Attentions = tuple[torch.Tensor, ...]


class Eager:
    """A bundled model and its tokenizer."""

    def __init__(self, name: str) -> None:
        folder = find(name, None, lambda _sentence, _share: None).folder
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()

    def attentions(self, text: str) -> tuple[Attentions, list[str]]:
        """Weights [1, H, N, N] a layer, and the tokens."""
        inputs = self.tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            found = self._model(**inputs, output_attentions=True).attentions
        return found, self.tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])

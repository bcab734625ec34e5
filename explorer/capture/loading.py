"""A name, a hub id or a folder to a loaded model, ready to be captured."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from transformers import PreTrainedModel

from explorer.capture import recorder
from explorer.capture.footprint import Footprint, footprint
from explorer.models import architectures, checkpoints
from explorer.models.checkpoints import DTYPES, Checkpoint, Progress
from explorer.models.failures import one_clear_line, one_line, out_of_memory
from explorer.records import AttentionShape, ModelError, ModelShape, StackInfo
from explorer.text.tokens import encode

__all__ = [
    "DTYPES",
    "LoadedModel",
    "Progress",
    "load_model",
    "make_inputs",
    "one_line",
    "out_of_memory",
    "pick_device",
]

_PROBE_TEXT = "The cat sat on the mat because it was tired."
_PROBE_TOKENS = 16


@dataclass
class LoadedModel:
    """A model on its device with its tokenizer, and how its attention is captured.

    Attributes:
        name: as it was given to ``load_model``.
        source: "bundled", "hub" or "folder".
        revision: the checkpoint's commit, or a bundled model's package and version.
        family: the architecture, transformers' ``model_type``.
        device: where its weights are.
        dtype: of its weights.
        model: the transformers model.
        tokenizer: the transformers tokenizer.
        max_tokens: the longest text it reads; None where there is no limit.
        takes_pairs: whether it reads a second text beside the first.
        stacks: shapes of its stacks of attention layers, in the order they run.
        method: "recorder" (queries and keys kept) or "eager" (weights only).
        method_reason: why it is run eagerly.
        footprint: what a capture of it keeps.
        checkpoint: where its files are.
        lock: held by who runs the model or its tokenizer: neither can serve two threads at
            once.
    """

    name: str
    source: str
    revision: str | None
    family: str
    device: str
    dtype: str
    model: PreTrainedModel
    tokenizer: Any
    max_tokens: int | None
    takes_pairs: bool
    stacks: tuple[StackInfo, ...]
    method: str
    method_reason: str
    footprint: Footprint
    checkpoint: Checkpoint
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @cached_property
    def checksum(self) -> str:
        """The sha256 of its weights; of several files, that of their sums in order."""
        return checkpoints.checksum(self.name, self.checkpoint)

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether it has an encoder, a decoder and cross attention between them."""
        return len(self.stacks) > 1

    @property
    def has_logits(self) -> bool:
        """Whether the checkpoint has a language-model head."""
        return self.model.get_output_embeddings() is not None

    def shape(self) -> ModelShape:
        """What the cost of its attention depends on."""
        return ModelShape(
            model=self.name,
            stacks=tuple(
                AttentionShape(
                    **asdict(stack), windows=architectures.windows(self.model, stack.n_layers) if stack.causal else ()
                )
                for stack in self.stacks
            ),
            n_parameters=int(self.model.num_parameters()),
            dtype=self.dtype,
            method=self.method,
            max_tokens=self.max_tokens,
            per_token=self.footprint.per_token,
            per_cell=self.footprint.per_cell,
        )

    def use_eager(self, reason: str) -> None:
        """Give up recording for good: run with transformers' eager attention from now on."""
        self.model.set_attn_implementation("eager")
        self.method, self.method_reason = "eager", reason
        heads = sum(stack.n_layers * stack.n_heads for stack in self.stacks)
        self.footprint = replace(self.footprint, per_cell=4.0 * heads)  # weights, in float32

    def memory_bytes(self) -> int:
        """Bytes in use: on a GPU all that torch holds there, on a CPU the weights."""
        if self.device.startswith("cuda"):
            return int(torch.cuda.memory_allocated(self.device))
        return int(self.model.get_memory_footprint())


def pick_device(device: str = "auto") -> str:
    """Turn "auto" into CUDA, then MPS, then the CPU; check what else was asked for.

    Raises:
        ValueError: a device torch does not have a name for here.
        ModelError: a device that is not there.
    """
    kind, _, index = str(device).partition(":")
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(device)):
        raise ValueError(f"unknown device '{device}': use auto, cpu, cuda, cuda:0 or mps")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if kind == "auto":
        return "cuda" if has_cuda else "mps" if has_mps else "cpu"
    count = torch.cuda.device_count() if has_cuda else 0
    if kind == "cuda" and int(index or 0) >= count:
        raise ModelError(
            f"{device} was asked for, but torch finds {count} CUDA device{'' if count == 1 else 's'}: use auto or cpu"
        )
    if kind == "mps" and not has_mps:
        raise ModelError("mps was asked for, but torch does not find it: use auto or cpu")
    return device


def load_model(
    name: str,
    device: str = "auto",
    dtype: str = "float32",
    revision: str | None = None,
    *,
    progress: Progress | None = None,
) -> LoadedModel:
    """Load a model and find out how its attention is captured.

    Args:
        name: a bundled name ("minilm", "smollm2"), a hub id ("gpt2"), a hub GGUF file
            ("owner/repo/file.gguf"), a local folder or a local GGUF file.
        device: "auto" (CUDA, then MPS, then CPU), or a torch device.
        dtype: "float32", "float16" or "bfloat16".
        revision: a hub commit, branch or tag.
        progress: called with a sentence, and a share of 1 or None, as loading goes on.

    Raises:
        ValueError: an unusable argument.
        ModelError: the model cannot be found, read, trusted or captured; one line says why.
    """
    if dtype not in DTYPES:
        raise ValueError(f"unknown dtype '{dtype}': use {', '.join(DTYPES)}")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("the model's name is empty: type a hub id, a folder, minilm or smollm2")
    name = name.strip()
    tell = progress or (lambda _sentence, _share: None)
    device = pick_device(device)
    with checkpoints.quiet_transformers(), out_of_memory(f"loading {name} on {device}"):
        checkpoint = checkpoints.find(name, revision, tell)
        tell(f"loading {name}", None)
        model, tokenizer = checkpoints.read(name, checkpoint, dtype)
        tell(f"checking how {name} attends", None)
        with one_clear_line(f"{name} ({model.config.model_type}) cannot be captured", f"loading {name} on {device}"):
            model.requires_grad_(False).eval().to(device)
            return _loaded(name, checkpoint, device, dtype, model, tokenizer)


def _loaded(
    name: str, checkpoint: Checkpoint, device: str, dtype: str, model: PreTrainedModel, tokenizer: Any
) -> LoadedModel:
    """Try out how the model attends, on a short text, and put down its shape."""
    max_tokens = architectures.max_tokens(model, tokenizer)
    ids, _ = encode(tokenizer, _PROBE_TEXT, max_tokens=None)
    length = min(max_tokens or _PROBE_TOKENS, _PROBE_TOKENS)
    probe = make_inputs(model, {key: value[:length] for key, value in ids.items()}, device)
    method, reason = recorder.choose_method(model, probe)
    runs = recorder.run(model, probe, eager=method == "eager")
    stacks = _shapes(model, runs)
    return LoadedModel(
        name=name,
        source=checkpoint.source,
        revision=checkpoint.revision,
        family=model.config.model_type,
        device=device,
        dtype=dtype,
        model=model,
        tokenizer=tokenizer,
        max_tokens=max_tokens,
        takes_pairs=architectures.takes_pairs(model, tokenizer) and not stacks[0].causal,
        stacks=stacks,
        method=method,
        method_reason=reason,
        footprint=footprint(runs),
        checkpoint=checkpoint,
    )


def make_inputs(
    model: PreTrainedModel, encoded: dict[str, list[int]], device: str, decoder_ids: list[int] | None = None
) -> recorder.Inputs:
    """Tensors [1, N] for what the model's first stack reads, and its decoder's ids.

    Raises:
        ModelError: a token has no row in the embedding table (its tokenizer is another's).
    """
    module = architectures.stack_module(model, "encoder")
    # On a GPU reading past the table would end the whole process.
    rows = architectures.vocabulary_size(model)
    if (largest := max([*encoded["input_ids"], *(decoder_ids or [0])])) >= rows:
        raise ModelError(
            f"token {largest} has no row in the embedding table of {rows:,}: the tokenizer belongs to another model"
        )
    arguments = {
        key: torch.tensor([value], device=device)
        for key, value in encoded.items()
        if architectures.accepts(module, key)
    }
    if architectures.accepts(module, "attention_mask"):
        arguments["attention_mask"] = torch.ones_like(arguments["input_ids"])
    if not architectures.is_encoder_decoder(model):
        return recorder.Inputs(arguments)
    if decoder_ids is None:
        start = model.config.decoder_start_token_id
        decoder_ids = [model.config.bos_token_id or 0 if start is None else start, *encoded["input_ids"]]
    return recorder.Inputs(arguments, torch.tensor([decoder_ids], device=device))


def _shapes(model: PreTrainedModel, runs: tuple[recorder.StackRun, ...]) -> tuple[StackInfo, ...]:
    """Layers, heads and causality of each stack, read off a recorded run."""
    infos = []
    for stack in runs:
        layers = range(stack.n_layers)
        if stack.calls:
            heads = {(call.n_heads, call.n_kv_heads) for call in stack.calls}
        else:
            heads = {(int(a.shape[0]), int(a.shape[0])) for a in stack.attentions}
        if len(heads) != 1:
            raise ModelError(
                f"the layers of its {stack.name} stack differ in heads and key/value heads "
                f"{sorted(heads)}; only alike layers can be shown"
            )
        square = stack.name != "cross"
        causal = square and all(bool((stack.weights(i).triu(1) == 0).all()) for i in layers)
        name = stack.name if stack.name != "single" else ("decoder" if causal else "encoder")
        n_heads, n_kv_heads = heads.pop()
        width = architectures.head_width(model, n_heads)
        widths = (width, width)
        if stack.calls:
            call = stack.calls[0]
            widths = (int(call.query.shape[-1]), int(call.value.shape[-1]))
        infos.append(StackInfo(name, stack.n_layers, n_heads, n_kv_heads, causal, *widths))
    return tuple(infos)

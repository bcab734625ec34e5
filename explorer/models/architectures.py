"""The only place that knows architectures.

Which class loads a checkpoint, which module is a stack, how a token's table row reaches
the residual stream, and where a head's output projection is. Everything else in the
package sees what is defined here.
"""

from __future__ import annotations

import inspect
from typing import Any, cast

import torch
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForTextEncoding,
    PreTrainedConfig,
    PreTrainedModel,
)

from explorer.records import ModelError

# Modules that bring a narrower embedding to the residual stream's width.
_EMBEDDING_PROJECTIONS = ("embedding_hidden_mapping_in", "embeddings_project", "project_in")


def auto_class(config: PreTrainedConfig, from_gguf: bool = False) -> Any:
    """The Auto class that loads every weight of a checkpoint saved with ``config``.

    A language-model head is loaded where the checkpoint has one, so that logits can be
    asked for; a checkpoint of the bare model is loaded as the bare model. A GGUF file
    does not say; nearly all hold causal language models.
    """
    if from_gguf and type(config) in AutoModelForCausalLM._model_mapping:
        return AutoModelForCausalLM
    saved_as = (config.architectures or [""])[0]
    if saved_as.endswith("EncoderModel"):
        return AutoModelForTextEncoding
    for candidate in (AutoModelForSeq2SeqLM, AutoModelForMaskedLM, AutoModelForCausalLM):
        mapped = candidate._model_mapping.get(type(config), None)
        names = [mapped] if not isinstance(mapped, (list, tuple)) else mapped
        if any(model is not None and model.__name__ == saved_as for model in names):
            return candidate
    if saved_as.endswith("ForPreTraining") and type(config) in AutoModelForMaskedLM._model_mapping:
        return AutoModelForMaskedLM
    return AutoModel


def is_encoder_decoder(model: PreTrainedModel) -> bool:
    """Whether the model has both stacks, joined by cross attention."""
    return bool(model.config.is_encoder_decoder) and hasattr(body(model), "decoder")


def body(model: PreTrainedModel) -> PreTrainedModel:
    """The model without its language-model head."""
    return cast(PreTrainedModel, model.base_model)


def stack_module(model: PreTrainedModel, stack: str) -> nn.Module:
    """The module whose forward pass runs ``stack`` ("encoder", "decoder", "cross")."""
    if not is_encoder_decoder(model):
        return body(model)
    return model.get_encoder() if stack == "encoder" else model.get_decoder()


def accepts(module: nn.Module, name: str) -> bool:
    """Whether a module's forward pass names this argument."""
    return name in inspect.signature(module.forward).parameters


def max_tokens(model: PreTrainedModel, tokenizer: Any) -> int | None:
    """The longest input in tokens; None where neither model nor tokenizer sets a limit.

    Models that learn positions starting after the padding index (RoBERTa) read fewer
    tokens than their table has rows.
    """
    for name, module in model.named_modules():
        if name.endswith(("position_embeddings", "embed_positions", "wpe")):
            if not isinstance(module, nn.Embedding):
                continue
            unused = getattr(module, "offset", 0)
            if module.padding_idx is not None and not unused and not _sinusoidal(module):
                unused = module.padding_idx + 1
            return int(module.num_embeddings - unused)
    for key in ("max_position_embeddings", "n_positions"):
        limit = getattr(model.config, key, None)
        if isinstance(limit, int) and limit > 0:
            return limit
    length = tokenizer.model_max_length
    return int(length) if length is not None and length < 1_000_000 else None


def _sinusoidal(module: nn.Module) -> bool:
    return "Sinusoidal" in type(module).__name__


def embedding_table(model: PreTrainedModel, stack: str) -> nn.Module:
    """The module that turns the ids a stack is given into vectors."""
    return cast(nn.Module, cast(Any, stack_module(model, stack)).get_input_embeddings())


def vocabulary_size(model: PreTrainedModel) -> int:
    """Rows of the embedding table of the encoder or only stack."""
    return len(cast(torch.Tensor, embedding_table(model, "encoder").weight))


def takes_pairs(model: PreTrainedModel, tokenizer: Any) -> bool:
    """Whether the model is an encoder whose tokenizer marks where a second text begins."""
    if is_encoder_decoder(model) or getattr(model.config, "is_decoder", False):
        return False
    added_to_pair = tokenizer.num_special_tokens_to_add(pair=True)
    return bool(added_to_pair > tokenizer.num_special_tokens_to_add(pair=False))


def read_by_head(model: PreTrainedModel) -> nn.Module:
    """The module whose last states the language-model head of a single stack is given.

    It is the body, but for OPT and its kin, whose head runs the decoder inside it.
    """
    return cast(nn.Module, getattr(body(model), "decoder", body(model)))


def blocks(model: PreTrainedModel, stack: str) -> nn.ModuleList:
    """The blocks a stack is made of, in their order; ALBERT's are run again and again.

    Raises:
        ModelError: it keeps them in no list.
    """
    for module in stack_module(model, stack).modules():
        if isinstance(module, nn.ModuleList):
            return module
    raise ModelError(f"{model.config.model_type}: where its blocks are is not known here")


def reads_states(model: PreTrainedModel) -> bool:
    """Whether the checkpoint has a head that makes words of its only stack's states.

    A seq2seq model's head reads its decoder's states, after the encoder's were used up.
    """
    has_head = model.get_output_embeddings() is not None and body(model) is not model
    return has_head and not is_encoder_decoder(model)


def static_embeddings(model: PreTrainedModel, stack: str, ids: torch.Tensor) -> torch.Tensor:
    """Each token's table row [N, D], brought to the residual stream as the model does it.

    Scaled where the model scales (BART, Gemma, Marian, Granite), projected where the
    table is narrower than the stream (ALBERT, ELECTRA, OPT); no position, segment or norm.

    Raises:
        ModelError: the table has another width, and no known module brings it to the stream's.
    """
    rows = table_rows(model, stack, ids)
    for name, child in stack_module(model, stack).named_modules():
        if name.rpartition(".")[2] in _EMBEDDING_PROJECTIONS:
            rows = child(rows)
            break
    if rows.shape[-1] != model.config.hidden_size:
        raise ModelError(
            f"{model.config.model_type}: how its embedding table of width {rows.shape[-1]} reaches "
            f"its residual stream of width {model.config.hidden_size} is not known here"
        )
    return rows


def table_rows(model: PreTrainedModel, stack: str, ids: torch.Tensor) -> torch.Tensor:
    """Each token's row of the embedding table [N, d], scaled as the model does it."""
    table = embedding_table(model, stack)
    rows: torch.Tensor = table(ids)
    if not hasattr(table, "embed_scale"):  # a table that has one applies it itself
        modules = stack_module(model, stack).modules()
        scales = (getattr(child, "embed_scale", None) for child in modules)
        rows = rows * next((scale for scale in scales if scale is not None), 1.0)
        rows = rows * getattr(model.config, "embedding_multiplier", 1.0)
    return rows


def role_at_entrance(name: str) -> str | None:
    """What a module before the first block does, by its path; None for nothing."""
    last = name.rpartition(".")[2].lower()
    if last in _EMBEDDING_PROJECTIONS:
        return "projection"
    if last == "wpe" or "position" in last:
        return "position"
    if last in ("token_type_embeddings", "segment_embeddings"):
        return "segment"
    return "norm" if "norm" in last or last.startswith("ln") else None


def adds_fixed_waves(model: PreTrainedModel, stack: str) -> bool:
    """Whether position vectors are sines and cosines by formula instead of learned."""
    return any(_sinusoidal(module) for module in stack_module(model, stack).modules())


def rotations(model: PreTrainedModel, stack: str) -> list[tuple[str, float | None, torch.Tensor]]:
    """Each way queries and keys are turned: layers ("" for all), theta, radians a token [d/2]."""
    said = getattr(model.config, "rope_parameters", None) or {}
    found = []
    for name, buffer in stack_module(model, stack).named_buffers():
        last = name.rpartition(".")[2]
        if not last.endswith("inv_freq") or "original" in last:
            continue
        layers = last.removesuffix("inv_freq").rstrip("_")
        theta = said.get(layers, said).get("rope_theta", getattr(model.config, "rope_theta", None))
        found.append((layers.replace("_", " "), theta, buffer))
    return found


def has_sinks(model: PreTrainedModel) -> bool:
    """Whether its heads have learned sinks, which take a part of each row (gpt-oss)."""
    return any(name.endswith(".sinks") for name, _ in model.named_parameters())


def relative_bias(model: PreTrainedModel, stack: str, n: int) -> torch.Tensor | None:
    """What a T5-like stack adds to its scores [H, n, n]; None where it adds nothing known."""
    for module in stack_module(model, stack).modules():
        if getattr(module, "has_relative_attention_bias", False):
            return cast(torch.Tensor, cast(Any, module).compute_bias(n, n)[0])
    return None


def head_width(model: PreTrainedModel, n_heads: int) -> int:
    """Width of a head's queries, as the config has it; T5 calls it ``d_kv``."""
    config = model.config
    said = getattr(config, "head_dim", None) or getattr(config, "d_kv", None)
    return int(said or config.hidden_size // n_heads)


def windows(model: PreTrainedModel, n_layers: int) -> tuple[int | None, ...]:
    """For each layer of a causal stack how many tokens a query sees at most, None for all.

    Empty where no layer has a limit. Read as transformers does for its cache; chunks and
    layers that reuse another layer's keys are taken for ordinary ones.
    """
    config = model.config.get_text_config(decoder=True)
    window = getattr(config, "sliding_window", None)
    if window is None:
        return ()
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * n_layers
    found = tuple(int(window) if "sliding" in kind else None for kind in kinds[:n_layers])
    return found if any(found) else ()


def exit_projection(stack: nn.Module) -> nn.Module | None:
    """What narrows a stack's last state to the embedding's width; OPT-350m has one."""
    for name, child in stack.named_modules():
        if name.rpartition(".")[2] == "project_out":
            return child
    return None


# How what attention gives meets the residual stream, by model type.
_RESIDUALS = {
    # added as it is; the norm stood before attention
    "pre": "biogpt gemma gpt2 gpt_bigcode gpt_neo gpt_oss llama mbart mistral mixtral modernbert "
    "mt5 pegasus phi3 qwen2 qwen3 smollm3 starcoder2 t5 umt5",
    # added, and then the sum is normalised
    "post": "albert bart bert camembert distilbert electra ernie marian roberta xlm-roberta",
    # normalised, and then added
    "inner": "gemma2 gemma3 gemma3_text olmo2 olmo3",
    # added together with what the MLP gives
    "parallel": "cohere cohere2 gpt_neox phi",
}


def attention_residual(model: PreTrainedModel) -> str:
    """How an attention block's output meets the residual stream.

    Returns:
        "pre", "post", "inner", "parallel" (see above), or "unknown".
    """
    config, kind = model.config, model.config.model_type
    if kind == "opt":
        return "pre" if config.do_layer_norm_before else "post"
    if kind == "gpt_neox" and not config.use_parallel_residual:
        return "pre"
    return next((how for how, types in _RESIDUALS.items() if kind in types.split()), "unknown")

"""Tiny random checkpoints of many families, written to folders as their owners publish them.

Weights are spread enough for attention to be far from uniform: parity tests could not fail
otherwise. Each family says what the tests must know of it without asking the code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers as tf

from tests.vocabularies import CORPUS, byte_level, llama_like, marian, roberta_like, unigram, wordpiece

TEXT = "When Mary and John went to the store, the dog ate an apple."
PAIR = "Apple announced a phone."
LONG = " ".join(CORPUS[:5])


@dataclass(frozen=True)
class Family:
    """What tests know of one tiny checkpoint.

    ``make(tokenizer)`` gives the model; ``auto`` is the Auto class its owner would name.
    ``stacks`` has (layers, heads, key/value heads, causal) of each; ``outputs`` is the
    path of each stack's output projection with ``{}`` for the layer; ``method`` is how it
    is expected to be captured; ``table``, ``scale`` and ``projection`` are how a token's row
    reaches the residual stream, ``exit`` what narrows it again at the end.
    """

    name: str
    make: Callable[[tf.PreTrainedTokenizerBase], tf.PreTrainedModel]
    tokenizer: Callable[[], tf.PreTrainedTokenizerBase]
    auto: type
    stacks: dict[str, tuple[int, int, int, bool]]
    outputs: dict[str, str]
    method: str = "recorder"
    pairs: bool = False
    scale: float = 1.0
    table: str = ""
    projection: str = ""
    exit: str = ""

    @property
    def is_encoder_decoder(self) -> bool:
        return "cross" in self.stacks


def spread(model: tf.PreTrainedModel, seed: int = 0, std: float = 0.2) -> tf.PreTrainedModel:
    """Draw every weight anew, wide enough for attention to have peaks."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "relative_attention_bias" in name or "sinks" in name:
                parameter.copy_(noise)
            elif parameter.dim() > 1:
                parameter.copy_(noise * std)
            elif "norm" in name.lower() or "ln" in name.lower():
                parameter.add_(noise * 0.1)
            else:
                parameter.copy_(noise * 0.1)
    return model.eval()


def _make(config: type, model: type, **settings: object) -> Callable[[tf.PreTrainedTokenizerBase], tf.PreTrainedModel]:
    def make(tokenizer: tf.PreTrainedTokenizerBase) -> tf.PreTrainedModel:
        ids = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "bos", "eos")}
        return spread(model(config(vocab_size=len(tokenizer), **{**ids, **settings})))

    return make


_BERT = dict(
    hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48, max_position_embeddings=256
)
_LLAMA = dict(
    hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48, max_position_embeddings=512
)
_BART = dict(
    d_model=32,
    encoder_layers=3,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=48,
    decoder_ffn_dim=48,
    max_position_embeddings=256,
    forced_eos_token_id=None,
)
_THREE_STACKS = {"encoder": (3, 4, 4, False), "decoder": (2, 4, 4, True), "cross": (2, 4, 4, False)}


FAMILIES = {
    family.name: family
    for family in [
        Family(
            "bert",
            _make(tf.BertConfig, tf.BertForMaskedLM, **_BERT),
            wordpiece,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "bert.encoder.layer.{}.attention.output.dense"},
            pairs=True,
            table="bert.embeddings.word_embeddings",
        ),
        Family(
            "distilbert",
            _make(
                tf.DistilBertConfig,
                tf.DistilBertForMaskedLM,
                dim=32,
                n_layers=3,
                n_heads=4,
                hidden_dim=48,
                max_position_embeddings=256,
            ),
            wordpiece,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "distilbert.transformer.layer.{}.attention.out_lin"},
            pairs=True,
            table="distilbert.embeddings.word_embeddings",
        ),
        Family(
            "roberta",
            _make(
                tf.RobertaConfig, tf.RobertaForMaskedLM, **{**_BERT, "max_position_embeddings": 258}, type_vocab_size=1
            ),
            roberta_like,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "roberta.encoder.layer.{}.attention.output.dense"},
            pairs=True,
            table="roberta.embeddings.word_embeddings",
        ),
        Family(
            "albert",
            _make(tf.AlbertConfig, tf.AlbertForMaskedLM, **_BERT, embedding_size=16),
            lambda: unigram("<s> $A </s>", "<s> $A </s> $B:1 </s>:1"),
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.dense"},
            pairs=True,
            table="albert.embeddings.word_embeddings",
            projection="albert.encoder.embedding_hidden_mapping_in",
        ),
        Family(
            "electra",
            _make(tf.ElectraConfig, tf.ElectraForMaskedLM, **_BERT, embedding_size=16),
            wordpiece,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "electra.encoder.layer.{}.attention.output.dense"},
            pairs=True,
            table="electra.embeddings.word_embeddings",
            projection="electra.embeddings_project",
        ),
        Family(
            "modernbert",
            _make(
                tf.ModernBertConfig,
                tf.ModernBertForMaskedLM,
                **_BERT,
                local_attention=8,
                global_attn_every_n_layers=3,
                cls_token_id=2,
                sep_token_id=3,
            ),
            wordpiece,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "model.layers.{}.attn.Wo"},
            pairs=True,
            table="model.embeddings.tok_embeddings",
        ),
        Family(
            "deberta-v2",
            _make(
                tf.DebertaV2Config,
                tf.DebertaV2ForMaskedLM,
                **_BERT,
                relative_attention=True,
                pos_att_type=["p2c", "c2p"],
                position_biased_input=False,
                type_vocab_size=0,
                position_buckets=8,
                norm_rel_ebd="layer_norm",
                share_att_key=True,
            ),
            wordpiece,
            tf.AutoModelForMaskedLM,
            {"encoder": (3, 4, 4, False)},
            {"encoder": "deberta.encoder.layer.{}.attention.output.dense"},
            method="eager",
            pairs=True,
            table="deberta.embeddings.word_embeddings",
        ),
        Family(
            "gpt2",
            _make(tf.GPT2Config, tf.GPT2LMHeadModel, n_embd=32, n_layer=3, n_head=4, n_positions=256),
            byte_level,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 4, True)},
            {"decoder": "transformer.h.{}.attn.c_proj"},
            table="transformer.wte",
        ),
        Family(
            "gpt-neox",
            _make(tf.GPTNeoXConfig, tf.GPTNeoXForCausalLM, **_LLAMA),
            byte_level,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 4, True)},
            {"decoder": "gpt_neox.layers.{}.attention.dense"},
            table="gpt_neox.embed_in",
        ),
        Family(
            "opt",
            _make(
                tf.OPTConfig,
                tf.OPTForCausalLM,
                hidden_size=32,
                word_embed_proj_dim=16,
                num_hidden_layers=3,
                num_attention_heads=4,
                ffn_dim=48,
                max_position_embeddings=256,
            ),
            lambda: byte_level("</s> $A", "</s> $A $B:1", ("</s>",)),
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 4, True)},
            {"decoder": "model.decoder.layers.{}.self_attn.out_proj"},
            table="model.decoder.embed_tokens",
            projection="model.decoder.project_in",
            exit="model.decoder.project_out",
        ),
        Family(
            "llama",
            _make(tf.LlamaConfig, tf.LlamaForCausalLM, **_LLAMA, num_key_value_heads=2),
            llama_like,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 2, True)},
            {"decoder": "model.layers.{}.self_attn.o_proj"},
            table="model.embed_tokens",
        ),
        Family(
            "gpt-bigcode",
            _make(
                tf.GPTBigCodeConfig,
                tf.GPTBigCodeForCausalLM,
                n_embd=32,
                n_layer=3,
                n_head=4,
                n_positions=256,
                multi_query=True,
            ),
            byte_level,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 1, True)},
            {"decoder": "transformer.h.{}.attn.c_proj"},
            table="transformer.wte",
        ),
        Family(
            "gemma",
            _make(tf.GemmaConfig, tf.GemmaForCausalLM, **_LLAMA, num_key_value_heads=1, head_dim=8),
            llama_like,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 1, True)},
            {"decoder": "model.layers.{}.self_attn.o_proj"},
            table="model.embed_tokens",
            scale=32**0.5,
        ),
        Family(
            "gemma2",
            _make(
                tf.Gemma2Config,
                tf.Gemma2ForCausalLM,
                **_LLAMA,
                num_key_value_heads=2,
                head_dim=8,
                sliding_window=6,
                attn_logit_softcapping=2.0,
                query_pre_attn_scalar=4,
            ),
            llama_like,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 2, True)},
            {"decoder": "model.layers.{}.self_attn.o_proj"},
            table="model.embed_tokens",
            scale=32**0.5,
        ),
        Family(
            "mistral",
            _make(tf.MistralConfig, tf.MistralForCausalLM, **_LLAMA, num_key_value_heads=2, sliding_window=24),
            llama_like,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 2, True)},
            {"decoder": "model.layers.{}.self_attn.o_proj"},
            table="model.embed_tokens",
        ),
        Family(
            "gpt-oss",
            _make(
                tf.GptOssConfig,
                tf.GptOssForCausalLM,
                **_LLAMA,
                num_key_value_heads=2,
                head_dim=8,
                sliding_window=8,
                num_local_experts=2,
                num_experts_per_tok=1,
            ),
            byte_level,
            tf.AutoModelForCausalLM,
            {"decoder": (3, 4, 2, True)},
            {"decoder": "model.layers.{}.self_attn.o_proj"},
            table="model.embed_tokens",
        ),
        Family(
            "t5",
            _make(
                tf.T5Config,
                tf.T5ForConditionalGeneration,
                d_model=32,
                d_kv=8,
                d_ff=48,
                num_layers=3,
                num_decoder_layers=2,
                num_heads=4,
                decoder_start_token_id=0,
                relative_attention_num_buckets=8,
                relative_attention_max_distance=16,
            ),
            unigram,
            tf.AutoModelForSeq2SeqLM,
            _THREE_STACKS,
            {
                "encoder": "encoder.block.{}.layer.0.SelfAttention.o",
                "decoder": "decoder.block.{}.layer.0.SelfAttention.o",
                "cross": "decoder.block.{}.layer.1.EncDecAttention.o",
            },
            table="shared",
        ),
        Family(
            "bart",
            _make(
                tf.BartConfig, tf.BartForConditionalGeneration, **_BART, scale_embedding=True, decoder_start_token_id=2
            ),
            roberta_like,
            tf.AutoModelForSeq2SeqLM,
            _THREE_STACKS,
            {
                "encoder": "model.encoder.layers.{}.self_attn.out_proj",
                "decoder": "model.decoder.layers.{}.self_attn.out_proj",
                "cross": "model.decoder.layers.{}.encoder_attn.out_proj",
            },
            table="model.shared",
            scale=32**0.5,
        ),
    ]
}

MARIAN = Family(
    "marian",
    lambda tokenizer: spread(
        tf.MarianMTModel(
            tf.MarianConfig(
                vocab_size=len(tokenizer),
                **_BART,
                scale_embedding=True,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=0,
                decoder_start_token_id=tokenizer.pad_token_id,
                decoder_vocab_size=len(tokenizer),
            )
        )
    ),
    wordpiece,
    tf.AutoModelForSeq2SeqLM,
    _THREE_STACKS,
    FAMILIES["bart"].outputs,
    table="model.shared",
    scale=32**0.5,
)
FAMILIES["marian"] = MARIAN


def write(family: Family, folder: Path) -> Path:
    """Save a family's checkpoint and tokenizer as ``save_pretrained`` does."""
    tokenizer = marian(folder.parent / "spm") if family is MARIAN else family.tokenizer()
    family.make(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

"""Small real tokenizers of every kind, trained on a few sentences in a moment."""

from __future__ import annotations

import json
from pathlib import Path

import sentencepiece
import transformers as tf
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import trainers as train

# Over a thousand: three runs of Unicode's pictures.
EMOJI = "".join(
    chr(point) for run in ((0x1F300, 0x1F64F), (0x1F680, 0x1F6C6), (0x1F90C, 0x1FA00)) for point in range(*run)
)

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog sleeps on.",
    "She ate an apple while Apple announced a phone; the apple was red.",
    "When Mary and John went to the store, John gave a drink to Mary.",
    "Attention heads look at previous tokens, at repeated tokens and at separators.",
    "Twelve small cats sat on a mat because it was warm near the window.",
] * 4


def wordpiece() -> tf.PreTrainedTokenizerFast:
    """BERT's kind: lower case, ``##`` before the pieces that go on a word."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        CORPUS, train.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def byte_level(
    single: str = "$A", pair: str = "$A $B:1", special: tuple[str, ...] = ("<|endoftext|>",)
) -> tf.PreTrainedTokenizerFast:
    """GPT-2's kind: any text at all, in bytes, a space belonging to the word after it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS,
        train.BpeTrainer(
            vocab_size=360,
            special_tokens=list(special),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    named = [(token, tokenizer.token_to_id(token)) for token in special]
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single=single, pair=pair, special_tokens=named),
        ]
    )
    roles = {"bos_token": special[0], "eos_token": special[-1], "unk_token": special[-1]}
    if "<pad>" in special:
        roles = {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "mask_token": "<mask>",
        }
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "attention_mask"], **roles
    )


def roberta_like() -> tf.PreTrainedTokenizerFast:
    """RoBERTa's and BART's: byte-level, ``<s> a </s></s> b </s>``."""
    return byte_level(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special=("<s>", "<pad>", "</s>", "<mask>")
    )


def llama_like() -> tf.PreTrainedTokenizerFast:
    """Llama's: sentencepiece BPE with byte fallback, a begin token, ``▁`` for a space."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?=▁)"), "isolated")
    byte_tokens = [f"<0x{value:02X}>" for value in range(256)]
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        CORPUS, train.BpeTrainer(vocab_size=480, special_tokens=[*special, *byte_tokens], show_progress=False)
    )
    # The trainer calls all of them special; only the first three are.
    raw = json.loads(tokenizer.to_str())
    raw["added_tokens"] = [token for token in raw["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(raw))
    tokenizer.pre_tokenizer = None
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B:1", special_tokens=[("<s>", 1)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )


def unigram(single: str = "$A </s>", pair: str = "$A </s> $B </s>") -> tf.PreTrainedTokenizerFast:
    """T5's and ALBERT's: sentencepiece unigram, ``▁`` where a word begins."""
    special = ["<pad>", "</s>", "<unk>", "<s>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        CORPUS, train.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[("</s>", 1), ("<s>", 3)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
    )


def marian(folder: Path) -> tf.MarianTokenizer:
    """Marian's own, written in Python: two sentencepiece models and a joint vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "corpus.txt"
    text.write_text("\n".join(CORPUS), encoding="utf-8")
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(folder / side), vocab_size=72, minloglevel=2
        )
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    pieces = [spm.id_to_piece(i) for i in range(spm.get_piece_size())]
    words = ["</s>", "<unk>", *(p for p in pieces if p not in ("<s>", "</s>", "<unk>")), "<pad>"]
    vocab = folder / "vocab.json"
    vocab.write_text(json.dumps({w: i for i, w in enumerate(words)}), encoding="utf-8")
    return tf.MarianTokenizer(str(folder / "source.spm"), str(folder / "target.spm"), str(vocab), model_max_length=512)

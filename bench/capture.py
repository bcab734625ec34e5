"""What a capture costs on GPT-2's shape, beside plain SDPA and eager ``output_attentions``.

    python bench/capture.py [--device cpu] [--repeats 9]

Random weights, so nothing is downloaded. The explorer's side is what users call: ``load_model``
on a checkpoint folder and ``capture`` on a text, tokenizing and hidden states included. The two
references run the bare body that transformers gives. The three take turns; times are medians, and
so are the ratios of each turn, which is what counts on a machine that does other things too. Prints
a Markdown table and writes ``bench/results/capture-<device>.json``.
"""

from __future__ import annotations

import argparse
import random
import string
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModel, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parents[1]))

import explorer
from bench.recording import machine, markdown, medians, on_what, ratio, seconds_in_turn, write

LENGTHS = (64, 256, 1024)


def write_checkpoint(folder: Path) -> None:
    """GPT-2 as its config has it by default (12 layers of 12 heads), a token a byte."""
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config()).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({byte: i for i, byte in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)


def measure(folder: Path, n: int, device: str, repeats: int) -> dict[str, Any]:
    """One row: times and bytes at ``n`` tokens."""
    loaded = explorer.load_model(str(folder), device=device)
    body = {
        kind: AutoModel.from_pretrained(folder, attn_implementation=kind).to(device).eval()
        for kind in ("sdpa", "eager")
    }
    text = "".join(random.Random(n).choices(string.ascii_letters, k=n))
    ids = loaded.tokenizer(text, return_tensors="pt").input_ids.to(device)
    if ids.shape != (1, n):
        raise SystemExit(f"the text should have {n} tokens, not {ids.shape[1]}")

    def plain() -> object:
        with torch.inference_mode():
            return body["sdpa"](ids, use_cache=False)

    def eager() -> Any:
        with torch.inference_mode():
            return body["eager"](ids, use_cache=False, output_attentions=True)

    seconds = seconds_in_turn(
        {"sdpa": plain, "eager": eager, "capture": lambda: explorer.capture(loaded, text)}, repeats, device
    )
    cap = explorer.capture(loaded, text)
    stack = cap.stack()
    attention = eager().attentions
    difference = max(
        float((torch.from_numpy(cap.attention(layer)) - weights[0].cpu()).abs().max())
        for layer, weights in enumerate(attention)
    )
    one_head = stack.q(0, 0).nbytes
    return {
        "tokens": n,
        "seconds": medians(seconds),
        "seconds_all": seconds,
        "to_sdpa": ratio(seconds["capture"], seconds["sdpa"]),
        "eager_to_capture": ratio(seconds["eager"], seconds["capture"]),
        "bytes": {
            "attention": sum(weights.nbytes for weights in attention),
            "queries_keys": one_head * (stack.n_heads + stack.n_kv_heads) * stack.n_layers,
            "queries_keys_values": cap.nbytes - cap.hidden.nbytes,
            "hidden": cap.hidden.nbytes,
        },
        "largest_difference_to_eager": difference,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = []
    for row in rows:
        took, held = row["seconds"], row["bytes"]
        share = {
            name: f"{held[name] / 1e6:.1f} MB (1/{held['attention'] / held[name]:.1f})"
            for name in ("queries_keys", "queries_keys_values")
        }
        lines.append(
            [
                f"{row['tokens']:,}",
                f"{took['sdpa'] * 1e3:.0f} ms",
                f"{took['eager'] * 1e3:.0f} ms",
                f"{took['capture'] * 1e3:.0f} ms",
                f"{row['to_sdpa']:.2f}",
                f"{row['eager_to_capture']:.1f}",
                f"{held['attention'] / 1e6:.1f} MB",
                share["queries_keys"],
                share["queries_keys_values"],
                f"{held['hidden'] / 1e6:.1f} MB",
            ]
        )
    return markdown(
        [
            "tokens",
            "plain SDPA",
            "eager with attentions",
            "capture",
            "÷ SDPA",
            "eager ÷ capture",
            "attention",
            "queries, keys",
            "with values",
            "hidden states",
        ],
        lines,
    )


def run(device: str, repeats: int) -> None:
    """Measure on one device, print the table, write the file."""
    logging.disable_progress_bar()
    here = machine(device)
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder))
        rows = [measure(Path(folder), n, device, repeats) for n in LENGTHS]
    result = {"benchmark": "capture on GPT-2's shape, float32", **here}
    write("capture", result | {"repeats": repeats, "rows": rows})
    print(f"{on_what(here)}\n\n{table(rows)}")


def main() -> None:
    """Measure on the devices asked for: the CPU, and CUDA where there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", help="cpu or cuda (default: both, where there is CUDA)")
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    both = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in [given.device] if given.device else both:
        run(device, given.repeats)


if __name__ == "__main__":
    main()

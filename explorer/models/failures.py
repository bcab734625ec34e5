"""What a model's own failures become: one line for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from explorer.records import ModelError

_SAYINGS = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


def one_line(error: BaseException) -> str:
    """The first line of an error's message, without its end."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".:")[:300]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on any device (torch has several ways)."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(saying in str(error).lower() for saying in _SAYINGS)


@contextmanager
def one_clear_line(failed: str, doing: str) -> Iterator[None]:
    """Turn whatever is raised into a ModelError; any model may be asked for.

    Args:
        failed: what is said of an error, before its first line.
        doing: what is said when memory runs out.

    Raises:
        ModelError: anything was raised inside.
    """
    with out_of_memory(doing):
        try:
            yield
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise ModelError(f"{failed}: {one_line(error)}") from error


@contextmanager
def out_of_memory(doing: str) -> Iterator[None]:
    """Turn running out of memory into one line, and give the memory back.

    Raises:
        ModelError: memory ran out while ``doing``.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ModelError) or not is_out_of_memory(error):
            raise
    else:
        return
    # Outside the handler, so that the failed tensors are no longer held by its traceback.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise ModelError(f"out of memory while {doing}: use a shorter text, a smaller model or another device")

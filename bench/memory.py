"""How far a piece of work raises the memory in use, at its highest."""

from __future__ import annotations

import ctypes
import gc
import re
from contextlib import suppress
from pathlib import Path
from typing import Self

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """A block of code's highest memory, in bytes over what was in use before it.

    Attributes:
        host: resident memory of the process; None where the system keeps no resettable
            high-water mark (Linux does).
        card: memory of the CUDA device; None on a CPU.
    """

    host: int | None = None
    card: int | None = None

    def __init__(self, device: str = "cpu") -> None:
        self._device = device if device.startswith("cuda") else None

    def __enter__(self) -> Self:
        gc.collect()
        with suppress(OSError, AttributeError):  # what glibc has freed goes back to the system
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        with suppress(OSError):
            _CLEAR.write_text("5")  # resets the high-water mark
        self._before = _resident()
        if self._device:
            torch.cuda.reset_peak_memory_stats(self._device)
            self._allocated = torch.cuda.memory_allocated(self._device)
        return self

    def __exit__(self, *_: object) -> None:
        now = _resident()
        if self._before and now:
            self.host = now["HWM"] - self._before["RSS"]
        if self._device:
            self.card = torch.cuda.max_memory_allocated(self._device) - self._allocated


def _resident() -> dict[str, int] | None:
    """Bytes resident now (RSS) and at most (HWM)."""
    try:
        found = re.findall(r"^Vm(RSS|HWM):\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return {name: 1024 * int(kilobytes) for name, kilobytes in found}

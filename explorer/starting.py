"""Ctrl-C while the program starts: as quiet as later on.

``python -m explorer`` imports this package, and torch with it, before any line of the program
could catch a KeyboardInterrupt. Until then the process ends by itself. Who imports explorer as
a library gets the KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # the exit status


def is_program() -> bool:
    """Whether Python is on its way to ``explorer.__main__`` (sys.argv[0] is "-m" until then)."""
    return sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)] in ("explorer", "-mexplorer")


def end_when_interrupted() -> None:
    """End at once and quietly; where Ctrl-C is ignored or handled already, that stays."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_when_interrupted() -> None:
    """A KeyboardInterrupt again, for someone is there to catch it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)

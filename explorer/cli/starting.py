"""How the program starts: under which name, and what Ctrl-C does until it has.

``python -m explorer`` and ``attention-explorer`` import this package before any line of the
program could catch a KeyboardInterrupt. Until then the process ends by itself. Who imports
explorer as a library gets the KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # the exit status
SCRIPT = "attention-explorer"
MODULE = "python -m explorer"


def is_program() -> bool:
    """Whether Python is on its way to the command line.

    That is to ``explorer.__main__`` (sys.argv[0] is "-m" until then), or started by the script.
    """
    if is_script():
        return True
    return sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)] in ("explorer", "-mexplorer")


def is_script() -> bool:
    """Whether the installed script started this process."""
    return os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0] == SCRIPT


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

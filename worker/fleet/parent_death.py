"""A process that ends with its parent, however the parent ends, so that no orphan goes on working."""

from __future__ import annotations

import ctypes
import signal
import sys

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent ends. Linux only; elsewhere orphans end by themselves, later."""
    if _LIBRARY is not None:
        _LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

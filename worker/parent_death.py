"""A process that ends with its parent, however the parent ends, so that no orphan goes on working."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent ends. Linux only; elsewhere orphans end by themselves, later."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

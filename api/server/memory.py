"""Giving memory back after large bodies: left alone, the process would stay as large as its largest moment."""

from __future__ import annotations

import ctypes
import gc

LARGE_BYTES = 65_536
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of mallopt(3)

_LIBC = ctypes.CDLL(None)
_IS_GLIBC = hasattr(_LIBC, "mallopt")


def keep_little() -> None:
    """Have the C library return a large block when it is freed, and keep few arenas; to be called before threads start.

    What the application is made of stays for good: not looking at it again makes `give_back` cheap.
    """
    gc.freeze()
    if _IS_GLIBC:
        _LIBC.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        _LIBC.mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Free what a request has left: the traceback of a refusal keeps the body in a cycle, which Python finds much later."""
    gc.collect()
    if _IS_GLIBC:
        _LIBC.malloc_trim(0)

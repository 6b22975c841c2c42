"""Give memory back to the system after large bodies; else the process would stay at its peak size."""

from __future__ import annotations

import ctypes
import gc

LARGE_BYTES = 65_536
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of mallopt(3)

_LIBC = ctypes.CDLL(None)
_IS_GLIBC = hasattr(_LIBC, "mallopt")


def keep_little() -> None:
    """Have the C library return a large block when it is freed, and keep few arenas; to be called before threads start.

    Freezing the objects of the application, which stay for good, makes the collection in `give_back` cheap.
    """
    gc.freeze()
    if _IS_GLIBC:
        _LIBC.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        _LIBC.mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Collect garbage now: the traceback of a refusal keeps the body in a reference cycle."""
    gc.collect()
    if _IS_GLIBC:
        _LIBC.malloc_trim(0)

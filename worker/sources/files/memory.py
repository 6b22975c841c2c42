"""A limit on the memory that reading a file may take: a small compressed file may expand to more than there is."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_MEMORY = 3 << 29  # 1.5 GiB of addresses, some of which allocators only reserve
_STATUS = Path("/proc/self/statm")


@contextmanager
def limited_memory() -> Iterator[None]:
    """Inside, the process gets no more than `MAX_MEMORY` beyond what it has: what asks for more meets a MemoryError.

    The system would give it, and later kill whoever is largest, with other people's jobs in it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(_STATUS.read_text().split()[0]) * resource.getpagesize()
    limits = [used + MAX_MEMORY, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

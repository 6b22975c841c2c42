"""What this process may use of its machine: cores and memory, as a container's limits have it (cgroup version 1 or 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path, PurePosixPath

MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is for this process and whoever shares its container with it."""

    cores: int
    memory_mb: int


def this_machine(root: Path = Path("/")) -> Machine:
    """What the system has, or less where a limit says so; part of a core counts as one.

    Args:
        root: of the file system that holds /proc and /sys.
    """
    groups = list(_groups(root))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = [group / name for group in groups for name in ("memory.max", "memory.limit_in_bytes")]
    limits = [limit for file in files if (limit := _number(file)) > 0]
    shares = [share for group in groups if (share := _share_of_cores(group)) > 0]
    return Machine(cores=max(1, ceil(min([_cores(), *shares]))), memory_mb=min([memory, *limits]) // MB)


def _cores() -> int:
    """Cores that the scheduler gives this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process' groups and of those above, any of which may have a limit.

    Inside a container the path is often that of the host, which is not there: then the root of what is mounted is our own group.
    """
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            mounted = root / "sys/fs/cgroup" / controllers  # version 2 has no name, version 1 may have a link for each of several
            place = PurePosixPath(path.lstrip("/"))
            yield from (mounted / each for each in (place, *place.parents) if ".." not in each.parts)


def _share_of_cores(group: Path) -> float:
    """How many cores' time the group may have; 0 = no limit."""
    with suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text().split()
        return 0.0 if quota == "max" else int(quota) / int(period)
    quota_us, period_us = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    return quota_us / period_us if quota_us > 0 and period_us > 0 else 0.0


def _number(file: Path) -> int:
    """The number in a file; 0 = none, which is no limit."""
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return 0

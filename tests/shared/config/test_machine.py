"""Cores and memory are what a container's limits leave of the machine, as each version of cgroups tells them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.config.machine import Machine, this_machine

V2 = "0::/kubepods/pod-1/worker\n"
V1 = "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n"
NO_LIMIT = str(0x7FFFFFFFFFFFF000)
ALL = this_machine(Path("/nowhere"))


def machine_of(root: Path, groups: str, files: Mapping[str, str]) -> Machine:
    """What is found where the kernel shows these files."""
    for name, text in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return this_machine(root)


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        (V2, {"kubepods/pod-1/worker/memory.max": "536870912\n", "kubepods/pod-1/worker/cpu.max": "50000 100000\n"}),
        (V2, {"kubepods/pod-1/worker/memory.max": "max\n", "kubepods/pod-1/memory.max": "536870912", "kubepods/cpu.max": "1 1"}),
        ("0::/\n", {"memory.max": "536870912\n", "cpu.max": "100000 100000\n"}),  # a namespace of its own
        ("0::/../other\n", {"memory.max": "536870912\n", "cpu.max": "100000 100000\n"}),
        (V1, {"memory/docker/abc/memory.limit_in_bytes": "536870912", "memory/memory.limit_in_bytes": NO_LIMIT,
              "cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "100000", "cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000"}),
        (V1, {"memory/memory.limit_in_bytes": "536870912",  # the path is the host's
              "cpu,cpuacct/cpu.cfs_quota_us": "20000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}),
    ],
)  # fmt: skip
def test_a_limit_counts_wherever_it_is_told(tmp_path: Path, groups: str, files: dict[str, str]) -> None:
    assert machine_of(tmp_path, groups, files) == Machine(cores=1, memory_mb=512)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"kubepods/memory.max": "max", "kubepods/cpu.max": "max 100000"},
        {"kubepods/memory.max": "what?", "kubepods/cpu.max": "what?"},
        {"kubepods/memory.max": NO_LIMIT, "kubepods/cpu.max": f"{10**9} 100000"},
    ],
)
def test_without_a_limit_all_there_is_counts(tmp_path: Path, files: dict[str, str]) -> None:
    assert machine_of(tmp_path, V2, files) == ALL
    assert len(os.sched_getaffinity(0)) == ALL.cores
    assert ALL.memory_mb > 256

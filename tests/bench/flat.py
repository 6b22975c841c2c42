"""What a queue costs beside its models: `python -m tests.bench.flat [--queues 25,150] [--layouts files,mongodb] [--models auto]`.

CPU of the whole tree of `queuecast up` for jobs of two baselines a queue, less what it costs when idle, and the largest resident
memory of each process. Each number of queues has a stack of its own. `files` is a CSV file per queue, `table` all of them in one
Parquet file, `csv` all of them in one CSV file: 14 days of hours each. `mongodb` is a collection with its index, `collection` one
without; they and `influxdb` run beside the tree and are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import urllib3

from tests.bench.flat_places import laid
from tests.bench.fleet.figures import circumstances
from tests.factories import MONDAY
from tests.polling import eventually
from tests.up import FLOWER, QUEUECAST

HOLD_MS, HOLD_RATIO, HOLD_KB = 60.0, 1.15, 2.0  # a queue, whatever their number
IDLE_SECONDS = 5.0
MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one job: CPU seconds by process, less those of idleness; wall seconds; largest resident MB by process."""

    queues: int
    cpu: Counter[str]
    wall: float
    peaks: dict[str, float]

    @property
    def each(self) -> float:
        """CPU milliseconds a queue."""
        return 1e3 * self.cpu.total() / self.queues


def main() -> None:
    """Measure each layout at each number of queues."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queues", default="25,150")
    parser.add_argument("--layouts", default="files,table")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--models", default="last_value,hour_mean")
    wanted = parser.parse_args()
    print(json.dumps(circumstances()), flush=True)
    for layout in wanted.layouts.split(","):
        costs = [measured(layout, int(queues), wanted.workers, wanted.models.split(",")) for queues in wanted.queues.split(",")]
        judge(layout, costs)


def measured(layout: str, queues: int, workers: int, models: list[str]) -> Cost:
    """One job over so many queues on a stack of its own, after a small one that warms it up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with laid(layout, folder, queues) as place, stack(folder, workers, place.settings) as (process, url):
            run(url, place.warm_up, models)
            idle = idleness(process)
            before, began = cpu_of(process), time.monotonic()
            run(url, place.all_of_it, models)
            wall = time.monotonic() - began
            cpu = cpu_of(process)
            cpu.subtract(before)
            cpu.subtract({role: seconds * wall for role, seconds in idle.items()})
            cost = Cost(queues=queues, cpu=cpu, wall=wall, peaks=peaks_of(process))
    show(layout, cost)
    return cost


@contextmanager
def stack(folder: Path, workers: int, settings: Mapping[str, str] | None = None) -> Iterator[tuple[psutil.Process, str]]:
    """`queuecast up` on free ports, with the files of a folder."""
    command = [
        QUEUECAST,
        "up",
        "--port",
        "0",
        "--flower-port",
        "0",
        "--data-dir",
        str(folder),
        "--workers",
        str(workers),
        "--json",
    ]
    own = {"QUEUECAST_FILES_DIR": str(folder / "files"), **FLOWER, **(settings or {})}
    with (folder / "said").open("w") as words:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True, env=os.environ | own)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready, (folder / "said").read_text()
        yield psutil.Process(process.pid), json.loads(ready)["url"]
    finally:
        process.terminate()
        process.wait(120)
        process.stdout.close()
        if kept := os.environ.get("FLAT_LOGS"):
            shutil.copytree(folder / "logs", kept, dirs_exist_ok=True)


def run(url: str, source: Mapping[str, str], models: list[str]) -> None:
    """A job of these models over all queues of a source, up to its end."""
    body = {
        "owner": "bench",
        "user_name": "bench",
        "job_name": "flat",
        "project": "bench",
        "data": {"source": dict(source), "destination": {"name": "files"}},
        "aggregation_time_period": "1h",
        "data_ingestion_time_period": "14d",
        "future_prediction_time_period": "1d",
        "as_of": MONDAY.isoformat(),
        "model": models[0] if models == ["auto"] else models,
        "baselines": False,
        "max_candidates": 100_000,
    }
    answer = urllib3.request("POST", f"{url}/v1/jobs", json=body, retries=False)
    assert answer.status == 202, answer.data
    job_id = answer.json()["job_id"]

    def ended() -> dict[str, Any] | None:
        time.sleep(1)  # between looks, which cost the API something
        job: dict[str, Any] = urllib3.request("GET", f"{url}/v1/jobs/{job_id}", retries=False).json()
        return None if job["state"] in {"queued", "running"} else job

    job = eventually(ended, within=3_600, what="the end of the job")
    assert job["state"] == "succeeded", job


def idleness(process: psutil.Process) -> Counter[str]:
    """CPU seconds a second of each process when there is nothing to do."""
    time.sleep(2)  # what comes after a job's end is not idleness
    before = cpu_of(process)
    time.sleep(IDLE_SECONDS)  # no wait for anything: the time over which idleness is measured
    after = cpu_of(process)
    return Counter({role: (seconds - before[role]) / IDLE_SECONDS for role, seconds in after.items()})


def cpu_of(root: psutil.Process) -> Counter[str]:
    """CPU seconds of the tree by process, those of children that have ended included."""
    total: Counter[str] = Counter()
    for role, each in members(root):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total[role] += times.user + times.system + times.children_user + times.children_system
    return total


def peaks_of(root: psutil.Process) -> dict[str, float]:
    """Largest resident MB since the start, of the largest process of each kind."""
    peaks: dict[str, float] = {}
    for role, each in members(root):
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{each.pid}/status").read_text().splitlines()
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1_024 / MB
            peaks[role] = max(peak, peaks.get(role, 0.0))
    return peaks


def members(root: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of the stack, with what it is for."""
    yield "up", root
    for child in root.children():
        with suppress(psutil.NoSuchProcess):
            role = role_of(child.cmdline())
            yield role, child
            for below in child.children(recursive=True):
                is_pool = role_of(below.cmdline()) == role_of(below.parent().cmdline())
                yield f"{role} child" if is_pool and role == "worker" else role, below


def role_of(command: list[str]) -> str:
    if "--name" in command:
        return command[command.index("--name") + 1]
    known = ("serve", "reap", "flower")
    return next((word for word in command if word in known), Path(command[0]).name if command else "?")


def show(layout: str, cost: Cost) -> None:
    parts = ", ".join(f"{role} {1e3 * seconds / cost.queues:.1f}" for role, seconds in cost.cpu.most_common() if seconds > 0)
    print(f"{layout:7} {cost.queues:5} queues  {cost.each:7.1f} ms CPU a queue in {cost.wall:.0f} s: {parts}")
    print(f"{'':14} MB at most: {', '.join(f'{role} {peak:.0f}' for role, peak in sorted(cost.peaks.items()))}", flush=True)


def judge(layout: str, costs: list[Cost]) -> None:
    """Against what is held to: the price of a queue, that it does not grow with their number, and that memory does not."""
    few, many = costs[0], costs[-1]
    print(f"{layout:7} {many.each:.1f} ms a queue (hold to ≤ {HOLD_MS:g})", end="")
    if many.queues > few.queues:
        more = many.queues - few.queues
        growth = {role: 1e3 * (peak - few.peaks.get(role, peak)) / more for role, peak in many.peaks.items()}
        worst = max(growth, key=growth.__getitem__)
        print(f", × {many.each / few.each:.2f} from {few.queues} to {many.queues} (hold to ≤ {HOLD_RATIO:g})", end="")
        print(f", {growth[worst]:.1f} kB of memory a queue in {worst} (hold to ≤ {HOLD_KB:g})", end="")
    print(flush=True)


if __name__ == "__main__":
    main()

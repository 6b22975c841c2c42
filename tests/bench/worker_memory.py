"""How much memory a worker takes with every model loaded: `python -m tests.bench.worker_memory [--queues 4]`.

Workers with one slot each, as `queuecast up` starts them (light lanes, heavy lane), then one that serves all lanes. Each is
looked at after it has preloaded its libraries, and its largest moment is caught while it runs two jobs of `auto`, of 14 and of 60
days of hours, with a covariate for VAR. RSS counts shared pages in every process; USS is what a process has for itself alone.
"""

from __future__ import annotations

import argparse
import json
import platform
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from shared.domain.durations import Duration
from shared.domain.jobs import JobState
from tests.bench.fleet.figures import meanwhile
from tests.bench.fleet.stage import broker
from tests.factories import a_load
from tests.integration.fleet import Fleet, fleet_on

HOLD = 900  # MB, RSS of one process
SETUPS = {"light and heavy": ("select,check,plan,score", "heavy"), "all in one": ("select,check,plan,score,heavy",)}
DAYS = (14, 60)
MB = 2**20

Peaks = dict[str, tuple[float, float]]  # process → RSS and USS in MB


def main() -> None:
    """Measure each setup on a broker of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queues", type=int, default=4)
    queues = parser.parse_args().queues
    print(json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}", "queues": queues, "python": platform.python_version()}))
    for name, lanes in SETUPS.items():
        print(name)
        measure(lanes, queues)


def measure(lanes: tuple[str, ...], queues: int) -> None:
    """Print what the workers of these lanes take."""
    with broker() as settings:
        assert settings.files_dir is not None
        write_usage(settings.files_dir, queues)
        with fleet_on(settings) as fleet:
            workers = {name.replace(",", "+"): fleet.worker(f"w{number}", name, 1) for number, name in enumerate(lanes)}
            show("after the preload", look(fleet, workers))
            for days in DAYS:
                show(f"most in a job of {days} days", peaks_of(fleet, workers, days))


def write_usage(folder: Path, queues: int) -> None:
    """One file per queue, with a column beside the target that follows it loosely."""
    folder.mkdir()
    for number in range(queues):
        load = a_load(max(DAYS) * 24, seed=number)
        memory = 1e8 * load + np.random.default_rng(number).normal(0, 1e9, len(load))
        load.to_frame().assign(memory=memory).rename_axis("timestamp").to_csv(folder / f"root.q{number}.csv")


def peaks_of(fleet: Fleet, workers: dict[str, Any], days: int) -> Peaks:
    """The largest of each process during a job of so many days, looked at ten times a second."""
    peaks: Peaks = {}

    def watch() -> None:
        for name, (rss, uss) in look(fleet, workers).items():
            most = peaks.get(name, (0.0, 0.0))
            peaks[name] = max(most[0], rss), max(most[1], uss)

    with meanwhile(watch, 0.1):
        ended = fleet.ended(fleet.submit(data_ingestion_time_period=Duration(days, "d")), within=600)
    assert ended.state is JobState.SUCCEEDED, ended.reason
    return peaks


def look(fleet: Fleet, workers: dict[str, Any]) -> Peaks:
    """RSS and USS of Celery's main process and of its child, and RSS of Stan's program while it runs."""
    found: Peaks = {}
    for name, worker in workers.items():
        for process in fleet.children(worker):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                memory = process.memory_full_info()
                role = "stan" if "prophet" in process.name() else "child" if is_child(process) else "main"
                found[f"{name} {role}"] = memory.rss / MB, memory.uss / MB
    return found


def is_child(process: psutil.Process) -> bool:
    """Celery's pool forks from its main process, so both have the same command line."""
    parent = process.parent()
    return parent is not None and parent.cmdline() == process.cmdline()


def show(moment: str, found: Peaks) -> None:
    for name, (rss, uss) in sorted(found.items()):
        verdict = "" if rss < HOLD else f"  MISSED: hold to < {HOLD}"
        print(f"  {moment:28} {name:34} RSS {rss:5.0f} MB  USS {uss:5.0f} MB{verdict}", flush=True)


if __name__ == "__main__":
    main()

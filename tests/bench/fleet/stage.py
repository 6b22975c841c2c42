"""A fleet on this machine as `queuecast up` starts it: broker, one worker, reaper; with the benchmark's models in the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from deploy.valkey import forget_socket, valkey_command
from shared.config.origins import CONFIG_FILE
from shared.config.settings import PREFIX, Settings
from shared.domain.jobs import DataPlaces, Grid, Job, JobState
from shared.domain.places import Place
from shared.drivers.redis_server import redis_client, redis_server
from tests.factories import a_load, write_loads
from tests.integration.fleet import Fleet, fleet_on
from tests.polling import eventually

CORES = len(os.sched_getaffinity(0))
LANES = "select,check,plan,score"
BASELINES = 4  # candidates that are always there: last_value, seasonal_naive of 1 and 7 days, hour_mean


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A job that has ended: its wall seconds by the row's clock, and CPU seconds meanwhile.

    worker_cpu: of the worker's processes, less what they cost when idle. main_cpu: of that, Celery's main process, idle included.
    others_cpu: of all processes of this machine that are none of the benchmark's.
    """

    job: Job
    worker_cpu: float
    main_cpu: float
    others_cpu: float

    @property
    def wall(self) -> float:
        assert self.job.ended_at is not None
        return (self.job.ended_at - self.job.created_at).total_seconds()

    @property
    def candidates(self) -> int:
        return self.job.progress.candidates.total


@dataclass
class Stage:
    """A running fleet; `idle` is the worker's CPU per second when there is nothing to do."""

    fleet: Fleet
    worker: subprocess.Popen[bytes]
    lanes: str
    idle: float = 0.0

    @property
    def settings(self) -> Settings:
        return self.fleet.settings

    def ended(self, job_id: str, within: float = 900) -> Job:
        """The job, which must have succeeded."""
        job = self.fleet.ended(job_id, within)
        assert job.state is JobState.SUCCEEDED, job.reason
        return job

    def run(self, **changes: Any) -> Ran:
        """Submit a job, wait for its end."""
        began, before = time.monotonic(), (self.worker_cpu(), self.main_cpu(), others_cpu())
        job = self.ended(self.fleet.submit(**changes))
        eventually(lambda: job.job_id not in self.fleet.run_state.active(), what="the end of the last task")
        after = (self.worker_cpu(), self.main_cpu(), others_cpu())
        worker, main, others = (then - earlier for then, earlier in zip(after, before, strict=True))
        idle = self.idle * (time.monotonic() - began)
        return Ran(job=job, worker_cpu=worker - idle, main_cpu=main, others_cpu=others)

    def worker_cpu(self) -> float:
        """CPU seconds of the watchdog, Celery's main process and its pool, children that have been replaced included."""
        return tree_cpu(self.worker.pid)

    def main_cpu(self) -> float:
        """CPU seconds of Celery's main process alone: it takes messages, hands them out and sends events."""
        [main] = psutil.Process(self.worker.pid).children()
        times = main.cpu_times()
        return float(times.user + times.system)

    def actions(self) -> int:
        """How often the reaper has sent something again; nothing is lost here, so each is a fault of ours."""
        return (self.settings.data_dir / "fleet.log").read_text().count('"event": "recovery action"')

    def settle(self, seconds: float = 4.0) -> None:
        """Run every kind of task once, then see what the worker costs when idle."""
        for model in ("quick", "alone") if "heavy" in self.lanes else ("quick",):
            self.run(**request_of(model, 4))
        time.sleep(1)  # what comes after a job's end is not idleness
        before = self.worker_cpu()
        time.sleep(seconds)  # no wait for anything: the time over which idleness is measured
        self.idle = (self.worker_cpu() - before) / seconds


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and of all that it has started."""
    root, total = psutil.Process(pid), 0.0
    for each in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def others_cpu() -> float:
    """CPU seconds that this machine has spent since it started on anything but this benchmark."""
    times = psutil.cpu_times()
    every = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    return float(every) - tree_cpu(os.getpid())


def request_of(model: str, variants: int, milliseconds: float = 0.0) -> dict[str, Any]:
    """What to change in a request, so that each queue has this many candidates of the model, and the baselines."""
    grid: Grid = {"variant": tuple(range(variants)), "milliseconds": (milliseconds,)}
    places = DataPlaces(source=Place(name="files", path="*"), destination=Place(name="files"))
    return {"data": places, "model": (model,), "hyperparameters": {model: grid}, "max_candidates": 1_000_000}


def write_files(folder: Path, queues: int) -> None:
    """One CSV file per queue, 14 days of hourly usage."""
    write_loads(folder, *(f"root.q{number:04d}" for number in range(queues)))


def write_table(folder: Path, queues: int) -> None:
    """The same of many queues, in one Parquet file; a file each would be opened by the ingestion of every queue."""
    folder.mkdir()
    frames = (a_load(seed=number).rename_axis("timestamp").reset_index() for number in range(queues))
    table = pd.concat([frame.assign(queue=f"root.q{number:04d}") for number, frame in enumerate(frames)])
    table.to_parquet(folder / "usage.parquet", index=False, row_group_size=336 * 50)


@contextmanager
def broker() -> Iterator[Settings]:
    """Settings of a fresh data folder whose embedded broker runs; no setting of the developer's own counts."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[CONFIG_FILE] = str(folder / "queuecast.toml")
        settings = Settings(data_dir=folder, files_dir=folder / "files", store_url=f"sqlite:///{folder / 'queuecast.db'}")
        server = subprocess.Popen(valkey_command(folder), stdout=subprocess.DEVNULL)
        redis_client(redis_server(settings).run_state, is_patient=True).ping()
        try:
            yield settings
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            forget_socket(folder)


@contextmanager
def stage(settings: Settings, *, lanes: str = LANES, slots: int = CORES) -> Iterator[Stage]:
    """A fleet on a running broker, warm."""
    with fleet_on(settings) as fleet:
        known = _workers(fleet)
        worker = fleet.spawn([sys.executable, "-m", "tests.bench.fleet.work", lanes, str(slots)])
        fleet.start("reap")
        eventually(lambda: _workers(fleet) - known, what="the worker's announcement")
        here = Stage(fleet, worker, lanes)
        here.settle()
        yield here


@contextmanager
def stage_over(write: Callable[[Path, int], None], queues: int, *, lanes: str = LANES) -> Iterator[Stage]:
    """A fleet on a broker of its own, warm, over so many queues."""
    with broker() as settings:
        write(settings.data_dir / "files", queues)
        with stage(settings, lanes=lanes) as here:
            yield here


def _workers(fleet: Fleet) -> set[str]:
    return {worker.worker_id for worker in fleet.run_state.members.workers()}

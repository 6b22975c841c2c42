"""A real fleet beside the tests: workers and reaper as an operator starts them, on the embedded broker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import Any

import psutil

from shared.config.settings import Settings
from shared.domain.jobs import Job
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import enqueue_job, make_celery
from shared.fleet.runstate import RunState
from shared.lifecycle import Lifecycle
from shared.store import Store, open_store
from tests.factories import a_job, a_request
from tests.polling import eventually
from tests.up import QUEUECAST

LOG = "fleet.log"  # of what its processes say


@dataclass
class Fleet:
    """Processes of one data folder; a process is a `queuecast` verb with its arguments."""

    settings: Settings
    run_state: RunState
    store: Store
    environment: dict[str, str] = field(default_factory=dict)  # further settings of every process
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one verb of the command."""
        return self.spawn([QUEUECAST, *arguments])

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start one process with the fleet's settings."""
        values = {
            "QUEUECAST_DATA_DIR": str(self.settings.data_dir),
            "QUEUECAST_FILES_DIR": str(self.settings.files_dir),
            "QUEUECAST_STORE_URL": self.settings.store_location,
        }
        with (self.settings.data_dir / LOG).open("ab") as log:
            process = subprocess.Popen(command, env=os.environ | values | self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def worker(self, name: str = "w", lanes: str = "select,check,plan,score,heavy", slots: int = 2) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it serves."""
        known = {worker.worker_id for worker in self.run_state.members.workers()}
        process = self.start("work", "--name", name, "--lanes", lanes, "--concurrency", str(slots))
        eventually(
            lambda: {worker.worker_id for worker in self.run_state.members.workers()} - known,
            what="the worker's announcement",
        )
        return process

    def submit(self, **changes: Any) -> str:
        """A job as the API makes it; returns its id."""
        job = a_job(
            job_id=f"job-{token_hex(4)}", request=a_request(**changes), created_at=datetime.now(UTC), request_id="request-7"
        )
        self.store.jobs.add(job)
        Lifecycle(self.store, self.run_state).start(job, partial(enqueue_job, make_celery(redis_server(self.settings), "api")))
        return job.job_id

    def ended(self, job_id: str, within: float = 200) -> Job:
        """The job, when it has ended."""

        def look() -> Job | None:
            job = self.store.jobs.get(job_id)
            return job if job.state.is_terminal else None

        return eventually(look, within=within, what=f"the end of {job_id}")

    def children(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """The processes of Celery that a `work` process has started: its main process first, then the pool."""
        return psutil.Process(process.pid).children(recursive=True)

    def stop(self) -> None:
        """End everything; whoever does not end is killed, and that is an error."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)


@contextmanager
def fleet_on(settings: Settings, **environment: str) -> Iterator[Fleet]:
    """An empty fleet of these settings and further variables, with a log of its own; at the end nothing of it runs."""
    (settings.data_dir / LOG).write_bytes(b"")  # the data folder is that of the broker, and earlier fleets' too
    run_state = RunState.open(settings, is_patient=True)
    with closing(open_store(settings.store_location)) as store:
        fleet = Fleet(settings, run_state, store, environment)
        try:
            yield fleet
        finally:
            fleet.stop()
            run_state.client.close()

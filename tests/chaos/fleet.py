"""A fleet to be broken: broker, workers, reaper and API under the supervisor that operators use, in a folder of their own."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from deploy.stack import QUEUECAST, broker
from deploy.supervise import POLL_SECONDS, Program, Supervisor
from deploy.valkey import forget_socket
from shared.config.settings import PREFIX, Settings
from shared.domain.durations import Duration
from shared.domain.jobs import Job
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_server
from shared.errors import BrokerAway, StoreAway
from shared.fleet.broker import enqueue_job, make_celery
from shared.fleet.lanes import Lanes, LanesView
from shared.fleet.runstate import RunState
from shared.store import Store, open_store
from tests.chaos.names import LEDGER
from tests.factories import a_job, a_request
from tests.polling import eventually
from tests.servers import free_port

LANES = ",".join((Lane.SELECT, Lane.CHECK, Lane.PLAN, Lane.SCORE))
LIGHT = (("worker", LANES, 2),)
RESTART_SECONDS = (0.5,)
CLIENT = "a token"  # so that the project of a job is believed


@dataclass
class ChaosFleet:
    """Programs by name: broker, reaper, api, and the workers. A thread looks after them while the test breaks them."""

    folder: Path
    supervisor: Supervisor
    settings: Settings
    store: Store
    port: int = field(default_factory=free_port)
    said: list[str] = field(default_factory=list)  # what the supervisor had to say
    workers: list[str] = field(default_factory=list)  # names of those that were started
    has_api: bool = False
    environment: dict[str, str] = field(default_factory=dict)  # further variables of every program
    _attends: bool = False
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _attending: threading.Thread | None = None

    @property
    def ledger(self) -> Path:
        """What poisoned candidates wrote down."""
        return self.folder / "ledger"

    @cached_property
    def run_state(self) -> RunState:
        """Patient: it outlasts a broker that is killed."""
        return RunState.open(self.settings, is_patient=True)

    def start(self, workers: Sequence[tuple[str, str, int]] = LIGHT, *, reaper: bool = True, api: bool = False) -> None:
        """Start broker, then workers (name, lanes, slots) and the others; return when all are ready."""
        self.workers, self.has_api = [name for name, _lanes, _slots in workers], api
        self.supervisor.start([broker(self.settings)])
        self.supervisor.start(
            [self._worker(*worker, count=len(workers)) for worker in workers]
            + ([self._program("reaper", [sys.executable, "-m", "tests.chaos.process", "reap"])] if reaper else [])
            + ([self._program("api", [QUEUECAST, "serve", "--port", str(self.port)])] if api else [])
        )
        self.attend()

    def add_worker(self, name: str, lanes: str, slots: int) -> None:
        """Start a further worker and return when it serves."""
        self._add(self._worker(name, lanes, slots, count=len(self.workers) + 1))
        self.workers.append(name)

    def start_second_reaper(self) -> None:
        """One more than there should be."""
        self._add(self._program("second-reaper", [sys.executable, "-m", "tests.chaos.process", "reap"]))

    def _add(self, program: Program) -> None:
        self.pause_attending()
        self.supervisor.start([program])
        self.attend()

    def attend(self) -> None:
        """Look after the programs from now on."""

        def look() -> None:
            while not self._ended.wait(POLL_SECONDS):
                with self._looking:
                    if self._attends:
                        self.supervisor.attend()

        self._attends = True
        if self._attending is None:
            self._attending = threading.Thread(target=look, daemon=True)  # one for good: what a thread has started ends with it
            self._attending.start()

    def pause_attending(self) -> None:
        """What ends stays ended, for now."""
        with self._looking:
            self._attends = False

    def stop(self) -> None:
        """End everything."""
        self.pause_attending()
        self.supervisor.stop()
        self._ended.set()
        if self._attending:
            self._attending.join()
        if "run_state" in self.__dict__:
            self.run_state.client.close()
        forget_socket(self.settings.data_dir)
        self.store.close()

    # Processes

    def watchdog(self, name: str) -> psutil.Process:
        """The first process of a program: of a worker, its watchdog. Raises psutil.NoSuchProcess while there is none."""
        runs = [run for stage in self.supervisor._stages for run in stage if run.program.name == name]
        process = next((run.process for run in runs if run.process), None)
        if process is None:
            raise psutil.NoSuchProcess(0, name)
        return psutil.Process(process.pid)

    def main(self, name: str) -> psutil.Process:
        """Celery's main process of a worker; raises psutil.NoSuchProcess."""
        watchdog = self.watchdog(name)
        return next(iter(watchdog.children()), watchdog)

    def pool(self, name: str) -> list[psutil.Process]:
        """The processes that run a worker's tasks."""
        return self.main(name).children()

    # Work

    def submit(self, *, asked_at: float | None = None, **changes: Any) -> str:
        """A job as the API makes it, now or as if at `asked_at` (epoch seconds); returns its id."""
        job = self.add_row(asked_at=asked_at, **changes)
        self.run_state.begin_job(job.job_id, job.deadline_at)
        enqueue_job(make_celery(redis_server(self.settings), "api"), job.job_id)
        return job.job_id

    def add_row(self, *, asked_at: float | None = None, **changes: Any) -> Job:
        """Only the first of the three things that submitting does."""
        created_at = datetime.fromtimestamp(asked_at or time.time(), UTC)
        count = len(list(self.folder.glob("job-*")))
        job_id = f"job-{count}"
        (self.folder / job_id).touch()
        values = {"job_name": job_id, "model": ("pausing",), "deadline": Duration(10, "min")}
        job = a_job(job_id=job_id, request=a_request(**values | changes), created_at=created_at, client=CLIENT)
        return self.store.jobs.add(job)

    def ended(self, job_id: str, within: float = 200) -> Job:
        """The job, when it has ended."""

        def look() -> Job | None:
            try:
                job = self.store.jobs.get(job_id)
            except StoreAway:
                return None
            return job if job.state.is_terminal else None

        return eventually(look, within=within, what=f"the end of {job_id}; logs in {self.folder}")

    def lanes(self) -> LanesView | None:
        """What waits and runs; None while the broker is away."""
        try:
            return Lanes.open(self.settings).look()
        except BrokerAway:
            return None

    def is_working(self, job_id: str) -> bool:
        """Whether some candidate of the job has its outcome."""
        job = self.run_state.running_job(job_id)
        return job is not None and job.progress.candidates.done > 0

    def point(self, name: str, number: int = 1) -> None:
        """The fault of this point happens to whoever passes it as the `number`-th (see app.py)."""
        points = self.settings.data_dir / "points"
        points.mkdir(exist_ok=True)
        (points / name).write_text(str(number))

    def point_is_armed(self, name: str) -> bool:
        """Whether it has not happened yet."""
        return (self.settings.data_dir / "points" / name).exists()

    def _worker(self, name: str, lanes: str, slots: int, count: int) -> Program:
        command = [sys.executable, "-m", "tests.chaos.process", "work", name, lanes, str(slots)]
        return self._program(name, command, workers=count)

    def _program(self, name: str, command: list[str], workers: int = 0) -> Program:
        environment = {
            f"{PREFIX}DATA_DIR": str(self.settings.data_dir),
            f"{PREFIX}FILES_DIR": str(self.settings.files_dir),
            f"{PREFIX}STORE_URL": self.settings.store_location,
            LEDGER: str(self.ledger),
        }
        return Program(
            name=name,
            command=command,
            environment=environment | self.environment,
            is_ready=lambda: self._has_workers(workers),
            ready_seconds=60,
            stop_seconds=20,
        )

    def _has_workers(self, count: int) -> bool:
        with suppress(BrokerAway):  # it is being broken, too: asked again in a moment
            return len(self.run_state.members.workers()) >= count
        return False


@contextmanager
def chaos_fleet(folder: Path) -> Iterator[ChaosFleet]:
    """An empty fleet, not started; at the end nothing of it is left."""
    data_dir, files_dir = folder / "data", folder / "files"
    data_dir.mkdir(parents=True)
    files_dir.mkdir()
    settings = Settings(data_dir=data_dir, files_dir=files_dir, store_url=f"sqlite:///{folder / 'queuecast.db'}")
    said: list[str] = []
    supervisor = Supervisor(data_dir, said.append, pauses=RESTART_SECONDS)
    fleet = ChaosFleet(folder, supervisor, settings, open_store(settings.store_location), said=said)
    try:
        yield fleet
    finally:
        fleet.stop()


def kill(process: psutil.Process, number: int = signal.SIGKILL) -> bool:
    """Send a signal; whether the process was still there."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def kill_tree(process: psutil.Process) -> None:
    """A process and all below it, the root first, so that nobody is restarted in between."""
    for each in (process, *process.children(recursive=True)):
        kill(each)

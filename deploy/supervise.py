"""Start programs stage by stage, start again what exits, stop in reverse order, leave nothing behind.

    stage 1: broker        ready ──▶ stage 2: api, worker, heavy, …        ready ──▶ run
    stop:    broker  ◀── ended       api, worker, heavy, … all asked at once   ◀── SIGTERM, Ctrl-C, or the end of the `with`

When a program ends, all that it has started ends too, and all of them end with the supervisor: families.py.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy import families
from shared.command.terminal import notice
from shared.errors import ServiceError, SetupError

POLL_SECONDS = 0.1
LOG_BYTES = 10_000_000  # a longer log is moved to <name>.log.1; lines written in that very moment are lost
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # before the next start, by how often it ended right after a start
_QUICK_SECONDS = 10.0  # an end within this time of the start is a failed start
_LOOKS = 6  # at a program that shows no life, before it is killed
_HOPELESS = 3  # failed starts, after which no start waits for a program that was never ready


class StopAsked(KeyboardInterrupt):
    """Somebody asked us to stop, by signal `number`; raised where nothing is half done, never inside a signal handler."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def begun() -> bool:
    """Ready as soon as it runs: for programs that nobody waits for."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to keep running. `environment` is added to ours; `stop_seconds` lie between SIGTERM and SIGKILL.

    forget: done before each start: takes away what its predecessor left and `is_ready` would see.
    is_ready: asked until it says yes; a start that takes longer than `ready_seconds` is tried again.
    is_alive: asked now and then once it is ready; one that says no for `silent_seconds` is started anew.
    is_essential: without it nothing is served, so a start that fails again and again is given up; the others are tried for ever.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    forget: Callable[[], None] = lambda: None
    is_ready: Callable[[], bool] = begun
    ready_seconds: float = 30.0
    is_alive: Callable[[], bool] = lambda: True
    silent_seconds: float = 60.0
    stop_seconds: float = 10.0
    is_essential: bool = True


@dataclass(slots=True, kw_only=True)
class _Run:
    """A program as it runs: its process, or when the next one is due."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0  # by the monotonic clock, as all times here
    due: float = 0.0
    seen_at: float = 0.0  # when it last showed life
    ask_at: float = 0.0
    failed_starts: int = 0
    was_late: bool = False
    is_ready: bool = False  # the process that runs now
    has_served: bool = False  # this one, or one before it


class Supervisor:
    """Keeps programs running. Everything happens in the caller's thread, inside these methods."""

    def __init__(self, folder: Path, say: Callable[[str], None], pauses: Sequence[float] = _PAUSES) -> None:
        self._folder = folder
        self._say = say
        self._pauses = pauses
        self._stages: list[list[_Run]] = []
        self._asked: list[int] = []  # signals so far

    def ask(self, number: int, _frame: object = None) -> None:
        """Signal handler: stop at the next safe point."""
        self._asked.append(number)

    def start(self, stage: Sequence[Program]) -> None:
        """Start programs together and return when all are ready, but those that are not essential and fail, which are tried on.

        Raises:
            ServiceError: an essential one has failed again and again; with the end of its log.
        """
        runs = [self._run_of(program) for program in stage]
        self._stages.append(runs)
        self.run(until=lambda: all(_is_settled(run) for run in runs))

    def add(self, program: Program) -> None:
        """Start one more, which ends with those of the last stage; nobody waits until it is ready."""
        self._stages[-1].append(self._run_of(program))

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Look after all programs until the condition holds; raises StopAsked when a signal comes first."""
        while not until():
            self.attend()
            time.sleep(POLL_SECONDS)

    def attend(self) -> None:
        """Look after every program once, without waiting; raises StopAsked when a signal has come."""
        if self._asked:
            raise StopAsked(self._asked[0])
        for run in [run for stage in self._stages for run in stage]:
            self._look_after(run)

    def stop(self) -> None:
        """End every program and its family, the last stage first; a further signal ends them at once."""
        asked_before = len(self._asked)
        while self._stages:
            stage = self._stages.pop()
            living = [(run.program, run.process) for run in reversed(stage) if run.process]
            for _, process in living:
                process.terminate()
            began = time.monotonic()
            while living := [(program, process) for program, process in living if process.poll() is None]:
                is_hurried = len(self._asked) > asked_before
                for program, process in living:
                    if is_hurried or time.monotonic() - began > program.stop_seconds:
                        self._say(f"{program.name} is killed: {'asked again' if is_hurried else 'it did not end in time'}")
                        os.killpg(process.pid, signal.SIGKILL)
                time.sleep(POLL_SECONDS)
            for run in stage:
                if run.process:
                    families.end(run.process)

    def _run_of(self, program: Program) -> _Run:
        logs = self._folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return _Run(program=program, log=logs / f"{program.name}.log")

    def _look_after(self, run: _Run) -> None:
        if run.process is None:
            if time.monotonic() >= run.due:
                self._begin(run)
        elif (code := run.process.poll()) is not None:
            run.has_served = run.has_served or run.program.is_ready()  # between two looks
            self._bury(run, f"with {code}" if code >= 0 else f"by {signal.Signals(-code).name}")
        elif not run.is_ready:
            self._await(run)
        elif _stands_still(run):
            self._bury(run, f"because it showed no life for {run.program.silent_seconds:g} s")
        else:
            with suppress(OSError):  # a full disk, or a log that somebody has removed, ends nothing that serves
                _shorten(run.log)

    def _await(self, run: _Run) -> None:
        """Ask whether it is ready; one that takes too long is started anew."""
        program = run.program
        run.is_ready = program.is_ready()
        if run.is_ready:
            has = "has begun" if program.is_ready is begun else "is ready"
            self._say(f"{program.name} {has} after {time.monotonic() - run.began:.1f} s")
        run.has_served, run.seen_at = run.has_served or run.is_ready, time.monotonic()
        if not run.is_ready and time.monotonic() - run.began > program.ready_seconds:
            run.was_late = True
            self._bury(run, f"because it was not ready within {program.ready_seconds:g} s")

    def _begin(self, run: _Run) -> None:
        run.began, run.is_ready = time.monotonic(), False
        try:
            run.program.forget()
            with run.log.open("ab") as log:
                run.process = families.begin(run.program.command, os.environ | run.program.environment, log)
        except OSError as error:  # a machine short of memory, processes or disk: as if it had ended at once
            self._bury(run, f"before it began: {error}")

    def _bury(self, run: _Run, how: str) -> None:
        lived, process = time.monotonic() - run.began, run.process
        run.process = None
        if process is not None:
            families.end(process)  # what it left behind would work beside its successor
        run.failed_starts = run.failed_starts + 1 if lived < _QUICK_SECONDS or not run.is_ready else 0
        pause = self._pauses[min(max(run.failed_starts, 1), len(self._pauses)) - 1]
        run.due = time.monotonic() + pause
        again = f", {run.failed_starts} times in a row" if run.failed_starts > 1 else ""
        self._say(f"{run.program.name} ended {how} after {lived:.1f} s{again}; next start in {pause:g} s; log: {run.log}")


@contextmanager
def supervision(folder: Path, say: Callable[[str], None] = notice) -> Iterator[Supervisor]:
    """A supervisor, alone on its folder; on the way out everything ends. Raises SetupError when another one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"another stack runs on the data folder {folder}; stop it, or name another --data-dir") from None
        supervisor = Supervisor(folder, say)
        before = {number: signal.signal(number, supervisor.ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield supervisor
        finally:
            supervisor.stop()
            for number, handler in before.items():
                signal.signal(number, handler)


def _is_settled(run: _Run) -> bool:
    if run.program.is_essential and not run.has_served and run.failed_starts >= _HOPELESS:
        raise ServiceError(f"{run.program.name} failed {run.failed_starts} times before it was ready; {_last_words(run.log)}")
    return run.has_served or (not run.program.is_essential and (run.was_late or run.failed_starts >= _HOPELESS))


def _stands_still(run: _Run) -> bool:
    """Whether a program that was ready shows no life any more: it was stopped, or hangs."""
    now = time.monotonic()
    if now >= run.ask_at:
        run.ask_at = now + run.program.silent_seconds / _LOOKS
        run.seen_at = now if run.program.is_alive() else run.seen_at
    return now - run.seen_at > run.program.silent_seconds


def _shorten(log: Path) -> None:
    """Move a long log away; the program appends, so it goes on at the new end."""
    if log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    return f"{log} ends with: {' | '.join(lines)}" if lines else f"{log} is empty"

"""The supervisor on real processes: small Python programs that die, refuse to die, and leave children behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.supervise import LOG_BYTES, Program, StopAsked, Supervisor, supervision
from shared.errors import ServiceError, SetupError
from tests.polling import eventually

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="families are found by what Linux tells of them")
SLEEP = "signal.pause()"
STUBBORN = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); note('up'); {SLEEP}; {SLEEP}"
NOTE_THE_END = f"signal.signal(signal.SIGTERM, lambda *_: (note('end'), sys.exit(0))); note('up'); {SLEEP}"
# A grandchild in a session of its own, as the watchdog of `queuecast work` starts Celery: no signal to a group reaches it.
WITH_GRANDCHILD = (
    "child = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import signal; signal.pause()'], start_new_session=True); "
    f"note(f'up {{child.pid}}'); {SLEEP}"
)


class Notebook:
    """A file that programs append lines to: `<name> <text>`, and what the supervisor says."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notebook"
        self.path.touch()
        self.said: list[str] = []

    def hear(self, line: str) -> None:
        """What the supervisor says, but for that all is well."""
        if not re.search("(is ready|has begun) after", line):
            self.said.append(line)

    def lines(self, name: str = "") -> list[str]:
        return [line for line in self.path.read_text().splitlines() if line.startswith(name)]

    def program(self, name: str, body: str, **more: Any) -> Program:
        """A program with `note()` that is ready at its first note."""
        prelude = (
            "import os, signal, subprocess, sys;"
            f"note = lambda text: open({str(self.path)!r}, 'a').write({name!r} + f' {{text}}\\n')"
        )
        ready: dict[str, Any] = {"is_ready": lambda: bool(self.lines(name))}
        return Program(name=name, command=[sys.executable, "-I", "-S", "-c", f"{prelude}\n{body}"], **(ready | more))


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    before = psutil.Process().children(recursive=True)
    yield tmp_path / "stack"
    left = [process for process in psutil.Process().children(recursive=True) if process not in before]
    assert left == []  # whatever a test is about


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    """The condition, which must come true within the bound of polls (10 s)."""
    polls = iter(range(100))

    def look() -> bool:
        if condition():
            return True
        assert next(polls, None) is not None, "waited 100 polls of the supervisor in vain"
        return False

    return look


def test_each_program_is_told_when_it_is_ready(folder: Path, notebook: Notebook) -> None:
    said: list[str] = []
    with supervision(folder, said.append) as supervisor:
        supervisor.start([notebook.program("api", f"note('up'); {SLEEP}"), notebook.program("reaper", f"note('up'); {SLEEP}")])
    assert sorted(re.sub(r"[0-9.]+ s$", "…", line) for line in said) == ["api is ready after …", "reaper is ready after …"]


def test_a_program_that_is_killed_is_started_again(folder: Path, notebook: Notebook) -> None:
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("worker", f"note(os.getpid()); {SLEEP}")])
        os.kill(int(notebook.lines()[0].split()[1]), signal.SIGKILL)
        supervisor.run(until(lambda: len(notebook.lines()) == 2))
    assert "worker ended by SIGKILL" in notebook.said[0]
    assert "next start in 0.5 s" in notebook.said[0]


def test_programs_end_in_the_reverse_order_of_their_stages(folder: Path, notebook: Notebook) -> None:
    with supervision(folder) as supervisor:
        for name in ("broker", "worker", "reaper"):
            supervisor.start([notebook.program(name, NOTE_THE_END)])
    assert notebook.lines() == ["broker up", "worker up", "reaper up", "reaper end", "worker end", "broker end"]


def test_one_that_is_added_ends_with_the_last_stage_and_is_started_again(folder: Path, notebook: Notebook) -> None:
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("broker", NOTE_THE_END)])
        supervisor.start([notebook.program("worker", NOTE_THE_END)])
        supervisor.add(notebook.program("collector", NOTE_THE_END))
        supervisor.run(until(lambda: notebook.lines("collector") == ["collector up"]))
        [collector] = [each for each in psutil.Process().children() if "collector" in " ".join(each.cmdline())]
        collector.kill()
        supervisor.run(until(lambda: notebook.lines("collector") == ["collector up"] * 2))
    assert notebook.lines()[-1] == "broker end"
    assert sorted(notebook.lines()[-3:-1]) == ["collector end", "worker end"]


def test_programs_of_one_stage_are_asked_to_end_together(folder: Path, notebook: Notebook) -> None:
    wait_for_the_other = "\n".join(
        [
            "asked = []",
            "signal.signal(signal.SIGTERM, lambda *_: asked.append(note('asked')))",
            "note('up')",
            "while not asked: signal.pause()",
            f"while open({str(notebook.path)!r}).read().count('asked') < 2: pass",
        ]
    )
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program(name, wait_for_the_other) for name in ("worker", "heavy")])
    assert notebook.said == []  # one after the other, the first would wait for the second until it is killed


def test_a_program_that_ignores_sigterm_is_killed(folder: Path, notebook: Notebook) -> None:
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("worker", STUBBORN, stop_seconds=0.2)])
    assert notebook.said == ["worker is killed: it did not end in time"]


def test_a_second_signal_does_not_wait_for_what_is_slow_to_end(folder: Path, notebook: Notebook) -> None:
    impatient = f"signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getppid(), signal.SIGINT)); note('up'); {SLEEP}; {SLEEP}"
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("worker", impatient, stop_seconds=60)])
    assert notebook.said == ["worker is killed: asked again"]


@LINUX
def test_grandchildren_in_sessions_of_their_own_end_too(folder: Path, notebook: Notebook) -> None:
    with supervision(folder) as supervisor:
        supervisor.start([notebook.program("worker", WITH_GRANDCHILD)])
        grandchild = psutil.Process(int(notebook.lines()[0].split()[2]))
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


@LINUX
def test_what_a_killed_program_leaves_behind_does_not_work_beside_its_successor(folder: Path, notebook: Notebook) -> None:
    with supervision(folder) as supervisor:
        supervisor.start([notebook.program("worker", WITH_GRANDCHILD)])
        grandchild = psutil.Process(int(notebook.lines()[0].split()[2]))
        parent = grandchild.parent()
        assert parent
        assert parent.parent() == psutil.Process()
        parent.kill()
        supervisor.run(until(lambda: len(notebook.lines()) == 2))
        assert not grandchild.is_running()


@LINUX
def test_programs_end_with_a_supervisor_that_is_killed(folder: Path, notebook: Notebook) -> None:
    program = notebook.program("worker", f"note(os.getpid()); {SLEEP}")
    code = (
        "import sys; from pathlib import Path; from deploy.supervise import Program, supervision\n"
        "folder, *command = sys.argv[1:]\n"
        "with supervision(Path(folder)) as supervisor:\n"
        "    supervisor.start([Program(name='worker', command=command)])\n"
        "    supervisor.run()"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code, str(folder), *program.command])
    eventually(notebook.lines, what="the program to be up")
    worker = psutil.Process(int(notebook.lines()[0].split()[1]))
    supervisor.kill()
    supervisor.wait(60)
    eventually(lambda: not worker.is_running(), what="the program's end")
    with supervision(folder):  # nothing holds the folder
        pass


@pytest.mark.parametrize(
    ("body", "ready_seconds", "ended", "log"),
    [
        ("sys.exit('no module named x')", 60.0, "api ended with 1", "ends with: .*no module named x"),
        (SLEEP, 0.2, "api ended because it was not ready within 0.2 s", "is empty"),
        ("", 60.0, "before it began: ", ""),
    ],
    ids=["broken", "silent", "missing"],
)
def test_a_program_that_is_never_ready_is_given_up_after_three_starts(  # noqa: PLR0917 - a table's columns
    folder: Path, notebook: Notebook, body: str, ready_seconds: float, ended: str, log: str
) -> None:
    program = notebook.program("api", body, ready_seconds=ready_seconds)
    if not body:
        program = replace(program, command=[str(folder / "nothing")])
    given_up = rf"api failed 3 times before it was ready; .*api.log {log}"
    with pytest.raises(ServiceError, match=given_up), supervision(folder, notebook.hear) as supervisor:
        supervisor.start([program])
    assert ended in notebook.said[0]
    assert "3 times in a row; next start in 2 s" in notebook.said[-1]


def test_a_program_that_was_ready_once_is_never_given_up_but_started_ever_later(folder: Path, notebook: Notebook) -> None:
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", "note('up')")])
        supervisor.run(until(lambda: len(notebook.said) == 4))
    assert [line.partition("next start in ")[2].partition(" s")[0] for line in notebook.said] == ["0.5", "1", "2", "4"]


def test_a_late_program_is_started_again_and_ends_nothing_that_serves(folder: Path, notebook: Notebook) -> None:
    starts = folder / "starts"
    silent_at_first = f"open('{starts}', 'a').write('.')\nif os.path.getsize('{starts}') == 1: {SLEEP}\nnote('up'); {SLEEP}"
    late = notebook.program("worker", silent_at_first, ready_seconds=2.0, is_essential=False)
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", f"note(os.getpid()); {SLEEP}"), late])
        served = notebook.lines("api")
        supervisor.run(until(lambda: bool(notebook.lines("worker"))))
        assert notebook.lines("api") == served  # one process, the same all the time
    assert "worker ended because it was not ready within 2 s" in notebook.said[0]


def test_a_program_that_is_not_essential_and_cannot_run_ends_nothing_that_serves(folder: Path, notebook: Notebook) -> None:
    broken = notebook.program("flower", "sys.exit('flower is not installed')", is_essential=False)
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", f"note('up'); {SLEEP}"), broken])
        assert notebook.lines("api") == ["api up"]
    assert "flower ended with 1" in notebook.said[0]


def test_a_program_that_was_ready_once_and_is_late_at_a_later_start_is_started_again(folder: Path, notebook: Notebook) -> None:
    answers = chain([True], repeat(False))
    is_ready: dict[str, Any] = {"is_ready": lambda: bool(notebook.lines()) and next(answers)}
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", f"note(os.getpid()); {SLEEP}", ready_seconds=2.0, **is_ready)])
        os.kill(int(notebook.lines()[0].split()[1]), signal.SIGKILL)
        supervisor.run(until(lambda: len(notebook.said) == 2))
    assert "api ended by SIGKILL" in notebook.said[0]
    assert "api ended because it was not ready within 2 s" in notebook.said[1]


def test_a_program_that_stands_still_is_started_again(folder: Path, notebook: Notebook) -> None:
    def is_alive() -> bool:
        newest = psutil.Process(int(notebook.lines()[-1].split()[1]))
        return newest.status() != psutil.STATUS_STOPPED

    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", f"note(os.getpid()); {SLEEP}", is_alive=is_alive, silent_seconds=0.6)])
        os.kill(int(notebook.lines()[0].split()[1]), signal.SIGSTOP)
        supervisor.run(until(lambda: len(notebook.lines()) == 2))
    assert "api ended because it showed no life for 0.6 s" in notebook.said[0]


def test_a_log_that_is_gone_ends_nothing(folder: Path, notebook: Notebook) -> None:
    with supervision(folder, notebook.hear) as supervisor:
        supervisor.start([notebook.program("api", f"note('up'); {SLEEP}")])
        (folder / "logs" / "api.log").unlink()
        supervisor.attend()
    assert notebook.said == []


def test_a_folder_has_one_supervisor(folder: Path) -> None:
    with supervision(folder):
        with pytest.raises(SetupError, match="another stack runs on the data folder") as refusal, supervision(folder):
            pass
        assert "\n" not in str(refusal.value)
    with supervision(folder):
        pass  # the first has ended


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run(folder: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(StopAsked) as stop, supervision(folder) as supervisor:  # noqa: PT012 - the signal is what is awaited
        signal.raise_signal(number)
        supervisor.run()
    assert stop.value.number == number
    assert signal.getsignal(number) == before


def test_a_log_does_not_grow_without_bound(folder: Path, notebook: Notebook) -> None:
    chatty = f"os.write(1, b'x' * {LOG_BYTES + 1}); note('up'); os.write(1, b'next'); {SLEEP}"
    log = folder / "logs" / "api.log"
    with supervision(folder) as supervisor:
        supervisor.start([notebook.program("api", chatty)])
        supervisor.run(until(lambda: log.with_suffix(".log.1").exists()))
    assert log.with_suffix(".log.1").stat().st_size > LOG_BYTES
    assert log.stat().st_size < 10


def test_a_supervisor_without_programs_has_nothing_to_stop(folder: Path) -> None:
    supervisor = Supervisor(folder, print)
    supervisor.ask(signal.SIGTERM)
    with pytest.raises(StopAsked):
        supervisor.attend()
    supervisor.stop()

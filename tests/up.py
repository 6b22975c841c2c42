"""`queuecast up` as a process, for tests that look at the whole of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.factories import write_loads

FLOWER = {"FLOWER_BASIC_AUTH": "operator:secret"}


@dataclass
class Stack:
    """A running stack and everything it has started."""

    process: subprocess.Popen[str]
    url: str
    flower_url: str
    data_dir: Path

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, *words: str) -> psutil.Process:
        """The process whose command line holds these words."""
        return next(process for process in self.processes() if set(words) <= set(process.cmdline()))


@contextmanager
def stack_up(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack on free ports over two queues, in a folder of its own; further variables for every process."""
    write_loads(folder / "files", "root.adhoc", "root.etl")
    command = [QUEUECAST, "up", "--port", "0", "--flower-port", "0", "--data-dir", str(folder), "--json"]
    with (folder / "said").open("w") as words:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=words, text=True, env=os.environ | FLOWER | (environment or {})
        )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        assert ready, (folder / "said").read_text()
        said = json.loads(ready)
        yield Stack(process, said["url"], said["flower_url"], folder)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


QUEUECAST = str(Path(sys.executable).with_name("queuecast"))

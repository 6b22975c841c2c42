"""Candidates that only tests have: some take their time, some kill their process, some do worse."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NoReturn

import numpy as np
from celery import current_task

from shared.domain.jobs import Grid
from shared.domain.lanes import Lane
from shared.fleet.broker import TaskName
from tests.chaos.names import LEDGER
from worker.models import models
from worker.models.base import Extent, FloatArray, History, Model
from worker.models.baseline_models import LastValue, NeedsDay

ALONE = 200  # a cost so high that each candidate is a block of its own
Poison = Literal["segv", "kill", "exit", "system_exit", "raise", "memory", "hang", "stubborn"]


@models.register("pausing")
@dataclass(frozen=True, slots=True, kw_only=True)
class Pausing(Model):
    """Nothing changes any more, after `milliseconds` of waiting in each window."""

    milliseconds: int = 15
    variant: int = 0

    grid: ClassVar[Grid] = {"variant": (0, 1, 2, 3, 4, 5)}
    cost: ClassVar[int] = ALONE

    def missing(self, extent: Extent) -> str | None:
        """What the last value needs."""
        return LastValue().missing(extent)

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """The last value."""
        time.sleep(self.milliseconds / 1_000)
        return LastValue().forecast(history, horizon)


@models.register("waiting_heavily")
@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingHeavily(Pausing):
    """The same in the heavy lane."""

    grid: ClassVar[Grid] = {"variant": (0,)}
    lane: ClassVar[Lane] = Lane.HEAVY


@models.register("poisoned")
@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned(Model):
    """Does `how` in place of a forecast, in one block with its neighbours."""

    how: Poison = "raise"

    def missing(self, extent: Extent) -> str | None:
        """Nothing."""
        return None

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """None, ever."""
        write_down(self.how)
        suffer(self.how)


@models.register("poisoned_alone")
@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonedAlone(Poisoned):
    """The same in a block of its own."""

    cost: ClassVar[int] = ALONE


@models.register("fragile")
@dataclass(frozen=True, slots=True, kw_only=True)
class Fragile(NeedsDay):
    """Knows the made-up usage exactly, and kills its process when it is fitted again for the forecast."""

    def forecast(self, history: History, horizon: int) -> FloatArray:
        """Yesterday plus what was added since the day before."""
        if current_task and current_task.name == TaskName.SELECT.value:
            write_down("refit")
            suffer("kill")
        day = history.steps_per_day
        season = history.target[-day:] + (history.target[-1] - history.target[-1 - day])
        days = -(-horizon // day)
        growth = [season + number * (history.target[-1] - history.target[-1 - day]) for number in range(days)]
        return np.concatenate(growth)[:horizon]


def write_down(what: str) -> None:
    """One line for one run, whole even when the process is killed in the next moment."""
    if LEDGER in os.environ:
        with Path(os.environ[LEDGER]).open("a") as ledger:
            ledger.write(f"{what} {os.getpid()}\n")


def suffer(how: Poison) -> NoReturn:
    """Do what no candidate should."""
    match how:
        case "segv" | "kill":
            os.kill(os.getpid(), signal.SIGSEGV if how == "segv" else signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "system_exit":
            raise SystemExit(3)
        case "raise":
            raise ValueError("poisoned")
        case "memory":
            raise MemoryError
        case "stubborn":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # the soft limit's
    while True:
        time.sleep(0.05)

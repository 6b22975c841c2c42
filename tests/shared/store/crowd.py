"""Several processes that begin at the same moment, and what they do. A module of its own: spawned processes import it by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from shared.domain.jobs import JobState
from shared.store import open_store
from tests.factories import MONDAY, a_forecast, a_job


def in_processes(work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """What `work` returns for each tuple of arguments, each in a process of its own; none begins before all are there."""
    every = list(arguments)
    context = get_context("spawn")
    together = context.Barrier(len(every))
    with ProcessPoolExecutor(len(every), context, initializer=together.wait, initargs=(30,)) as pool:
        futures = [pool.submit(work, *given) for given in every]
        return [future.result() for future in futures]


def claim(url: str, job_id: str) -> bool:
    """Whether this process was the one that ended the job."""
    store = open_store(url)
    return store.jobs.move(job_id, [JobState.QUEUED, JobState.RUNNING], JobState.SUCCEEDED, None, MONDAY)


def write_much(url: str, writer: int, count: int) -> None:
    """Jobs, warnings on a job of all, forecasts: as several workers would."""
    store = open_store(url)
    for number in range(count):
        store.jobs.add(a_job(job_id=f"job-{writer}-{number}"))
        store.jobs.update("shared", warnings=[f"warning {writer}-{number}", "said by all"])
        store.forecasts.save(a_forecast(queue=f"root.q{writer}-{number}"))


def open_all(urls: Sequence[str]) -> None:
    """The first thing that every process does, for several stores in turn."""
    for url in urls:
        store = open_store(url)
        store.check()
        store.close()


def die_while_writing(url: str) -> None:
    """Save one forecast, then be killed inside the transaction of the next ones: a new one, and a replacement of the first."""
    store = open_store(url)
    store.forecasts.save(a_forecast())
    with store.forecasts.records.together():
        store.forecasts.save(a_forecast(queue="root.b"))
        store.forecasts.save(a_forecast(prediction=(1.0,) * 1_000, lower_bound=(0.0,) * 1_000, upper_bound=(9.0,) * 1_000))
        os.kill(os.getpid(), signal.SIGKILL)


def use_fork_and_use(url: str) -> list[str]:
    """Warnings of a job that a process and its forked child have written, with one store object opened before the fork."""
    store = open_store(url)
    store.jobs.add(a_job())
    child = os.fork()
    if child == 0:
        store.jobs.update("job-1", warnings=["from the child"])
        os._exit(0)
    os.waitpid(child, 0)
    store.jobs.update("job-1", warnings=["from the parent"])
    return list(store.jobs.get("job-1").warnings)

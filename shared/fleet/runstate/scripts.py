"""The steps of the run state that must be atomic, each within one run of its job.

A job that is tried again has another run, and a task of an earlier one may still be at work: it began before the job was
cancelled. What it then writes must not be taken for the new run's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import redis

from shared.drivers.faults import in_every_method, translated
from shared.errors import BrokerAway

ANY_RUN = ""
REQUEST_ID = "request_id"  # in the job's hash, beside its numbers
NO_RUN = "-"  # of a task that began while the job had none: it belongs to no later run either

STEPS = Path(__file__).with_name("scripts.lua").read_text()
speaks_redis = in_every_method(translated(BrokerAway))


class Scripts:
    """The steps of scripts.lua by name, called for the run that the caller works in."""

    def __init__(self, client: redis.Redis) -> None:
        self._steps = client.register_script(STEPS)
        self._client = client
        self._run = ContextVar("run", default=ANY_RUN)

    def __call__(self, name: str, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        """What the step gives."""
        return self._steps(keys=keys, args=[name, self._run.get(), *arguments])

    @contextmanager
    def within_run(self, job_id: str) -> Iterator[str | None]:
        """Inside, every step is for the run that the job has now; once it is over, the job has ended, whoever began another.

        Gives the id of the request that began the job.
        """
        with translated(BrokerAway):
            values = cast("list[bytes | None]", self._client.hmget(f"job:{job_id}", ["run", REQUEST_ID]))
        run, request_id = (value.decode() if value else None for value in values)
        before = self._run.set(run or NO_RUN)
        try:
            yield request_id
        finally:
            self._run.reset(before)

    def is_within(self, run: bytes) -> bool:
        """Whether the caller works in this run."""
        return self._run.get() in {ANY_RUN, run.decode()}

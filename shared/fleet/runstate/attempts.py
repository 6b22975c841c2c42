"""Attempts at the work of a queue, counted before they begin, and what came of its candidates."""

from __future__ import annotations

from typing import cast

import redis

from shared.domain.codec import from_json, to_json
from shared.domain.forecasts import Failure, Outcome
from shared.fleet.runstate.scripts import Scripts, speaks_redis


@speaks_redis
class Attempts:
    """Attempts and outcomes, behind the client of the run state."""

    def __init__(self, client: redis.Redis, step: Scripts) -> None:
        self._client, self._step = client, step

    def begin(self, job_id: str, queue: str, what: str) -> int:
        """Count an attempt at `what` (a candidate's index, "ingest", "select.{index}") before it starts.

        Returns its number (1, 2, …), or 0 when there is nothing to do: the job or the queue has ended, or the outcome is there.
        """
        return cast("int", self._step("begin", _keys(job_id, queue), queue, what))

    def forgive(self, job_id: str, queue: str, what: str) -> None:
        """Uncount an attempt that ended in an orderly way: the counter is there for what kills its process."""
        self._step("forgive", [f"job:{job_id}", f"attempt:{job_id}:{queue}"], what)

    def record(self, job_id: str, queue: str, index: int, outcome: Outcome) -> int:
        """Keep a candidate's outcome, first writer wins; returns how many the queue has now, -1 = it has ended."""
        return cast("int", self._step("record", _keys(job_id, queue), queue, *_told(index, outcome)))

    def record_and_begin(self, job_id: str, queue: str, index: int, outcome: Outcome, then: int) -> int:
        """`record` one candidate and `begin` the candidate `then`, in one round trip; returns the number of its attempt, or 0."""
        return cast("int", self._step("record_and_begin", _keys(job_id, queue), queue, *_told(index, outcome), then))

    def outcomes(self, job_id: str, queue: str) -> dict[int, Outcome]:
        """Candidate's index → its outcome; none once the queue has ended."""
        texts = cast("dict[bytes, bytes]", self._client.hgetall(f"outcome:{job_id}:{queue}"))
        return {int(index): from_json(Outcome, text) for index, text in sorted(texts.items(), key=lambda item: int(item[0]))}


def _keys(job_id: str, queue: str) -> list[str]:
    return [f"job:{job_id}", f"done:{job_id}", f"outcome:{job_id}:{queue}", f"attempt:{job_id}:{queue}"]


def _told(index: int, outcome: Outcome) -> tuple[int, str, int]:
    return index, to_json(outcome), int(isinstance(outcome, Failure))

"""How far a job and its queues are."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """queued → running → succeeded | partial | failed; cancelled from the first two; a retry makes it queued again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


class QueueState(StrEnum):
    """A queue of a job: waiting for its turn, running, or ended with or without a forecast.

    One that nobody asked for by name and that has nothing to be forecast from is skipped: it is gone, or too new.
    """

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"

"""Reports: what is known of each queue of a job, with its leaderboard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from shared.domain.forecasts import Outcome
from shared.domain.jobs import QueueState
from shared.domain.reports import QueueReport
from shared.errors import QueueNotFound, RecordUnreadable
from shared.store.records import Between, Is, OneOf, Records, Where, given
from shared.store.tables import Column, Kind, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """A report without its outcomes, and how many these are: those of a higher rank are left from an earlier one."""

    report: QueueReport
    outcomes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One outcome of a leaderboard; 0 is the best."""

    job_id: str
    queue: str
    rank: int
    outcome: Outcome


REPORTS = Table(
    name="reports",
    value=KeptReport,
    columns=(
        Column("job_id", path="report.job_id"),
        Column("queue", path="report.queue"),
        Column("state", path="report.state"),
        Column("winner", path="report.winner.model", may_lack=True),
    ),
    key=("job_id", "queue"),
    indexes=(("queue", "winner"), ("winner",)),
    missing=QueueNotFound,
)
OUTCOMES = Table(
    name="outcomes",
    value=Ranked,
    columns=(Column("job_id"), Column("queue"), Column("rank", Kind.WHOLE)),
    key=("job_id", "queue", "rank"),
)

FORWARD = (QueueState.WAITING, QueueState.RUNNING, QueueState.SKIPPED, QueueState.FAILED, QueueState.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports by job and queue. Outcomes are records of their own: together they can be more than a document may hold."""

    records: Records

    def save(self, report: QueueReport) -> bool:
        """Keep the report of one queue of a job; replaces the earlier one, with its outcomes in their order.

        Returns False, and changes nothing, when the earlier one is further: whoever was slow to read the queue, or gives it up
        while its forecast is delivered, has come too late.
        """
        own, count = {"job_id": report.job_id, "queue": report.queue}, len(report.outcomes)
        ranked = [Ranked(**own, rank=rank, outcome=outcome) for rank, outcome in enumerate(report.outcomes)]
        with self.records.together():
            is_newest = self._put(KeptReport(report=replace(report, outcomes=()), outcomes=count))
            if is_newest:
                self.records.put_many(OUTCOMES, ranked)
                self.records.delete_some(OUTCOMES, [*given(**own), Between("rank", count)])
        return is_newest

    def get(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes in leaderboard order; raises QueueNotFound."""
        kept = self.records.get(REPORTS, job_id, queue)
        ranked = self.records.find(OUTCOMES, [*given(job_id=job_id, queue=queue), Between("rank", None, kept.outcomes)])
        return replace(kept.report, outcomes=tuple(place.outcome for place in ranked))

    def of_job(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        return [kept.report for kept in self.records.find(REPORTS, [Is("job_id", job_id)])]

    def queues(self, job_id: str, below: str | None = None) -> list[str]:
        """Names of the queues of a job that it has read, or given up, in order; of all, or those whose path goes on from one."""
        part = [] if below is None else [Between("queue", f"{below}.", f"{below}/")]  # "/" is what follows "."
        return list(self.records.sum_by(REPORTS, [Is("job_id", job_id), *part], "queue", []))

    def forget(self, job_id: str, states: Collection[QueueState], only: Sequence[str] = ()) -> None:
        """Drop the reports, outcomes included, of those of the job's queues that are in one of these states, and in `only`."""
        where: Where = [Is("job_id", job_id), OneOf("state", tuple(states)), *([OneOf("queue", tuple(only))] if only else [])]
        queues = [kept.report.queue for kept in self.records.find(REPORTS, where)]
        with self.records.together():
            self.records.delete_some(REPORTS, where)
            self.records.delete_some(OUTCOMES, [Is("job_id", job_id), OneOf("queue", queues)])

    def _put(self, new: KeptReport) -> bool:
        """Whether the report is kept now; one that cannot be read is replaced: a queue always ends."""
        if self.records.add(REPORTS, new):
            return True

        def further(known: KeptReport) -> KeptReport | None:
            return new if FORWARD.index(new.report.state) >= FORWARD.index(known.report.state) else None

        with suppress(QueueNotFound, RecordUnreadable):
            return self.records.update_if(REPORTS, [new.report.job_id, new.report.queue], further)
        self.records.put_many(REPORTS, [new])
        return True

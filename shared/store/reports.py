"""Reports: what is known of each queue of a job, with its leaderboard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from shared.domain.jobs import QueueState
from shared.domain.reports import QueueReport
from shared.store.records import Between, Is, OneOf, Records, Where, given
from shared.store.tables import OUTCOMES, REPORTS, KeptReport, Ranked


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports by job and queue. Outcomes are records of their own: together they can be more than a document may hold."""

    records: Records

    def save(self, report: QueueReport) -> None:
        """Keep the report of one queue of a job; replaces the earlier one, with its outcomes in their order."""
        own, count = {"job_id": report.job_id, "queue": report.queue}, len(report.outcomes)
        ranked = [Ranked(**own, rank=rank, outcome=outcome) for rank, outcome in enumerate(report.outcomes)]
        with self.records.together():
            self.records.put_many(OUTCOMES, ranked)
            self.records.put_many(REPORTS, [KeptReport(report=replace(report, outcomes=()), outcomes=count)])
            self.records.delete_some(OUTCOMES, [*given(**own), Between("rank", count)])

    def get(self, job_id: str, queue: str) -> QueueReport:
        """One queue of a job, with its outcomes in leaderboard order; raises QueueNotFound."""
        kept = self.records.get(REPORTS, job_id, queue)
        ranked = self.records.find(OUTCOMES, [*given(job_id=job_id, queue=queue), Between("rank", None, kept.outcomes)])
        return replace(kept.report, outcomes=tuple(place.outcome for place in ranked))

    def of_job(self, job_id: str) -> list[QueueReport]:
        """All queues of a job by name, without their outcomes."""
        return [kept.report for kept in self.records.find(REPORTS, [Is("job_id", job_id)])]

    def forget(self, job_id: str, states: Collection[QueueState]) -> None:
        """Drop the reports, outcomes included, of those of the job's queues that are in one of these states."""
        where: Where = [Is("job_id", job_id), OneOf("state", tuple(states))]
        queues = [kept.report.queue for kept in self.records.find(REPORTS, where)]
        with self.records.together():
            self.records.delete_some(REPORTS, where)
            self.records.delete_some(OUTCOMES, [Is("job_id", job_id), OneOf("queue", queues)])

"""Jobs: one request and all that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from shared.domain.allowances import UNLIMITED, Allowance
from shared.domain.choice import Metric
from shared.domain.jobs import Job, JobFilter, JobState, Progress
from shared.domain.states import OPEN_STATES, check_move, check_reopening
from shared.errors import AllowanceUsedUp, JobNotFound, KeyReused, RecordUnreadable
from shared.store.records import Between, Exists, Is, OneOf, Records, Waiting, Where, given
from shared.store.reports import REPORTS
from shared.store.tables import Column, Kept, Kind, Table

NEWEST_FIRST = (("created_at", False), ("job_id", False))
OPEN = OneOf("state", tuple(OPEN_STATES))

JOBS = Table(
    name="jobs",
    value=Job,
    is_asked_often=True,
    columns=(
        Column("job_id"),
        Column("state"),
        Column("owner", path="request.owner"),
        Column("project", path="request.project"),
        Column("user_name", path="request.user_name"),
        Column("account"),
        Column("max_candidates", Kind.WHOLE, "request.max_candidates"),
        Column("client"),
        Column("idempotency_key", may_lack=True),
        Column("created_at", Kind.CLOCK),
        Column("ended_at", Kind.CLOCK, may_lack=True),
    ),
    key=("job_id",),
    unique=("client", "idempotency_key"),
    indexes=(
        ("created_at", "job_id"),
        *((name, "created_at", "job_id") for name in ("state", "owner", "project", "user_name")),
        ("account", "state"),
    ),
    missing=JobNotFound,
    kept=Kept(by="created_at", setting="keep_jobs"),
)


class Changes(TypedDict, total=False):
    """What an update may set, by its name in the job."""

    issued_at: datetime
    progress: Progress
    to_forget: str
    led_to: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs by id."""

    records: Records

    def add(self, job: Job, allowance: Allowance = UNLIMITED) -> Job:
        """Keep a new job; returns it, or the job that already has this (client, idempotency_key) and fingerprint, or this id.

        Raises:
            AllowanceUsedUp: its account may not have one more; counted with the addition, also of many at once.
            KeyReused: the key belongs to a request with another fingerprint.
        """
        with self.records.together():
            if (twin := self._twin(job)) is not None:  # only a new one needs room
                return twin
            try:
                with self._admitted(job, allowance):
                    is_new = self.records.add(JOBS, job)
            except AllowanceUsedUp:
                if (twin := self._twin(job)) is not None:
                    return twin
                raise
            return job if is_new else self._twin(job) or self.get(job.job_id)

    def get(self, job_id: str) -> Job:
        """The job of this id; raises JobNotFound."""
        return self.records.get(JOBS, job_id)

    def find(self, asked: JobFilter, limit: int, before: tuple[datetime, str] | None = None) -> list[Job]:
        """Jobs that match, newest first by (created_at, job_id), at most `limit`, strictly before that pair."""
        return self.records.find(JOBS, _where(asked), order=NEWEST_FIRST, limit=limit, before=before)

    def run_of(self, job_id: str) -> tuple[datetime | None, Metric]:
        """What tells the run of its row from others, None = the first one; and what the job ranks candidates by."""
        with suppress(JobNotFound, RecordUnreadable):
            job = self.get(job_id)
            return job.queued_at, job.request.metric
        return None, Metric.MAPE

    def of_ids(self, job_ids: Sequence[str]) -> list[Job]:
        """Those of them that are kept."""
        return self.records.find(JOBS, [OneOf("job_id", job_ids)]) if job_ids else []

    def counts(self, projects: Sequence[str] | None, *, since: datetime) -> dict[JobState, int]:
        """State → how many jobs of these projects are in it, where there is one; of those that have ended, submitted since then.

        Args:
            projects: None = all.
        """
        own: Where = [] if projects is None else [OneOf("project", projects)]
        ended = [OneOf("state", tuple(OPEN_STATES), not_=True), Between("created_at", since)]
        found: dict[JobState, int] = {}
        for where in ([OPEN], ended):
            found |= {
                JobState(state): int(row["count"])
                for state, row in self.records.sum_by(JOBS, [*own, *where], "state", []).items()
            }
        return found

    def open(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        return self.records.find(JOBS, [OPEN], order=(("created_at", True), ("job_id", True)))

    def move(
        self,
        job_id: str,
        expected: Collection[JobState],
        new: JobState,
        reason: str | None,
        at: datetime,
        *,
        seen: Job | None = None,
    ) -> bool:
        """Compare-and-set of the state; whether this call did it, so that a job ends exactly once.

        Sets `started_at` on the way to running and `ended_at` on the way to a terminal state; `reason` replaces the old one.
        Given the job as it was `seen`, one that was tried again since is left alone.
        Raises JobNotFound, and ValueError for a move that `shared.domain.states` does not allow.
        """
        check_move(expected, new)

        def moved(job: Job) -> Job:
            job = replace(job, ended_at=at) if new.is_terminal else replace(job, started_at=at)
            return replace(job, state=new, reason=reason)

        return self._change(job_id, lambda job: moved(job) if job.state in expected and _is_same_run(job, seen) else None)

    def reopen(
        self,
        job_id: str,
        expected: Collection[JobState],
        at: datetime,
        *,
        to_forget: str = "failed",
        only: Sequence[str] = (),
        warnings: Sequence[str] = (),
        allowance: Allowance = UNLIMITED,
    ) -> bool:
        """Compare-and-set from a terminal state to queued, the one way out of it; whether this call did it.

        The job is as good as new: no reason, no start and end, no progress, `warnings` instead of those it had, and `queued_at`
        is `at`; whoever plans it drops the reports `to_forget`, of the queues in `only` where it names any. What it was planned
        for stays: `issued_at`, and with it the keys of its forecasts.
        Raises JobNotFound, AllowanceUsedUp as `add` does, and ValueError when an expected state is not terminal.
        """
        check_reopening(expected)
        job = self.get(job_id)
        if job.state not in expected:
            return False

        def reopened(job: Job) -> Job:
            blank = replace(job, reason=None, started_at=None, ended_at=None, progress=Progress(), led_to={})
            again = replace(blank, state=JobState.QUEUED, queued_at=at, warnings=tuple(warnings))
            return replace(again, to_forget=to_forget, only=tuple(only))

        with self._admitted(job, allowance):
            return self._change(job_id, lambda job: reopened(job) if job.state in expected else None)

    def free_key(self, job_id: str) -> None:
        """Take the job's Idempotency-Key from it, so that the next request with it makes a new job. Raises JobNotFound."""
        self.records.update_if(JOBS, [job_id], lambda job: replace(job, idempotency_key=None))

    def update(self, job_id: str, *, seen: Job | None = None, warnings: Sequence[str] = (), **given: Unpack[Changes]) -> bool:
        """Set what is given; warnings are added in order, each once. Raises JobNotFound.

        Given the job as it was `seen`, one that was tried again since is left alone; whether it was not.
        """

        def updated(job: Job) -> Job | None:
            every = tuple(dict.fromkeys((*job.warnings, *warnings)))
            return replace(job, **given, warnings=every) if _is_same_run(job, seen) else None

        return self._change(job_id, updated)

    def _change(self, job_id: str, change: Callable[[Job], Job | None]) -> bool:
        return self.records.update_if(JOBS, [job_id], change)

    def _twin(self, job: Job) -> Job | None:
        """The job that already has the key, or else the id, of a new one."""
        if job.idempotency_key is not None:
            twin = self.records.first(JOBS, given(client=job.client, idempotency_key=job.idempotency_key))
            if twin is not None:
                if twin.fingerprint != job.fingerprint:
                    raise KeyReused(idempotency_key=job.idempotency_key)
                return twin
        return self.records.first(JOBS, [Is("job_id", job.job_id)])

    def _admitted(self, job: Job, allowance: Allowance) -> AbstractContextManager[None]:
        """Inside, there is room for one more open job, this one; raises AllowanceUsedUp. Without a bound none is counted."""
        if not allowance.bounds_jobs:
            return nullcontext()

        def check(waiting: Waiting) -> None:
            where: Where = [OPEN, Is("account", job.account), OneOf("job_id", tuple(waiting), not_=True)]
            known = self.records.sum_by(JOBS, where, "account", ["max_candidates"]).get(job.account, {})
            candidates = int(known.get("max_candidates", 0)) + sum(waiting.values())
            allowance.check_job(job, open_jobs=int(known.get("count", 0)) + len(waiting), candidates=candidates)

        return self.records.admitting(f"jobs {job.account}", job.job_id, job.request.max_candidates, check)


def _is_same_run(job: Job, seen: Job | None) -> bool:
    return seen is None or job.queued_at == seen.queued_at


def _where(asked: JobFilter) -> Where:
    where = given(state=asked.state, owner=asked.owner, project=asked.project, user_name=asked.user_name)
    if asked.projects is not None:
        where.append(OneOf("project", asked.projects))
    of_queue = given(queue=asked.queue, winner=asked.model)
    return [*where, Exists(REPORTS, ("job_id",), of_queue)] if of_queue else where

"""The life of a job, said once: what starts, cancels, retries, ends and plans it again, for HTTP, schedules, worker and reaper.

    start ──▶ queued ──▶ running ──▶ succeeded | partial | failed | cancelled
                 ▲                                                      │
                 └───────────────────────── retry ──────────────────────┘

A job ends in its row first, then in the run state: the reaper completes what dies in between. All of it may be called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from shared.domain.allowances import Allowance
from shared.domain.forecasts import leaderboard
from shared.domain.jobs import Job, JobState, Progress, QueueState
from shared.domain.reports import QueueReport, warnings_of
from shared.domain.states import FORGOTTEN, OPEN_STATES, TRIED_FROM, verdict
from shared.errors import BrokerAway, DeadlinePassed, JobNotFound, QueueNotFound, RecordUnreadable, RunStateLost, StateForbids
from shared.fleet.runstate import RunState
from shared.store import Store
from shared.telemetry import metrics

ON_REQUEST = "cancelled on request"
NOT_BEGUN = "the broker went away while the job was being started; submit it again"
NEVER_LET_IN = "its turn never came, other queues were before it"

Wake = Callable[[str], None]  # tells somebody to plan the job of this id; raises BrokerAway

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What happens to jobs, over the store and the run state of this process."""

    store: Store
    run_state: RunState

    def start(self, job: Job, wake: Wake) -> None:
        """Let a stored job begin. That nobody could be told of it is no failure: the reaper has it planned.

        Raises BrokerAway: it has no run state.
        """
        self.run_state.begin_job(job.job_id, job.deadline_at, job.request_id)
        try:
            wake(job.job_id)
        except BrokerAway as error:
            log.warning("nobody was told of the job; the reaper will have it planned", job_id=job.job_id, error=str(error))

    def withdraw(self, job: Job, now: datetime) -> None:
        """End a job that could not begin; its Idempotency-Key is freed, since the client was told to submit again."""
        self.store.jobs.move(job.job_id, {JobState.QUEUED}, JobState.FAILED, NOT_BEGUN, now)
        self.store.jobs.free_key(job.job_id)

    def cancel(self, job_id: str, now: datetime) -> None:
        """No further work on the job begins, and none of its queues is delivered any more; what is delivered stays.

        A queue whose delivery had begun is named in the job's warnings. Raises StateForbids.
        """
        job = self.store.jobs.get(job_id)
        if not self.store.jobs.move(job_id, OPEN_STATES, JobState.CANCELLED, ON_REQUEST, now):
            raise self._forbids(job_id, "cancelled", OPEN_STATES)
        metrics.job_ended(job, JobState.CANCELLED, now)
        log.info("job cancelled", job_id=job_id)
        try:
            if delivering := self.run_state.delivering(job_id):
                late = f"being delivered when the job was cancelled: {', '.join(sorted(delivering))}"
                self.store.jobs.update(job_id, warnings=[late])
            self.let_go(job_id)
        except BrokerAway as error:
            log.warning("the run state is left to the reaper", job_id=job_id, error=str(error))

    def retry(
        self, job_id: str, queues: str, now: datetime, wake: Wake, *, warnings: Sequence[str], allowance: Allowance
    ) -> None:
        """Queue a job again that has ended, for the queues without a forecast ("failed") or for every one ("all").

        `warnings` stand in place of those that it had; what is still true of the data is found again. Raises StateForbids,
        AllowanceUsedUp as for a new job, and BrokerAway before anything is written.
        """
        self.let_go(job_id)  # speaks to the broker
        states = TRIED_FROM[queues]
        if not self.store.jobs.reopen(job_id, states, now, warnings=warnings, allowance=allowance):
            raise self._forbids(job_id, f"tried again (queues: {queues})", states)
        log.info("job is tried again", job_id=job_id, queues=queues)
        self.store.reports.forget(job_id, FORGOTTEN[queues])
        try:
            self.start(self.store.jobs.get(job_id), wake)
        except BrokerAway as error:
            log.warning("the job has no run state; the reaper will give it one", job_id=job_id, error=str(error))

    def replan(self, job_id: str, now: datetime, wake: Wake) -> None:
        """Have a job planned again whose run state is lost, once; the second time it ends."""
        job = self.store.jobs.get(job_id)
        if job.state.is_terminal:
            return
        if job.progress.replans or job.deadline_at <= now:
            self.end(job_id, str(RunStateLost()), now)
            return
        self.store.jobs.update(job_id, progress=replace(job.progress, replans=job.progress.replans + 1))
        log.warning("run state lost, job is planned again", job_id=job_id)
        self.store.reports.forget(job_id, {QueueState.FAILED})  # they are tried again
        self.start(job, wake)

    @contextmanager
    def delivery(self, job_id: str, queue: str) -> Iterator[bool]:
        """Inside, a queue may be delivered, if it is still wanted: whether it is.

        Said in the run state before the row is looked at, while a cancellation writes the row before it looks at what is being
        delivered: whichever comes first, either this finds the job cancelled or that finds the queue being delivered.
        """
        is_wanted = self.run_state.begin_delivery(job_id, queue)
        try:
            yield is_wanted and not self._has_ended(job_id)
        finally:
            if is_wanted:
                with suppress(BrokerAway):  # it is forgotten in two minutes
                    self.run_state.end_delivery(job_id, queue)

    def fail_queue(self, job_id: str, queue: str, reason: str) -> None:
        """End a queue without forecast."""
        if self.run_state.running_job(job_id) is None:
            return
        outcomes = tuple(self.run_state.attempts.outcomes(job_id, queue).values())
        if self.run_state.queue_end(job_id, queue) is not None:  # asked after reading: with the end the outcomes go
            return
        try:
            report = self.store.reports.get(job_id, queue)
        except (QueueNotFound, RecordUnreadable):  # what cannot be read is replaced: a queue always ends
            report = QueueReport(job_id=job_id, queue=queue, state=QueueState.FAILED)
        failed = replace(report, state=QueueState.FAILED, reason=reason, outcomes=leaderboard(outcomes))
        if not self.store.reports.save(failed):  # its forecast is delivered
            self.run_state.end_queue(job_id, queue)
            return
        self.run_state.end_queue(job_id, queue, reason)
        log.warning("queue failed", job_id=job_id, queue=queue, reason=reason)

    def pass_deadline(self, job_id: str, now: datetime) -> bool:
        """End every queue that has not, then the job, with what there is, as `end` does: a job always ends."""
        waiting = self.run_state.waiting_for(job_id)
        for queue, (state, _reason) in self.run_state.queue_states(job_id).items():
            if state in {QueueState.WAITING, QueueState.RUNNING}:
                cause = waiting.get(queue, NEVER_LET_IN if state is QueueState.WAITING else "")
                self.fail_queue(job_id, queue, str(DeadlinePassed(cause)))
        running = self.run_state.running_job(job_id)
        if running is not None and running.queues:
            return self.finish(job_id, now)
        return self.end(job_id, str(DeadlinePassed(waiting.get("", ""))), now)  # never planned, or its run state is lost

    def finish(self, job_id: str, now: datetime) -> bool:
        """End the job if its last queue has ended; whether this call did it."""
        running = self.run_state.running_job(job_id)
        if running is None or not running.has_ended_all:
            return False
        state, reason = self._verdict(job_id, missing="")
        return self._end_as(job_id, state, reason, now)

    def end(self, job_id: str, reason: str, now: datetime) -> bool:
        """End the job, partial when it has forecasts, failed when it has none; whether this call did it."""
        state, _reason = self._verdict(job_id, missing=reason)
        return self._end_as(job_id, JobState.PARTIAL if state is not JobState.FAILED else state, reason, now)

    def let_go(self, job_id: str) -> None:
        """Keep how far a job came that has ended, or that nobody knows, and drop its run state; not that of a later retry."""
        with self.run_state.within_run(job_id):
            running = self.run_state.running_job(job_id)
            if not self._has_ended(job_id):
                return
            with suppress(JobNotFound):
                if running is not None:
                    self._keep_progress(job_id, running.progress)
            self.run_state.drop_job(job_id)

    def _end_as(self, job_id: str, state: JobState, reason: str | None, now: datetime) -> bool:
        try:
            job = self.store.jobs.get(job_id)
        except JobNotFound:
            self.let_go(job_id)
            return False
        running = self.run_state.running_job(job_id)
        if running is not None:
            self._keep_progress(job_id, running.progress)
        self.store.jobs.update(job_id, warnings=warnings_of(self.store.reports.of_job(job_id)))
        has_ended = self.store.jobs.move(job_id, OPEN_STATES, state, reason, now)
        if has_ended:
            metrics.job_ended(job, state, now)
            log.info("job ended", job_id=job_id, state=state.value, reason=reason)
        self.let_go(job_id)
        return has_ended

    def _keep_progress(self, job_id: str, progress: Progress) -> None:
        replans = self.store.jobs.get(job_id).progress.replans
        self.store.jobs.update(job_id, progress=replace(progress, replans=replans))

    def _verdict(self, job_id: str, missing: str) -> tuple[JobState, str | None]:
        reports = self.store.reports.of_job(job_id)
        succeeded = sum(report.state is QueueState.SUCCEEDED for report in reports)
        failures = {report.queue: report.reason or missing for report in reports if report.state is not QueueState.SUCCEEDED}
        return verdict(succeeded, failures) if reports else (JobState.FAILED, missing)

    def _has_ended(self, job_id: str) -> bool:
        try:
            return self.store.jobs.get(job_id).state.is_terminal
        except JobNotFound:
            return True

    def _forbids(self, job_id: str, what: str, states: Collection[JobState]) -> StateForbids:
        possible = [state.value for state in JobState if state in states]
        state_now = self.store.jobs.get(job_id).state
        return StateForbids(f"it is {state_now}; a job can be {what} when it is {' or '.join(possible)}")

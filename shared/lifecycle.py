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
from shared.domain.job_warnings import warnings_of
from shared.domain.jobs import Job, JobState, QueueState
from shared.domain.notices import notice_of
from shared.domain.ranking import leaderboard_so_far
from shared.domain.reports import QueueReport
from shared.domain.run_failures import failures_of
from shared.domain.runs import Run
from shared.domain.states import FORGOTTEN, NAMED, OPEN_STATES, TRIED_FROM, check_named, ended_as, tally_of, why_forbidden
from shared.errors import BrokerAway, DeadlinePassed, JobNotFound, QueueNotFound, RecordUnreadable, RunStateLost, StateForbids
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import RunningJob
from shared.store import Store
from shared.telemetry import metrics

ON_REQUEST = "cancelled on request"
NOT_BEGUN = "the broker went away while the job was being started; submit it again"
NEVER_LET_IN = "its turn never came, other queues were before it"
WhichQueues = str | tuple[str, ...]  # "failed", "all", or their names
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
        self.store.jobs.move(job.job_id, {JobState.QUEUED}, JobState.FAILED, NOT_BEGUN, now, seen=job)
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
                self.store.jobs.update(job_id, seen=job, warnings=[late])
            self.let_go(job_id)
        except BrokerAway as error:
            log.warning("the run state is left to the reaper", job_id=job_id, error=str(error))

    def retry(
        self, job_id: str, queues: WhichQueues, now: datetime, wake: Wake, *, warnings: Sequence[str], allowance: Allowance
    ) -> None:
        """Queue a job again that has ended, for the queues without a forecast ("failed"), every one ("all"), or these.

        `warnings` stand in place of those that it had; what is still true of the data is found again. Raises StateForbids,
        InvalidRequest: one is none of its queues; AllowanceUsedUp as for a new job; BrokerAway before anything is written.
        """
        self.let_go(job_id)  # speaks to the broker
        which, only = (queues, ()) if isinstance(queues, str) else (NAMED, tuple(sorted(set(queues))))
        states = TRIED_FROM[which]
        if only:
            check_named(self.store.jobs.get(job_id), only, self.store.reports.queues(job_id))
        if not self.store.jobs.reopen(job_id, states, now, to_forget=which, only=only, warnings=warnings, allowance=allowance):
            raise self._forbids(job_id, f"tried again (queues: {which})", states)
        log.info("job is tried again", job_id=job_id, queues=only or which)
        self.forget_reports(job_id)
        try:
            self.start(self.store.jobs.get(job_id), wake)
        except BrokerAway as error:
            log.warning("the job has no run state; the reaper will give it one", job_id=job_id, error=str(error))

    def replan(self, job_id: str, now: datetime, wake: Wake) -> None:
        """Have a job planned again whose run state is lost, once; the second time it ends."""
        job = self.store.jobs.get(job_id)
        if job.state.is_terminal or self.run_state.running_job(job_id) is not None:  # begun again meanwhile
            return
        if job.progress.replans or job.deadline_at <= now:
            self._end(job, str(RunStateLost()), now)
            return
        progress = replace(job.progress, replans=job.progress.replans + 1)
        if self.store.jobs.update(job_id, seen=job, progress=progress, to_forget=job.to_forget or "failed"):
            log.warning("run state lost, job is planned again", job_id=job_id)
            self.start(job, wake)

    def forget_reports(self, job_id: str) -> None:
        """Drop the reports of the queues that are tried again, once for each time: before the first of them is let in.

        Who asks for a retry may not live to do it, so who plans the job does it, too.
        """
        with self.store.together():  # or who comes late would drop what the retry has reported since
            job = self.store.jobs.get(job_id)
            if job.to_forget:
                self.store.reports.forget(job_id, FORGOTTEN[job.to_forget], job.only)
                self.store.jobs.update(job_id, seen=job, to_forget="")

    @contextmanager
    def delivery(self, job_id: str, queue: str) -> Iterator[bool]:
        """Inside, a queue may be delivered, if it is still wanted: whether it is.

        Said in the run state before the row is looked at, while a cancellation writes the row before it looks at what is being
        delivered: whichever comes first, either this finds the job cancelled or that finds the queue being delivered.
        """
        note = self.run_state.begin_delivery(job_id, queue)
        try:
            yield note is not None and not self._has_ended(job_id)
        finally:
            if note is not None:
                with suppress(BrokerAway):  # it is forgotten in two minutes
                    self.run_state.end_delivery(job_id, note)

    def fail_queue(self, job_id: str, queue: str, reason: str, state: QueueState = QueueState.FAILED) -> None:
        """End a queue without forecast, failed or skipped, unless it is being delivered."""
        run, asked = self.store.jobs.run_of(job_id)  # first: what is looked at next may be a later run
        if self.run_state.running_job(job_id) is None:
            return
        work, outcomes = self.run_state.work(job_id, queue), self.run_state.attempts.outcomes(job_id, queue)
        if self.run_state.queue_end(job_id, queue) is not None:  # asked after reading: with the end the outcomes go
            return
        try:
            report = self.store.reports.get(job_id, queue)
        except (QueueNotFound, RecordUnreadable):  # what cannot be read is replaced: a queue always ends
            report = QueueReport(job_id=job_id, queue=queue, state=state)
        ended = replace(report, state=state, reason=reason, outcomes=leaderboard_so_far(work, outcomes, asked))
        with self.store.together():
            if self.store.jobs.run_of(job_id)[0] != run:
                return
            is_delivered = not self.store.reports.save(ended)
        is_skipped = state is QueueState.SKIPPED and not is_delivered
        if self.run_state.end_queue(job_id, queue, "" if is_delivered else reason, is_skipped=is_skipped) and not is_delivered:
            log.warning("queue skipped" if is_skipped else "queue failed", job_id=job_id, queue=queue, reason=reason)

    def pass_deadline(self, job_id: str, now: datetime) -> bool:
        """End every queue that has not, then the job, with what there is, as `end` does: a job always ends.

        A job that was tried again has its whole time again, and a queue that is being delivered two minutes more.
        """
        with self.run_state.within_run(job_id), suppress(JobNotFound):
            job = self.store.jobs.get(job_id)
            if job.deadline_at > now:
                return False
            waiting, delivering = self.run_state.waiting_for(job_id), self.run_state.delivering(job_id)
            for queue, (state, _reason) in self.run_state.queue_states(job_id).items():
                if state in {QueueState.WAITING, QueueState.RUNNING} and queue not in delivering:
                    cause = waiting.get(queue, NEVER_LET_IN if state is QueueState.WAITING else "")
                    self.fail_queue(job_id, queue, str(DeadlinePassed(cause)))
            running = self.run_state.running_job(job_id)
            if running is not None and running.queues:
                return self.finish(job_id, now)
            return self._end(job, str(DeadlinePassed(waiting.get("", ""))), now)  # never planned, or its run state is lost
        return False

    def finish(self, job_id: str, now: datetime) -> bool:
        """End the job if its last queue has ended; whether this call did it."""
        with suppress(JobNotFound):  # the reaper drops what it has left
            job = self.store.jobs.get(job_id)  # first: the run state that is looked at next may be a later run's
            running = self.run_state.running_job(job_id)
            if running is not None and running.has_ended_all:
                return self._end_as(job, *ended_as(self.store.reports.of_job(job_id), missing=""), now)
        return False

    def end(self, job_id: str, reason: str, now: datetime) -> bool:
        """End a job that cannot go on: partial when it has forecasts, failed when it has none; whether this call did it."""
        with suppress(JobNotFound):
            job = self.store.jobs.get(job_id)
            if self.run_state.running_job(job_id) is not None:
                return self._end(job, reason, now)
        return False

    def let_go(self, job_id: str) -> None:
        """Keep how far a job came that has ended, or that nobody knows, and drop its run state; not that of a later retry."""
        with self.run_state.within_run(job_id):
            running = self.run_state.running_job(job_id)
            with suppress(JobNotFound):
                job = self.store.jobs.get(job_id)
                if not job.state.is_terminal:
                    return
                self._keep_progress(job, running)
            self.run_state.drop_job(job_id)

    def _end(self, job: Job, reason: str, now: datetime) -> bool:
        has_failed = ended_as(self.store.reports.of_job(job.job_id), missing=reason)[0] is JobState.FAILED
        return self._end_as(job, JobState.FAILED if has_failed else JobState.PARTIAL, reason, now)

    def _end_as(self, job: Job, state: JobState, reason: str | None, now: datetime) -> bool:
        """End the run of the job that was seen, and no later one."""
        self._keep_progress(job, self.run_state.running_job(job.job_id))
        reports = self.store.reports.of_job(job.job_id)
        self.store.jobs.update(job.job_id, seen=job, warnings=warnings_of(reports))
        self.store.run_failures.save(failures_of(job, reports, state, reason, now))
        self.store.decision_requests.add_for(job, state, now)
        self.store.notices.add(notice_of(job, now))  # first: none gets lost in between, and who sends it looks at the row
        has_ended = self.store.jobs.move(job.job_id, OPEN_STATES, state, reason, now, seen=job)
        if has_ended:
            metrics.job_ended(job, state, now)
            why = {"reason": reason} if reason else {}
            log.info("job ended", job_id=job.job_id, run=job.run.value, state=state.value, **why)
            if job.run is Run.ACTUALS:  # of which there may be many a day, and nothing is to be told but failures
                self.store.reports.forget(job.job_id, {QueueState.SUCCEEDED})
        self.let_go(job.job_id)
        return has_ended

    def _keep_progress(self, job: Job, running: RunningJob | None) -> None:
        if running is not None:
            progress = replace(running.progress, replans=job.progress.replans)
            if job.queued_at is not None and running.has_ended_all:
                progress = replace(progress, queues=tally_of(progress.queues, self.store.reports.of_job(job.job_id)))
            self.store.jobs.update(job.job_id, seen=job, progress=progress)

    def _has_ended(self, job_id: str) -> bool:
        try:
            return self.store.jobs.get(job_id).state.is_terminal
        except JobNotFound:
            return True

    def _forbids(self, job_id: str, what: str, states: Collection[JobState]) -> StateForbids:
        return StateForbids(why_forbidden(self.store.jobs.get(job_id).state, what, states))

"""Every Prometheus metric that is looked up when somebody scrapes: what waits, who lives, what is overdue.

All processes of the API tell the same, each by its own look, so rules and panels take the `max` of them and never the sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from shared.domain.calibration import Calibration
from shared.domain.jobs import Job, JobState
from shared.domain.lanes import Lane
from shared.domain.outgoing import label
from shared.domain.proposal_states import ProposalState
from shared.domain.runs import Run
from shared.domain.schedules import Schedule
from shared.errors import InvalidRequest

OF_A_SCHEDULE = ("project", "schedule", "schedule_id", "run")


def services_now(is_up: Mapping[str, bool]) -> Metric:
    """Whether broker and store answer the API, by the checks of /readyz."""
    metric = GaugeMetricFamily("queuecast_service_up", "Whether the service answers the API: 1, or 0.", labels=["service"])
    for service, is_there in is_up.items():
        metric.add_metric([service], is_there)
    return metric


def reaper_now(is_there: bool) -> Metric:
    """Whether a reaper has its lock, which it renews with each look."""
    return GaugeMetricFamily("queuecast_reaper_up", "Whether a reaper is at work: 1, or 0.", is_there)


def calibration_now(verdict: Calibration | None) -> Iterator[Metric]:
    """Whether chances of breaches have held; None = nothing was scored yet."""
    error = math.nan if verdict is None or verdict.error is None else verdict.error
    about = "How far off chances of a breach within a day were in the last month, on average, 0–1; NaN = nothing was scored yet."
    yield GaugeMetricFamily("queuecast_calibration_error", about, error)
    days = verdict.days if verdict else 0
    yield GaugeMetricFamily("queuecast_calibration_queue_days", "Days of queues that this was counted on.", days)
    is_lost = verdict is not None and verdict.lost_at is not None
    yield GaugeMetricFamily("queuecast_calibration_lost", "Whether chances have not held, and are told in words.", is_lost)


def proposals_now(by_state: Mapping[str, int], oldest_at: datetime | None, now: datetime) -> Iterator[Metric]:
    """How many proposals there are, and how long the oldest has waited that nobody has decided on; None = none has."""
    count = GaugeMetricFamily("queuecast_proposals", "Proposals that are kept, by their state.", labels=["state"])
    for state in ProposalState:
        count.add_metric([state.value], by_state.get(state.value, 0))
    yield count
    age = 0.0 if oldest_at is None else (now - oldest_at).total_seconds()
    about = "Age of the oldest proposal that nobody has decided on; 0 without one."
    yield GaugeMetricFamily("queuecast_oldest_proposal_seconds", about, age)


def lanes_now(
    depth: Mapping[Lane, int | None], running: Mapping[Lane, int | None], workers: Mapping[Lane, int | None]
) -> Iterator[Metric]:
    """What waits, what runs and who serves at this moment; lane → number, None = unknown, which is not shown."""
    about = {
        "queuecast_lane_depth": ("Messages that wait in the lane.", depth),
        "queuecast_lane_running": ("Messages of the lane that a worker has taken.", running),
        "queuecast_lane_workers": ("Workers that live and serve the lane.", workers),
    }
    for name, (meaning, numbers) in about.items():
        metric = GaugeMetricFamily(name, meaning, labels=["lane"])
        for lane, number in numbers.items():
            if number is not None:
                metric.add_metric([lane.value], number)
        yield metric


def to_come_now(queues: int, heavy_tasks: int) -> Iterator[Metric]:
    """What waits until it is let in, which is work to come that stands in no lane yet: fleets grow by it.

    A queue is at least one message for those who serve the other lanes; how many more is known once its data have been read.
    """
    yield GaugeMetricFamily("queuecast_queues_waiting", "Queues of all jobs that wait to be let in.", queues)
    planned = GaugeMetricFamily(
        "queuecast_lane_planned", "Messages that queues will send which wait to be let in: at least so many.", labels=["lane"]
    )
    for lane in Lane:
        planned.add_metric([lane.value], {Lane.PLAN: queues, Lane.HEAVY: heavy_tasks}.get(lane, 0))
    yield planned


def jobs_now(open_jobs: Sequence[Job], now: datetime) -> Iterator[Metric]:
    """How long the oldest open job is there, and how long the one is overdue that is so most."""
    age = max(((now - job.asked_at).total_seconds() for job in open_jobs), default=0.0)
    yield GaugeMetricFamily("queuecast_oldest_job_seconds", "Age of the oldest job that has not ended; 0 without one.", age)
    overdue = max((0.0, *((now - job.deadline_at).total_seconds() for job in open_jobs)))
    meaning = "How long ago the deadline of a job has passed that has not ended, the longest; 0 without one."
    yield GaugeMetricFamily("queuecast_overdue_job_seconds", meaning, overdue)


def schedules_now(schedules: Sequence[Schedule], states: Mapping[str, JobState], now: datetime) -> Iterator[Metric]:
    """Of each cadence of schedules that are not paused: how late it is, and whether its last due time came to nothing.

    Args:
        states: of their last jobs, by id; one that is not kept any more tells nothing, one that is open not yet.
    """
    late = GaugeMetricFamily(
        "queuecast_schedule_late_seconds", "How long ago it should have made a job; 0 = all are made.", labels=OF_A_SCHEDULE
    )
    failed = GaugeMetricFamily(
        "queuecast_schedule_failed",
        "Whether its last due time made no job (skipped), or its last job failed (failed): 1, or 0.",
        labels=[*OF_A_SCHEDULE, "why"],
    )
    for schedule in schedules:
        of_schedule = [label(text) for text in (schedule.request.project, schedule.name, schedule.schedule_id)]
        for run, due_at in _next(schedule).items():
            labels, last = [*of_schedule, run.value], schedule.last[run]
            late.add_metric(labels, max(0.0, (now - due_at).total_seconds()))
            failed.add_metric([*labels, "skipped"], last.skip is not None)
            state = states.get(last.job_id or "")
            if state is not None and state.is_terminal:
                failed.add_metric([*labels, "failed"], state is JobState.FAILED)
    yield late
    yield failed


def _next(schedule: Schedule) -> Mapping[Run, datetime]:
    """What is due next of each of its cadences; nothing while it is paused."""
    if schedule.is_paused:
        return {}
    try:
        return schedule.next
    except InvalidRequest:  # broken by hand
        return {Run.SEARCH: schedule.due_at}

"""The fleet at one glance: jobs that run and have failed, the next schedule, the workers, when each cluster was read last.

The overview has it from the store alone, so that no page waits for the broker; the browser then asks for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import render_template

from api.edge.context import Services
from api.edge.identity import caller
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.clusters import visible_clusters
from api.v1.job_answers import with_progress
from shared.domain.jobs import Job, JobFilter, JobState
from shared.domain.pace import pace
from shared.domain.schedules import Schedule
from shared.errors import BrokerAway

NAMED = 2  # jobs that run, with the time left
LATELY = timedelta(days=1)  # so long ago may a job have been submitted that has failed
READ_SECONDS = 600  # since a cluster was read: beyond it something is in the way of the collector


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Those that live, and how many tasks they may run at a time."""

    count: int
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """When the tree of a cluster was read last; None = it never was."""

    cluster: str
    at: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is told.

    is_live: whether the broker was asked, too.
    running: some of the jobs that do, newest first, each with the seconds left; None = that cannot be told yet.
    counts: of jobs by state, those that have ended only of LATELY.
    due: the schedule that is due next, and when; None = none is. paused: how many rest.
    workers: None = nobody knows, as the broker was not asked or is away.
    readings: of each cluster that the caller may see.
    """

    is_live: bool
    running: Sequence[tuple[Job, float | None]]
    counts: Mapping[JobState, int]
    due: tuple[Schedule, datetime] | None
    paused: int
    workers: Workers | None
    readings: Sequence[Reading]


@route("GET", "/glance", PAGE, endpoint="glance")
def show(services: Services) -> str:
    """All of it, with what only the broker knows."""
    return render_template("_glance.html", glance=glance_of(services, datetime.now(UTC), is_live=True))


def glance_of(services: Services, now: datetime, *, is_live: bool) -> Glance:
    """What a caller may see of it; with `is_live` the broker is asked, too."""
    projects = caller().projects
    jobs = services.store.jobs.find(JobFilter(state=JobState.RUNNING, projects=projects), NAMED)
    running = with_progress(services, jobs) if is_live else jobs
    schedules = services.store.schedules.all(projects)
    due = [(schedule, schedule.due_at) for schedule in schedules if not schedule.is_paused]
    return Glance(
        is_live=is_live,
        running=[(job, _left(job, now) if is_live else None) for job in running],
        counts=dict.fromkeys(JobState, 0) | services.store.jobs.counts(projects, since=now - LATELY),
        due=min(due, key=lambda each: each[1], default=None),
        paused=sum(schedule.is_paused for schedule in schedules),
        workers=_workers(services) if is_live else None,
        readings=[_reading(services, cluster, now) for cluster in visible_clusters(services)],
    )


def _left(job: Job, now: datetime) -> float | None:
    left = pace(job, now).left
    return None if left is None else left.total_seconds()


def _workers(services: Services) -> Workers | None:
    try:
        living = services.run_state.members.workers()
    except BrokerAway as error:
        services.outages.met(error)
        return None
    return Workers(count=len(living), slots=sum(worker.slots for worker in living))


def _reading(services: Services, cluster: str, now: datetime) -> Reading:
    kept = services.store.trees.newest(cluster)
    is_late = kept is None or (now - kept.at).total_seconds() > READ_SECONDS
    return Reading(cluster=cluster, at=kept.at if kept else None, is_late=is_late)

"""What `queuecast doctor` asks about the fleet: who works, with which version, what waits, and what has failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from shared.command.doctor.findings import Finding, asked
from shared.config.settings import Settings
from shared.domain.jobs import JobFilter, JobState
from shared.domain.lanes import Lane
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from shared.fleet.runstate.roles import REAPER
from shared.fleet.runstate.values import LivingWorker
from shared.store import open_store

MOST_SKEW_SECONDS = 5.0  # deadlines and dead workers are told by the clocks of several machines
OLD_JOB_SECONDS = 7_200.0
MOST_FAILED = 200  # that are looked at
MOST_NAMED = 3
UNKNOWN = "unknown"


def look_at_fleet(settings: Settings, state: RunState) -> list[Finding]:
    """Reaper, clocks, versions, what waits, slots, models, and how jobs fare; each asked whatever the others answer."""
    questions: dict[str, Callable[[], list[Finding]]] = {
        "reaper": lambda: [_reaper(state)],
        "clock": lambda: [_clock(state)],
        "versions": lambda: [_versions(state)],
        "messages": lambda: _waiting(settings, state.pulses.workers()),
        "catalogue": lambda: [_catalogue(state)],
        "oldest job": lambda: [_oldest_job(settings)],
        "failed jobs": lambda: [_failed_jobs(settings)],
    }
    return [finding for name, ask in questions.items() for finding in asked(name, ask)]


def _reaper(state: RunState) -> Finding:
    """Whether one holds the lock, which it renews every few seconds."""
    is_there = state.roles.is_held(REAPER)
    advice = "" if is_there else "start one: `queuecast reap`; without it what is lost stays lost, and no schedule fires"
    return Finding(name="reaper", detail="runs" if is_there else "none runs", is_well=is_there, advice=advice)


def _clock(state: RunState) -> Finding:
    """How far this machine's clock is from the broker's."""
    skew = time.time() - state.server_time()
    is_well = abs(skew) <= MOST_SKEW_SECONDS
    advice = "" if is_well else "let all machines take their time from the same place (NTP)"
    return Finding(name="clock", detail=f"{skew:+.1f} s from the broker's", is_well=is_well, advice=advice)


def _versions(state: RunState) -> Finding:
    """Whether API, reaper and workers run one version, that of this command; older ones do not say theirs."""
    seen = {"this command": version("queuecast"), **state.roles.versions()}
    seen |= {f"worker {worker.worker_id}": worker.version or UNKNOWN for worker in state.pulses.workers()}
    who: dict[str, list[str]] = {}
    for name, its in seen.items():
        who.setdefault(its, []).append(name)
    if len(who) == 1:
        return Finding(name="versions", detail=f"{next(iter(who))} everywhere")
    detail = "; ".join(f"{its}: {', '.join(names)}" for its, names in sorted(who.items()))
    return Finding(name="versions", detail=detail, advice="bring them to one version, as deploy/README.md says under Upgrade")


def _waiting(settings: Settings, workers: list[LivingWorker]) -> list[Finding]:
    """What waits in each lane, and whether living workers serve it and have room."""
    view = Lanes.open(settings).look()
    depth = ", ".join(f"{lane.value} {_number(view.depth(lane))} + {_number(view.running(lane))}" for lane in Lane)
    slots = {lane: sum(worker.slots for worker in workers if lane.value in worker.lanes) for lane in Lane}
    return [
        Finding(name="messages", detail=f"waiting + taken: {depth}"),
        *(_foreign(key) for key in sorted(view.unreadable)),
        *(_lane(lane, count, view.running(lane)) for lane, count in slots.items()),
    ]


def _number(found: int | None) -> str:
    return UNKNOWN if found is None else str(found)


def _foreign(key: str) -> Finding:
    """A key of the lanes in which somebody else has put something."""
    advice = f"let nobody else use the broker's database, and delete the key there (`DEL {key}`): no message can be sent or taken"
    return Finding(name=f"key {key}", detail="holds something that is none of Celery's", is_well=False, advice=advice)


def _lane(lane: Lane, slots: int, busy: int | None) -> Finding:
    detail = f"slots of living workers: {slots}, of them busy with this lane: {_number(busy)}" if slots else "no living worker"
    advice = "" if slots else f"start one: `queuecast work --lanes {lane.value}`"
    return Finding(name=f"lane {lane.value}", detail=detail, is_well=slots > 0, advice=advice)


def _catalogue(state: RunState) -> Finding:
    """Whether a worker has said which models there are."""
    cards = state.catalogue.cards()
    if cards:
        return Finding(name="catalogue", detail=", ".join(card.name for card in cards))
    return Finding(name="catalogue", detail="no worker has ever said which models it has", is_well=False, advice="start a worker")


def _oldest_job(settings: Settings) -> Finding:
    """Every job ends by its deadline: one that is far older than that shows that nobody looks after it."""
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        oldest = min(store.jobs.open(), key=lambda job: job.asked_at, default=None)
    if oldest is None:
        return Finding(name="oldest job", detail="none is open")
    age = (datetime.now(UTC) - oldest.asked_at).total_seconds()
    is_late = datetime.now(UTC) > oldest.deadline_at and age > OLD_JOB_SECONDS
    advice = "its deadline is over and nobody has ended it: see the reaper's log" if is_late else ""
    return Finding(name="oldest job", detail=f"{oldest.job_id}, {age / 60:.0f} min", is_well=not is_late, advice=advice)


def _failed_jobs(settings: Settings) -> Finding:
    """Jobs that have failed within the last hour; nothing need be broken here, but a person should know."""
    since = datetime.now(UTC) - timedelta(hours=1)
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        newest = store.jobs.find(JobFilter(state=JobState.FAILED), limit=MOST_FAILED)
    failed = [job for job in newest if job.ended_at and job.ended_at >= since]
    if not failed:
        return Finding(name="failed jobs", detail="none within the last hour")
    names = ", ".join(job.job_id for job in failed[:MOST_NAMED]) + (" …" if len(failed) > MOST_NAMED else "")
    count = f"{len(failed)}{' or more' if len(newest) == MOST_FAILED else ''} within the last hour"
    return Finding(name="failed jobs", detail=f"{count}: {names}", advice="`queuecast jobs show JOB_ID` says why")

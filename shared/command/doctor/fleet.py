"""What `queuecast doctor` asks of the broker's server and of the fleet behind it: does the server keep what it has, who works,
with which version, what waits, and what has failed?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from shared.command.doctor.findings import Finding, asked, judged
from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection, readers
from shared.domain.identifiers import first_of, listed
from shared.domain.jobs import JobFilter, JobState
from shared.domain.lanes import Lane
from shared.fleet.lanes import Lanes
from shared.fleet.membership import equal_of
from shared.fleet.runstate import RunState
from shared.fleet.runstate.collections import Collected
from shared.fleet.runstate.members import COLLECTOR, REAPER
from shared.fleet.runstate.values import LivingWorker
from shared.store import open_store

MAX_MEMORY_SHARE = 0.7  # alarm at 70 % of the broker's memory; at 100 % jobs stand still
MAX_SKEW_SECONDS = 5.0  # deadlines and dead workers are told by the clocks of several machines
OLD_JOB_SECONDS = 7_200.0
MISSED_LOOKS, LEAST_MISSED_SECONDS = 3, 60.0  # so long may a collector that takes over take
ADVISED_SECONDS = 60  # between samples
MAX_FAILED = 200  # that are looked at
MAX_NAMED = 3
UNKNOWN = "unknown"


def look_at_broker(settings: Settings) -> list[Finding]:
    """All that only the broker's server can answer: first whether it answers at all, as a master."""
    with closing(RunState.open(settings, is_patient=False)) as state:
        state.ping()
        info = state.server_says()
        questions: dict[str, Callable[[], list[Finding]]] = {
            "broker's durability": lambda: _durability(info),
            "run state": lambda: [_run_state(state)],
            "reaper": lambda: [_reaper(state)],
            "collector": lambda: list(_collector(settings, state)),
            "clock": lambda: [_clock(state)],
            "versions": lambda: [_versions(state)],
            "fleet's settings": lambda: [_agreed(settings, state)],
            "messages": lambda: _waiting(settings, state.members.workers()),
            "catalogue": lambda: [_catalogue(state)],
            "oldest job": lambda: [_oldest_job(settings)],
            "failed jobs": lambda: [_failed_jobs(settings)],
        }
        answers = f"answers (Redis {info.get('redis_version')}, {info.get('role', 'master')})"
        findings = [finding for name, ask in questions.items() for finding in asked(name, ask)]
        return [Finding(name="broker", detail=answers), *findings]


def _durability(info: Mapping[str, object]) -> list[Finding]:
    """Whether a restart of the server loses nothing, nothing is evicted, and there is room."""
    has_file, policy = bool(info.get("aof_enabled")), str(info.get("maxmemory_policy"))
    limit, used = (float(str(info.get(name) or 0)) for name in ("maxmemory", "used_memory"))
    share = used / limit if limit else 0.0
    return [
        judged(
            "broker's file",
            f"appendonly {'yes' if has_file else 'no'}",
            is_well=has_file,
            advice="set `appendonly yes`: without it a restart of the broker loses every waiting task",
        ),
        judged(
            "broker's eviction",
            f"maxmemory-policy {policy}",
            is_well=policy == "noeviction",
            advice="set `maxmemory-policy noeviction`: eviction loses tasks",
        ),
        judged(
            "broker's memory",
            f"{share:.0%} of {limit / 2**20:.0f} MiB used" if limit else f"{used / 2**20:.0f} MiB used, no limit set",
            is_well=share < MAX_MEMORY_SHARE,
            advice="raise `maxmemory`: at 100 % jobs stand still",
        ),
    ]


def _run_state(state: RunState) -> Finding:
    state.active()
    return Finding(name="run state", detail="is readable")


def _reaper(state: RunState) -> Finding:
    """Whether one holds the lock, which it renews every few seconds."""
    runs = state.members.is_held(REAPER)
    advice = "start one: `queuecast reap`; without it what is lost stays lost, and no schedule fires"
    return judged("reaper", "runs" if runs else "none runs", is_well=runs, advice=advice)


def _collector(settings: Settings, state: RunState) -> Iterator[Finding]:
    """Where there are clusters: whether one collects, and how old what it has of each is."""
    clusters = readers(settings.all_connections)
    if not clusters:
        return
    runs = state.members.is_held(COLLECTOR)
    advice = "start one: `queuecast collect`; what the clusters do meanwhile is known to nobody"
    yield judged("collector", "runs" if runs else "none runs", is_well=runs, advice=advice)
    collected = state.collections.all()
    for name, connection in clusters.items():
        yield _collected(name, connection, collected.get(connection.cluster))


def _collected(name: str, connection: YarnConnection, known: Collected | None) -> Finding:
    """Whether the newest samples are of the last looks."""
    title, interval = f"samples of {connection.cluster}", connection.interval_seconds
    if known is None or known.collected_at is None:
        detail = f"none yet{f': {known.problem}' if known else ''}"
        return Finding(name=title, detail=detail, is_well=False, advice=f"the collector's log tells of the connection {name}")
    age = (datetime.now(UTC) - known.collected_at).total_seconds()
    problem = f"; {known.problem}" if known.problem else ""
    where = f"kept by {connection.samples} for {_whom(connection)}"
    detail = f"{known.series} series, the newest of {age:.0f} s ago, every {interval} s, {where}{problem}"
    if age > max(MISSED_LOOKS * interval, LEAST_MISSED_SECONDS):
        return Finding(name=title, detail=detail, is_well=False, advice="look at the collector's log")
    slow = f"set `interval_seconds` of the connection {name} to 60 or less: peaks are missed"
    return Finding(name=title, detail=detail, advice=slow if interval > ADVISED_SECONDS else "")


def _whom(connection: YarnConnection) -> str:
    """Whose jobs read what is collected."""
    return "all projects" if connection.projects is None else f"{listed(connection.projects) or 'no project'} alone"


def _clock(state: RunState) -> Finding:
    """How far this machine's clock is from the broker's."""
    skew = time.time() - state.server_time()
    advice = "let all machines take their time from the same place (NTP)"
    return judged("clock", f"{skew:+.1f} s from the broker's", is_well=abs(skew) <= MAX_SKEW_SECONDS, advice=advice)


def _versions(state: RunState) -> Finding:
    """Whether API, reaper and workers run one version, that of this command; older ones do not say theirs."""
    seen = {"this command": version("queuecast"), **state.members.versions()}
    seen |= {f"worker {worker.worker_id}": worker.version or UNKNOWN for worker in state.members.workers()}
    who: dict[str, list[str]] = {}
    for name, its in seen.items():
        who.setdefault(its, []).append(name)
    if len(who) == 1:
        return Finding(name="versions", detail=f"{next(iter(who))} everywhere")
    detail = "; ".join(f"{its}: {', '.join(names)}" for its, names in sorted(who.items()))
    return Finding(name="versions", detail=detail, advice="bring them to one version, as deploy/README.md says under Upgrade")


def _agreed(settings: Settings, state: RunState) -> Finding:
    """What all who run tasks have the same, and whether a worker that is started with this command's settings would fit in."""
    agreed, here = state.agreement.values(), equal_of(settings)
    detail = ", ".join(f"{name}={value}" for name, value in sorted((agreed or here).items()))
    if all(agreed.get(name, value) == value for name, value in here.items()):
        return Finding(name="fleet's settings", detail=detail)
    advice = "start no worker with the settings of this command; deploy/README.md says under Scale how all are changed"
    return Finding(name="fleet's settings", detail=detail, advice=advice)


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


def _number(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


def _foreign(key: str) -> Finding:
    """A key of the lanes in which somebody else has put something."""
    advice = f"let nobody else use the broker's database, and delete the key there (`DEL {key}`): no message can be sent or taken"
    return Finding(name=f"key {key}", detail="holds something that is none of Celery's", is_well=False, advice=advice)


def _lane(lane: Lane, slots: int, busy: int | None) -> Finding:
    detail = f"slots of living workers: {slots}, of them busy with this lane: {_number(busy)}" if slots else "no living worker"
    return judged(f"lane {lane.value}", detail, is_well=slots > 0, advice=f"start one: `queuecast work --lanes {lane.value}`")


def _catalogue(state: RunState) -> Finding:
    """Whether a worker has said which models there are."""
    names = ", ".join(card.name for card in state.members.cards() or ())
    detail = names or "no worker has ever said which models it has"
    return judged("catalogue", detail, is_well=bool(names), advice="start a worker")


def _oldest_job(settings: Settings) -> Finding:
    """Every job ends by its deadline: one that is far older than that shows that nobody looks after it."""
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        oldest = min(store.jobs.open(), key=lambda job: job.asked_at, default=None)
    if oldest is None:
        return Finding(name="oldest job", detail="none is open")
    now = datetime.now(UTC)
    age = (now - oldest.asked_at).total_seconds()
    advice = "its deadline is over and nobody has ended it: see the reaper's log"
    is_well = now <= oldest.deadline_at or age <= OLD_JOB_SECONDS
    return judged("oldest job", f"{oldest.job_id}, {age / 60:.0f} min", is_well=is_well, advice=advice)


def _failed_jobs(settings: Settings) -> Finding:
    """Jobs that have failed within the last hour; nothing need be broken here, but a person should know."""
    since = datetime.now(UTC) - timedelta(hours=1)
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        newest = store.jobs.find(JobFilter(state=JobState.FAILED), limit=MAX_FAILED)
    failed = [job.job_id for job in newest if job.ended_at and job.ended_at >= since]
    if not failed:
        return Finding(name="failed jobs", detail="none within the last hour")
    count = f"{len(failed)}{' or more' if len(newest) == MAX_FAILED else ''} within the last hour"
    detail = f"{count}: {first_of(failed, MAX_NAMED)}"
    return Finding(name="failed jobs", detail=detail, advice="`queuecast jobs show JOB_ID` says why")

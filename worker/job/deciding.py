"""The step that makes proposals, after a job has ended or because a person asks: gather, decide, keep.

It may run twice and be killed anywhere: the id of a proposal follows from what it is about, and the first one that is kept stays.
A job that has ended stays what it is, whatever goes wrong here; where nothing can be decided on nothing is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from shared.connections.yarn import YarnConnection, may_know, readers
from shared.decisions import make_known
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.decision_notices import notices_of
from shared.domain.decision_requests import FIRST_PAUSE, DecisionRequest, Outcome, looks_back
from shared.domain.forecasts import Forecast
from shared.domain.jobs import Job
from shared.domain.policies import Group
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal
from shared.errors import OutOfMemory, QueuecastError, ServiceError, TimeLimitReached
from shared.telemetry import metrics
from worker.decisions.handover import NamedFile
from worker.job.decided_alone import decide_alone, present_of
from worker.job.decided_asked import Asked
from worker.job.decided_files import configured_of, kept_files
from worker.job.decided_from import by_worth
from worker.job.decided_timetables import with_timetables
from worker.job.decided_together import decide_together
from worker.job.decided_told import Told
from worker.job.resources import Resources
from worker.job.undoing import undoing

OFF = "no decision is made when a job ends, as QUEUECAST_DECISIONS is off"
NO_FORECAST = "nothing is forecast of them yet: a decision is made from forecasts whose limits are known, and that reach ahead"

MEMORY = "demand_memory_mb"

log = structlog.get_logger(__name__)


def decide(resources: Resources, decision_id: str, now: datetime) -> None:
    """Make the proposals that are asked for; raises ServiceError while a service is away, which the task waits for."""
    store = resources.store
    request = store.decision_requests.find(decision_id)
    if request is None or request.outcome is not None:
        return
    if not request.is_by_hand and resources.settings.decisions == "off":
        store.decision_requests.end(decision_id, Outcome.NOTHING, OFF, now)
        return
    store.decision_requests.replace(request, replace(request, due_at=now + 2 * FIRST_PAUSE))  # it is in somebody's hands
    with metrics.DECIDE_SECONDS.time():
        outcome, error = _outcome(resources, request, now)
    store.decision_requests.end(decision_id, outcome, error, now)
    if outcome is Outcome.FAILED:
        log.warning("no decision was made", decision_id=decision_id, reason=error)


def _outcome(resources: Resources, request: DecisionRequest, now: datetime) -> tuple[Outcome, str]:
    """What came of it, and why where that is not a proposal; only services that are away are waited for."""
    try:
        made = [proposal.decision_id for proposal in _proposals(resources, request, now)]
    except ServiceError:
        raise
    except QueuecastError as error:
        return Outcome.FAILED, error.public
    except MemoryError:
        return Outcome.FAILED, str(OutOfMemory())
    except SoftTimeLimitExceeded:
        return Outcome.FAILED, str(TimeLimitReached())
    except Exception as error:  # a bug of ours: the traceback is in the log, the people get a reason
        log.exception("internal error", decision_id=request.decision_id)
        return Outcome.FAILED, f"Internal error: {type(error).__name__}; the log has the details"
    return (Outcome.DECIDED, "") if made else (Outcome.NOTHING, NO_FORECAST)


def _proposals(resources: Resources, request: DecisionRequest, now: datetime) -> Iterator[Proposal]:
    """Made and kept, one by one; those that are kept already are not made again."""
    if request.undoes:
        proposal, file = undoing(resources, request, now)
        _keep(resources, proposal, file, now)
        yield proposal
        return
    job = _job(resources, request, now)
    if job is None:
        return
    asked = Asked(resources=resources, request=request, job=job, now=now)
    forecasts = resources.store.forecasts.find(job_id=job.job_id)
    for told, file in _told(asked, forecasts):
        decided = with_timetables(asked, told.decided)
        proposal = decided.proposal(asked, tree_hash=told.tree_hash, follows=told.follows, patch=told.patch)
        _keep(resources, proposal, file, now)
        yield proposal


def _keep(resources: Resources, proposal: Proposal, file: NamedFile | None, now: datetime) -> None:
    """Make it known with its files, and tell whoever is to be told."""
    is_new = make_known(resources.store, proposal, kept_files(proposal, file))
    for notice in notices_of(proposal, now):  # also the second time: whoever made it may not have lived to do so
        resources.store.notices.add(notice)
    if is_new:
        metrics.DECISIONS.labels(proposal.state.value).inc()
        if proposal.state is ProposalState.KEPT and not proposal.is_by_hand:
            resources.store.proposals.drop_kept(proposal)
        about = {"decision_id": proposal.decision_id, "cluster": proposal.cluster, "parent": proposal.parent}
        log.info("decision made", state=proposal.state.value, changes=len(proposal.changes), **about)


def _told(asked: Asked, forecasts: Sequence[Forecast]) -> Iterator[tuple[Told, NamedFile | None]]:
    """What is decided of the queues of a job, group by group; beside it the file that their cluster is configured by."""
    if not forecasts:
        return
    connection, kept = _reader(asked), asked.resources.store.trees.newest(asked.job.request.cluster)
    if connection is not None and kept is not None:
        if asked.job.request.target == MEMORY:
            configured = configured_of(connection)
            for each in decide_together(asked, kept, forecasts, configured):
                yield each, configured.file
    elif kept is None and (decided := decide_alone(asked, forecasts)) is not None:
        yield Told(decided=decided), None


def _reader(asked: Asked) -> YarnConnection | None:
    """What the cluster is read over: what the job has read or, where a person asks, what its queues' project may use."""
    request, connections = asked.job.request, asked.resources.settings.all_connections
    own = connections.get(request.data.sources[0].name)
    if isinstance(own, YarnConnection):
        return own
    others = [each for each in readers(connections).values() if each.cluster == request.cluster and each.serves(request.project)]
    return next(iter(others), None) if asked.request.is_by_hand and asked.request.parent else None


def _job(resources: Resources, request: DecisionRequest, now: datetime) -> Job | None:
    """Whose forecasts are decided on: those of the run that has ended, or those that a person is best told by.

    What a job tells of earlier days is no answer to what is to be changed now, whoever asks.
    """
    jobs = resources.store.jobs
    if not request.is_by_hand:
        return next(iter(jobs.of_ids([request.job_id])), None)
    found = by_worth(_of_group(resources, request.group), request, now)
    by_id = {job.job_id: job for job in jobs.of_ids(list(dict.fromkeys(each.job_id for each in found)))}
    made_by = (by_id[each.job_id] for each in found if each.job_id in by_id)
    return next((job for job in made_by if not looks_back(job)), None)


def _of_group(resources: Resources, group: Group) -> list[Forecast]:
    """The newest forecasts that a group can be decided from: of a tree those of projects that may use it."""
    store, connections = resources.store, resources.settings.all_connections.values()
    if not group.parent:
        found = store.forecasts.newest_of_each(cluster=group.cluster or None, projects=[group.project])
        limited = [forecast for forecast in found if present_of(forecast) is not None]
        trees = {cluster for cluster in {each.cluster for each in limited} if store.trees.newest(cluster) is not None}
        return [forecast for forecast in limited if forecast.cluster not in trees]
    partition = group.partition or DEFAULT
    found = store.forecasts.newest_of_each(cluster=group.cluster, metric=MEMORY)
    inside = [each for each in found if each.queue.rpartition(".")[0] == group.parent and partition_of(each) == partition]
    return [each for each in inside if may_know(connections, group.cluster, each.project)]

"""Decisions as callers read them: made here, for HTTP and for pages alike."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.decisions import (
    ASKED,
    NOTHING,
    AdviceAnswer,
    ChangeAnswer,
    CostAnswer,
    DecisionAnswer,
    DecisionSummary,
    ExpectedOf,
    FileAnswer,
    KeptAnswer,
    State,
    StepAnswer,
)
from api.v1.decision_files import check_files
from api.v1.decision_rules import actions_of
from api.v1.replays import replayed
from shared.domain.collected import DEFAULT
from shared.domain.decision_requests import DecisionRequest, Outcome
from shared.domain.outgoing import in_path
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, ProposedChange
from shared.domain.recommendations import Expected, Recommendation
from shared.domain.tokens import Scope
from shared.errors import ProposalForbids, ScopeMissing

GIGABYTE_HOURS = "GB·h"
_LISTS = ("queues", "because", "changes", "kept", "steps", "effects", "forecast_jobs", "files")  # that are empty before a plan
_UNKNOWN = (
    *("before_at", "valid_until", "cost", "issued_at", "start_at", "follows", "look_again_at", "put_at", "policy_version"),
    "replay",
)


def decision_path(decision_id: str) -> str:
    """Where a decision is shown."""
    return f"/v1/decisions/{in_path(decision_id, safe='')}"


def decision_answer(services: Services, proposal: Proposal, now: datetime) -> DecisionAnswer:
    """All of a decision, for a caller who may see it."""
    summary = summary_of(proposal)
    files, reason = files_of(services, proposal, now)
    return DecisionAnswer.showing(
        proposal,
        **dict(summary),
        because=(*proposal.because, *(f"Undone by {other}." for other in undone_by(services, proposal))),
        changes=tuple(map(_change, proposal.changes)),
        kept=tuple(KeptAnswer(**_advice(each), kept_because=each.kept_because) for each in proposal.kept),
        steps=tuple(
            StepAnswer.showing(step, source=step.source if caller().scope is Scope.ADMIN else None) for step in proposal.steps
        ),
        forecast_jobs=_visible_jobs(services, proposal),
        policy_version=proposal.policy.version,
        files=files,
        files_reason=reason,
        replay=replayed(services, proposal),
        actions=actions_of(services, proposal, now),
    )


def undone_by(services: Services, proposal: Proposal) -> Iterator[str]:
    """Ids of other decisions by which it was undone, as its cluster shows."""
    if proposal.patch and proposal.reached(ProposalState.SEEN) is not None:
        later = services.store.proposals.find(**proposal.group._asdict(), states=[ProposalState.SEEN])
        yield from (each.decision_id for each in later if each.undoes == proposal.decision_id)


def asked_answer(asked: DecisionRequest) -> DecisionAnswer:
    """What is known of a decision that is being made, or of which nothing came."""
    states: dict[Outcome | None, State] = {Outcome.NOTHING: NOTHING, Outcome.FAILED: ProposalState.FAILED}
    return DecisionAnswer.showing(
        asked,
        **dict.fromkeys(_LISTS, ()),
        **dict.fromkeys(_UNKNOWN),
        state=states.get(asked.outcome, ASKED),
        partition=asked.partition or DEFAULT,
        sentence=asked.error or "It is being made.",
        created_at=asked.asked_at,
        proposed_by=asked.asked_by,
        proposed_by_name=asked.name,
        tree_hash="",
        files_reason="there is no plan yet",
        actions={},
        links={"self": decision_path(asked.decision_id)},
    )


def summary_of(proposal: Proposal) -> DecisionSummary:
    """A decision in a list."""
    return DecisionSummary.showing(
        proposal,
        partition=proposal.partition or DEFAULT,
        before_at=min((change.before_at for change in proposal.changes if change.before_at), default=None),
        valid_until=proposal.end_at,
        cost=_cost(proposal),
        links={"self": decision_path(proposal.decision_id)},
    )


def files_of(services: Services, proposal: Proposal, now: datetime) -> tuple[tuple[FileAnswer, ...], str | None]:
    """The files that are given out now, or none of them and why."""
    try:
        check_files(services, proposal, now)
    except ProposalForbids as error:
        return (), error.detail
    except ScopeMissing as error:
        return (), error.public
    path = f"{decision_path(proposal.decision_id)}/files"
    found = tuple(
        FileAnswer(
            name=file.name,
            sha256=file.sha256,
            size=len(b64decode(file.body)),
            links={"self": f"{path}/{in_path(file.name, safe='')}"},
        )
        for file in services.store.proposals.files(proposal.decision_id)
    )
    return found, None if found else "it has none"


def _cost(proposal: Proposal) -> CostAnswer:
    kappas = {each.kappa for each in (*(change.binding_recommendation for change in proposal.changes), *proposal.kept)}
    return CostAnswer.showing(proposal.cost, kappa=kappas.pop() if len(kappas) == 1 else None)


def _change(change: ProposedChange) -> ChangeAnswer:
    before, after = change.present_resources, change.proposed_resources
    said = {
        "from_": change.present,
        "to": change.proposed,
        "from_mb": before and before.memory_mb,
        "to_mb": after and after.memory_mb,
        "from_vcores": before and before.vcores,
        "to_vcores": after and after.vcores,
        "maximum_from": change.maximum_before or None,
        "maximum_to": change.maximum_after or None,
    }
    names = {name: getattr(change, name) for name in ("mode", "before_at", "binding", "donors")}
    return ChangeAnswer(**_advice(change.binding_recommendation) | names | said | {"queue": change.queue})


def _advice(advised: Recommendation) -> dict[str, object]:
    """What is said of every queue, by the fields of its answer."""
    sides = {name: _expected(getattr(advised, name), advised.work_unit) for name in ("before", "after")}
    return {name: getattr(advised, name) for name in AdviceAnswer.model_fields} | sides


def _expected(expected: Expected, work_unit: str) -> ExpectedOf:
    is_memory = work_unit == GIGABYTE_HOURS
    return ExpectedOf.showing(
        expected,
        breach_probability=expected.probability,
        likelihood=None if expected.likelihood is None else expected.likelihood.value,
        hours_above=expected.hours,
        shortfall_gbh=expected.shortfall if is_memory else None,
        slack_gbh=expected.slack if is_memory else None,
    )


def _visible_jobs(services: Services, proposal: Proposal) -> tuple[str, ...]:
    """Ids of the jobs that it was made from, of those that the caller may see; those that are gone tell nobody anything."""
    projects = caller().projects
    if projects is None:
        return proposal.forecast_jobs
    return tuple(job.job_id for job in services.store.jobs.of_ids(proposal.forecast_jobs) if job.request.project in projects)

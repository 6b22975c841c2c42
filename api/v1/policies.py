"""Policies over HTTP: what decisions have to keep to, said by who may approve them, and never over somebody else's change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from flask import request

from api.edge.audit import note
from api.edge.context import Services
from api.edge.document import Answers
from api.edge.identity import caller
from api.edge.policy import READ
from api.edge.policy import Policy as RoutePolicy
from api.edge.routing import route
from api.schema.policies import PoliciesQuery, PolicyAnswer, PolicyBody, PolicyList, PolicyQuery
from api.v1.groups import NO_TREE, children_of_group, meant_group, sight
from shared.domain.identifiers import listed, shown
from shared.domain.owners import may_change
from shared.domain.policies import Group, Policy, check_policy
from shared.domain.tokens import Scope
from shared.errors import InvalidRequest, OwnersOnly, ProjectForbidden, QueueNotFound, VersionDiffers, VersionMissing

SAY = RoutePolicy(needs=Scope.APPROVE, is_audited=True)
ANY_VERSION = "*"
Told = tuple[PolicyAnswer, int, dict[str, str]]


@route("GET", "/v1/policies", READ, Answers(PolicyList))
def list_policies(services: Services, query: PoliciesQuery) -> PolicyList:
    """List what somebody has said; of all others the defaults hold."""
    parent = "" if query.parent == NO_TREE else query.parent
    found = services.store.policies.find(sight(services), (query.cluster, parent))
    names = _names(services)
    return PolicyList(policies=[_answer(services, policy, names) for policy in found])


@route("GET", "/v1/policies/<path:parent>", READ, Answers(PolicyAnswer, refuses=(400,)))
def show_policy(services: Services, parent: str, query: PolicyQuery) -> Told:
    """Show what holds for the children of a queue; the parent `-` is that of queues without a tree.

    The ETag is the version, which a change has to name in If-Match.
    """
    try:
        group = meant_group(services, parent, **query.model_dump())
    except ProjectForbidden:
        raise QueueNotFound("of this project nothing is known here") from None
    policy = services.store.policies.of(group)
    if not policy.version:
        children_of_group(services, group)
    return _told(services, policy)


@route("PUT", "/v1/policies/<path:parent>", SAY, Answers(PolicyAnswer, refuses=(400, 412, 428)))
def set_policy(services: Services, parent: str, query: PolicyQuery, json: PolicyBody) -> Told:
    """Say what holds for the children of a queue; what is left out is at its default.

    If-Match names the version that was read, `"0"` where nobody has said anything, `*` = whichever there is. Owners are named by
    administrators, and then they alone change what they own.
    """
    group = meant_group(services, parent, **query.model_dump())
    note(cluster=group.cluster, parent=group.parent, partition=group.partition, project=group.project)
    known = services.store.policies.of(group)
    said = _with_unseen(services, known, json.to_policy(group))
    if known.version and said == known.said:  # sent again: its answer was lost
        return _told(services, known)
    _check_version(known)
    check_policy(said, children_of_group(services, group))
    _check_names(services, known, said)
    above = services.store.policies.above(group)[1:]
    if caller().scope is not Scope.ADMIN and not may_change(known, said, caller().caller_id, above):
        raise OwnersOnly(f"{_owners(services, known)}; an administrator names others")
    new = _of_the_caller(said, known.version + 1)
    if not services.store.policies.replace(known, new, request.remote_addr or ""):
        raise VersionDiffers("somebody has changed it at this moment: read it again")
    note(version=new.version)
    return _told(services, new)


def policy_answer(services: Services, group: Group) -> PolicyAnswer:
    """What holds for these queues."""
    return _answer(services, services.store.policies.of(group), _names(services))


def _told(services: Services, policy: Policy) -> Told:
    return _answer(services, policy, _names(services)), 200, {"ETag": f'"{policy.version}"'}


def _answer(services: Services, policy: Policy, names: dict[str, str]) -> PolicyAnswer:
    return PolicyAnswer.of(policy, names, schedule_id=_visible_schedule(services, policy.schedule_id))


def _visible_schedule(services: Services, schedule_id: str | None) -> str | None:
    """Its id, where the caller may see it, or nobody can."""
    projects = caller().projects
    seen = projects is None or (schedule_id or "") in {each.schedule_id for each in services.store.schedules.all(projects)}
    return schedule_id if seen else None


def _with_unseen(services: Services, known: Policy, said: Policy) -> Policy:
    """What is said, with what the caller could not see and so not say again."""
    is_unseen = said.schedule_id is None and _visible_schedule(services, known.schedule_id) is None
    return replace(said, schedule_id=known.schedule_id) if is_unseen else said


def _names(services: Services) -> dict[str, str]:
    return {token.token_id: token.name for token in services.store.tokens.all()}


def _check_version(known: Policy) -> None:
    """Raises VersionMissing and VersionDiffers: who changes it has read what holds."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise VersionMissing(f'send If-Match: "{known.version}", the version that GET tells as ETag')
    if given not in {ANY_VERSION, str(known.version), f'"{known.version}"', f'W/"{known.version}"'}:
        raise VersionDiffers(f"found {shown(given)}, it is version {known.version} now: read it again, and send that as If-Match")


def _check_names(services: Services, known: Policy, said: Policy) -> None:
    """Raises InvalidRequest for owners and a schedule that are none; what was said before may stay, whatever became of it."""
    now = datetime.now(UTC)
    able = {token.token_id for token in services.store.tokens.all() if token.is_valid(now) and token.scope.covers(Scope.APPROVE)}
    for field, owners, before in _owned(known, said):
        if unknown := [owner for owner in owners if owner not in able and owner not in before]:
            accepted = "accepted are ids of valid tokens with the scope approve: `queuecast token list`"
            raise InvalidRequest(f"no such token: {listed(unknown)}; {accepted}", field=field)
    if said.schedule_id not in {None, known.schedule_id}:
        schedules = services.store.schedules.all(caller().projects)
        if said.schedule_id not in {schedule.schedule_id for schedule in schedules}:
            raise InvalidRequest(f"no schedule has the id {shown(str(said.schedule_id))}", field="schedule_id")


def _owned(known: Policy, said: Policy) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Field, owners there, and those who were there before."""
    rules = {rule.queue: rule.owners for rule in known.queues}
    of_rules = [(f"queues.{n}.owners", rule.owners, rules.get(rule.queue, ())) for n, rule in enumerate(said.queues)]
    return [("owners", said.owners, known.owners), *of_rules]


def _owners(services: Services, known: Policy) -> str:
    """Who may change it, in words."""
    names = _names(services)
    owners = {owner for each in (known.owners, *(rule.owners for rule in known.queues)) for owner in each}
    told = listed(sorted(names.get(owner) or owner for owner in owners))
    return f"its owners are {told}" if owners else "it has no owners yet"


def _of_the_caller(said: Policy, version: int) -> Policy:
    who = caller()
    return replace(said, version=version, changed_at=datetime.now(UTC), changed_by=who.name, changed_by_id=who.caller_id)

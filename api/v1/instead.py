"""A policy for one decision alone: who would like to see what another one would bring, before it is said for good."""

from __future__ import annotations

from dataclasses import replace

from api.edge.context import Services
from api.edge.identity import caller
from api.schema.policies import PolicyBody
from api.v1.groups import children_of_group
from shared.domain.owners import may_change
from shared.domain.policies import Group, Policy, check_policy
from shared.domain.tokens import Scope
from shared.errors import InvalidRequest, OwnersOnly, ScopeMissing

STAYS = "of one decision it cannot be another one: who may approve it, and when, is what the policy says that holds"


def policy_instead(services: Services, group: Group, body: PolicyBody) -> Policy:
    """What one decision about these queues is to be made with.

    Raises:
        ScopeMissing, OwnersOnly: the caller could not say it for good either. InvalidRequest: it cannot be kept to.
    """
    if not caller().scope.covers(Scope.APPROVE):
        raise ScopeMissing(f"found {caller().scope.value}; a policy takes {Scope.APPROVE.value}", field="policy")
    said, known = body.to_policy(group), services.store.policies.of(group)
    given = {"owners": said.owners, "freezes": said.freezes, "schedule_id": said.schedule_id}
    given |= {f"queues.{number}.owners": rule.owners for number, rule in enumerate(said.queues)}
    if field := next((name for name, value in given.items() if value), None):
        raise InvalidRequest(STAYS, field=f"policy.{field}")
    check_policy(said, children_of_group(services, group))
    same = {rule.queue: rule.owners for rule in known.queues}
    rules = tuple(replace(rule, owners=same.get(rule.queue, ())) for rule in said.queues)
    new = replace(said, queues=rules, owners=known.owners, freezes=known.freezes, schedule_id=known.schedule_id)
    above = services.store.policies.above(group)[1:]
    if caller().scope is not Scope.ADMIN and not may_change(known, new, caller().caller_id, above):
        raise OwnersOnly("others own what it is about, and say its policy")
    return new

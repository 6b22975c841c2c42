"""Policies as callers write and read them: what decisions about the children of one queue have to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from api.schema import fields
from api.schema.answers import Answer
from api.schema.forms import Form
from api.schema.queries import Query
from api.schema.sizes import Size
from shared.domain import policies
from shared.domain.collected import DEFAULT
from shared.domain.policies import Freeze, Group, Policy, QueueClass, QueueRule

MAX_OWNERS, MAX_FREEZES = 50, 100
OF_PARENT = "in percent of what the parent is guaranteed; of queues without a tree in the unit of their forecast"
Owners = Annotated[tuple[fields.FilledLabel, ...], Size(MAX_OWNERS)]


class QueueRuleBody(Form):
    """What is said of one queue."""

    queue: fields.QueueName = Field(description="its full name")
    queue_class: QueueClass = Field(QueueClass.NORMAL, description="how much it hurts that has to wait: 20, 10 or 4 times")
    kappa: fields.Number | None = Field(
        None, description="how many idle unit-hours weigh as much as one that is missing; null = as its class has it"
    )
    floor: fields.Number | None = Field(None, description=f"it is never given less, {OF_PARENT}; null = there is none")
    ceiling: fields.Number | None = Field(None, description="it is never given more, likewise")
    is_protected: fields.Flag = Field(False, description="it is never changed")
    owners: Owners = Field((), description="ids of tokens that may approve what concerns it and all below it")

    def to_rule(self) -> QueueRule:
        """The rule as the rest of Queuecast knows it."""
        return QueueRule(**dict(self) | {"owners": _sorted(self.owners)})


class FreezeBody(Form):
    """A time in which nothing is changed."""

    start_at: fields.Moment
    end_at: fields.Moment = Field(description="it is over then")
    reason: fields.Label = Field("", description="for people")


class PolicyBody(Form):
    """What holds for the children of one queue; what is left out is at its default."""

    queues: Annotated[tuple[QueueRuleBody, ...], Size(policies.MAX_QUEUES)] = Field(
        (), description="those of which anything is said"
    )
    price_hours: fields.Number = Field(
        policies.PRICE_HOURS, description="what a change costs, in hours of what the queue has: small gains change nothing"
    )
    budget_percent: fields.Number = Field(policies.BUDGET_PERCENT, description="so much of the parent's may move in one plan")
    min_step_percent: fields.Number | None = Field(
        None,
        description="no change is smaller than this part of it; null = 2, of more than five children a tenth of an equal part",
    )
    max_down_percent: fields.Number = Field(policies.MAX_DOWN_PERCENT, description="of what a queue has, so much may go at once")
    max_changes: Annotated[fields.WholeNumber, Field(ge=0, le=policies.MAX_QUEUES)] = Field(
        policies.MAX_CHANGES, description="in one plan"
    )
    owners: Owners = Field((), description="ids of tokens that may approve; none = every token that has the scope")
    freezes: Annotated[tuple[FreezeBody, ...], Size(MAX_FREEZES)] = Field((), description="times in which nothing is changed")
    schedule_id: fields.FilledLabel | None = Field(None, description="whose forecasts count; null = the newest of each queue")

    def to_policy(self, group: Group) -> Policy:
        """The policy as the rest of Queuecast knows it, before anybody has kept it."""
        parts = {
            "queues": tuple(rule.to_rule() for rule in self.queues),
            "freezes": tuple(Freeze(**dict(freeze)) for freeze in self.freezes),
            "owners": _sorted(self.owners),
        }
        return Policy(**group._asdict(), **dict(self) | parts)


class PolicyQuery(Query):
    """Of which queues a policy is."""

    cluster: fields.FilledLabel | None = Field(None, description="default: the only one that there is")
    partition: fields.FilledLabel | None = Field(None, description="the node label; default = without one")
    project: fields.Label | None = Field(None, description="of queues without a tree, whose they are")


class PoliciesQuery(Query):
    """Which policies to list."""

    cluster: fields.FilledLabel | None = None
    parent: fields.QueueName | None = Field(None, description="- = of queues without a tree")


class QueueRuleAnswer(Answer):
    """What is said of one queue, and what that comes to."""

    queue: str
    queue_class: QueueClass
    kappa: float | None = Field(description="as it was said; null = as its class has it")
    weight: float = Field(description="the κ that holds")
    floor: float | None
    ceiling: float | None
    is_protected: bool
    owners: tuple[str, ...]


class PolicyAnswer(Answer):
    """What holds for the children of one queue, or for the queues of a project without a tree."""

    cluster: str
    parent: str = Field(description="empty = of queues without a tree")
    partition: str = Field(description="default = without a label")
    project: str = Field(description="of queues without a tree; else empty")
    version: int = Field(description="0 = nobody has said anything, all is at its default; the ETag, which If-Match takes")
    queues: tuple[QueueRuleAnswer, ...]
    price_hours: float
    budget_percent: float
    min_step_percent: float | None
    max_down_percent: float
    max_changes: int
    owners: tuple[str, ...] = Field(description="ids of tokens")
    owner_names: dict[str, str] = Field(description="of every owner that is named here: id of the token → its name")
    freezes: tuple[Freeze, ...]
    schedule_id: str | None
    changed_at: datetime | None
    changed_by: str
    kappas: dict[str, float] = Field(description="what a class stands for")

    @classmethod
    def of(cls, policy: Policy, names: Mapping[str, str], *, schedule_id: str | None) -> Self:
        """names: of tokens by id; schedule_id: the policy's, where the caller may see it."""
        named = {owner for owners in (policy.owners, *(rule.owners for rule in policy.queues)) for owner in owners}
        return cls.showing(
            policy,
            partition=policy.partition or DEFAULT,
            queues=tuple(QueueRuleAnswer.showing(rule) for rule in policy.queues),
            owner_names={owner: names.get(owner, "") for owner in sorted(named)},
            schedule_id=schedule_id,
            kappas={name.value: kappa for name, kappa in policies.KAPPA.items()},
        )


class PolicyList(Answer):
    """Policies that somebody has said, by cluster, parent and partition."""

    policies: list[PolicyAnswer]


def _sorted(owners: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(owners)))

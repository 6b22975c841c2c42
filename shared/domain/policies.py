"""Policies: what decisions about the children of one queue have to keep to, as their owners have said it.

      root ── etl (critical)  ─┐
           ├─ bi  (normal)     ├─ one policy of the parent `root` in one partition; what is not said is at its default
           └─ lab (best effort)┘

Floors, ceilings, budget and the smallest step are parts of what the parent is guaranteed, in percent, whatever the mode of its
children is. Queues without a tree (any series that has limits) have no parent: their policy is that of their project and cluster,
its parent is "", floors and ceilings are in the unit of the forecast, and nothing has to add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import NamedTuple

from shared.domain.identifiers import listed, shown
from shared.domain.queue_tree import DEFAULT_PARTITION
from shared.errors import InvalidRequest

PRICE_HOURS = 1.2
BUDGET_PERCENT, MIN_STEP_PERCENT, MAX_DOWN_PERCENT = 10.0, 2.0, 25.0
SMALL_PART = 0.1  # of an equal part of the parent: where siblings are many, a change of that is one
MAX_CHANGES = 5
MAX_KAPPA, MAX_PRICE_HOURS, MAX_QUEUES = 1_000.0, 1_000.0, 5_000
ALL = 100.0


class QueueClass(StrEnum):
    """How much a queue hurts that has to wait."""

    CRITICAL = "critical"
    NORMAL = "normal"
    BEST_EFFORT = "best-effort"


KAPPA = {QueueClass.CRITICAL: 20.0, QueueClass.NORMAL: 10.0, QueueClass.BEST_EFFORT: 4.0}


class Group(NamedTuple):
    """Queues that are decided on together: the children of a parent in one partition, or queues of a project without a tree."""

    project: str
    cluster: str
    parent: str
    partition: str = DEFAULT_PARTITION


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Which of these somebody may see: clusters whose trees, and projects whose queues without one."""

    clusters: tuple[str, ...]
    projects: tuple[str, ...]

    def shows(self, group: Group) -> bool:
        """Whether it is one of them."""
        return group.cluster in self.clusters if group.parent else group.project in self.projects


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRule:
    """What is said of one queue.

    queue: its full path.
    kappa: how many idle unit-hours weigh as much as one that is missing; None = as its class has it.
    floor, ceiling: bounds of what it may be given; None = there is none.
    is_protected: it is never changed.
    owners: ids of tokens that may approve what concerns it and queues below it, beside those of the policy.
    """

    queue: str
    queue_class: QueueClass = QueueClass.NORMAL
    kappa: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    is_protected: bool = False
    owners: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """Its κ."""
        return KAPPA[self.queue_class] if self.kappa is None else self.kappa


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """From `start_at` until before `end_at` nothing is changed, and no plan made that would begin then."""

    start_at: datetime
    end_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for the children of `parent`; the defaults are those of the design, looked at on real series.

    project: of queues without a tree whose they are; "" where there is one, as whoever may use the cluster shares that.
    price_hours: what a change costs, in hours of what the queue has: it is the hysteresis.
    budget_percent: how much may move in one plan. min_step_percent: no change is smaller. both of the parent's guarantee.
        None = MIN_STEP_PERCENT, and less where its children are many.
    max_down_percent: of what a queue has, so much may go in one change.
    max_changes: in one plan.
    owners: ids of tokens that may approve; none = every token that has the scope.
    schedule_id: whose forecasts count; None = the newest of each queue.
    version: 0 = nobody has said anything, it is the default; goes up by one with each change.
    """

    cluster: str
    parent: str
    partition: str = DEFAULT_PARTITION
    project: str = ""
    queues: tuple[QueueRule, ...] = ()
    price_hours: float = PRICE_HOURS
    budget_percent: float = BUDGET_PERCENT
    min_step_percent: float | None = None
    max_down_percent: float = MAX_DOWN_PERCENT
    max_changes: int = MAX_CHANGES
    owners: tuple[str, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    schedule_id: str | None = None
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""  # name of the token
    changed_by_id: str = ""  # its id, or "local"; "" = an earlier release has not kept it

    @property
    def group(self) -> Group:
        """The queues that it is about."""
        return Group(self.project, self.cluster, self.parent, self.partition)

    @property
    def has_tree(self) -> bool:
        """Whether it is of the children of a queue, which share what that has."""
        return bool(self.parent)

    @property
    def said(self) -> Policy:
        """What it says, whoever has said it and when."""
        return replace(self, version=0, changed_at=None, changed_by="", changed_by_id="")

    @property
    def has_owners(self) -> bool:
        """Whether anybody owns any of it."""
        return bool(self.owners) or any(rule.owners for rule in self.queues)

    def min_step(self, children: int) -> float:
        """The least change of one of so many children, in percent of the parent."""
        if self.min_step_percent is not None:
            return self.min_step_percent
        return min(MIN_STEP_PERCENT, SMALL_PART * ALL / max(1, children))

    def rule(self, queue: str) -> QueueRule:
        """What holds for a queue."""
        return next((rule for rule in self.queues if rule.queue == queue), QueueRule(queue=queue))

    def frozen_at(self, moment: datetime) -> Freeze | None:
        """What forbids a change at a moment; of several that which ends last."""
        held = (freeze for freeze in self.freezes if freeze.start_at <= moment < freeze.end_at)
        return max(held, key=lambda freeze: freeze.end_at, default=None)


def check_policy(policy: Policy, children: Sequence[str] | None = None) -> None:
    """Raises InvalidRequest naming the first field that cannot be kept to.

    Args:
        children: the queues that it is about, as far as they are known; None = not at all.
    """
    for field, most in (("budget_percent", ALL), ("min_step_percent", ALL), ("max_down_percent", ALL)):
        if (value := getattr(policy, field)) is not None:
            _check(field, value, 0.0, most)
    _check("price_hours", policy.price_hours, 0.0, MAX_PRICE_HOURS)
    _check_rules(policy, children)
    for number, freeze in enumerate(policy.freezes):
        if freeze.end_at <= freeze.start_at:
            raise InvalidRequest("it ends before it has begun; accepted is a later `end_at`", field=f"freezes.{number}")


def _check_rules(policy: Policy, children: Sequence[str] | None) -> None:
    names = [rule.queue for rule in policy.queues]
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise InvalidRequest(f"{shown(twice[0])} is there twice; accepted is one rule for each queue", field="queues")
    existing = None if children is None else frozenset(children)
    strangers = [name for name in names if policy.has_tree and name.rpartition(".")[0] != policy.parent]
    unknown = strangers or [name for name in names if existing is not None and name not in existing]
    if unknown:
        known = f"; its children are {listed(children)}" if children else ""
        raise InvalidRequest(f"{listed(unknown)}: no child of {shown(policy.parent)}{known}", field="queues")
    for number, rule in enumerate(policy.queues):
        _check_rule(rule, f"queues.{number}", ALL if policy.has_tree else float("inf"))
    if policy.has_tree and (total := sum(rule.floor or 0.0 for rule in policy.queues)) > ALL:
        floors = listed([rule.queue for rule in policy.queues if rule.floor])
        raise InvalidRequest(f"the floors of {floors} add up to {total:g} %; accepted are at most 100", field="queues")


def _check_rule(rule: QueueRule, field: str, most: float) -> None:
    if rule.kappa is not None:
        _check(f"{field}.kappa", rule.kappa, 0.0, MAX_KAPPA)
    for name in ("floor", "ceiling"):
        if (bound := getattr(rule, name)) is not None:
            _check(f"{field}.{name}", bound, 0.0, most)
    if rule.floor is not None and rule.ceiling is not None and rule.floor > rule.ceiling:
        raise InvalidRequest(f"the floor {rule.floor:g} is above the ceiling {rule.ceiling:g}", field=f"{field}.floor")


def _check(field: str, value: float, least: float, most: float) -> None:
    if not (isfinite(value) and least <= value <= most):
        up_to = f" to {most:g}" if isfinite(most) else " on"
        raise InvalidRequest(f"found {value:g}; accepted is {least:g}{up_to}", field=field)

"""All that one decision about a tree is made from: what queues want, policies, and whose past is against it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.domain.forecasts import Forecast
from shared.domain.policies import Group, Policy, QueueRule
from shared.domain.queue_tree import QueueTree
from shared.domain.units import Unit
from worker.decisions.question import Question
from worker.decisions.wanted import Wanted
from worker.job.decided_asked import Asked
from worker.job.decided_facts import paused
from worker.job.decided_files import Configured


@dataclass(kw_only=True)
class Family:
    """Of one tree in one partition.

    memory, vcores: queue → what is asked of it. wanted: of the same queues. left: queue → why its past speaks against any change.
    thin: queue → why little is known of its past.
    """

    asked: Asked
    tree: QueueTree
    partition: str
    configured: Configured
    forecasts: dict[str, Forecast] = field(default_factory=dict)
    memory: dict[str, Question] = field(default_factory=dict)
    vcores: dict[str, Question] = field(default_factory=dict)
    wanted: dict[tuple[str, str], Wanted] = field(default_factory=dict)
    policies: dict[str, tuple[Policy, tuple[str, ...]]] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    thin: dict[str, str] = field(default_factory=dict)

    def knows(self, parent: str) -> bool:
        """Whether anything is known of what a child of it wants."""
        return any(queue.rpartition(".")[0] == parent for queue in self.memory)

    def whole(self, queue: str, unit: Unit | None) -> float:
        """What the parent of a queue is guaranteed, in memory or vcores."""
        parent = self.tree.by_path.get(queue.rpartition(".")[0])
        share = parent.share(self.partition) if parent else None
        has = share.guaranteed if share else None
        return 0.0 if has is None else float(has.vcores if unit is Unit.VCORES else has.memory_mb)

    def policy(self, parent: str) -> tuple[Policy, tuple[str, ...]]:
        """That of a parent's children, and what is to be said of it."""
        if parent not in self.policies:
            group, store = Group("", self.asked.cluster, parent, self.partition), self.asked.resources.store
            self.policies[parent] = paused(store, self.asked.policy_of(group), self.asked.now)
        return self.policies[parent]

    def is_decided_on(self, parent: str) -> bool:
        """Whether a decision on its children is wanted: asked for, or of the schedule that counts for them."""
        (policy, _), request = self.policy(parent), self.asked.request
        return (not request.is_by_hand or request.group == policy.group) and self.asked.counts(policy)

    def on_days(self, days: Collection[str]) -> Family:
        """With what is asked on no other days as they were than these."""
        memory, vcores = (
            {queue: question.on_days(days) for queue, question in each.items()} for each in (self.memory, self.vcores)
        )
        return replace(self, memory=memory, vcores=vcores)

    def as_planned(self, parent: str, _partition: str) -> Policy:
        """The same with queues protected whose past speaks against a change, or where nothing may be changed now.

        Where no decision comes of it nothing is changed: others would count on what nobody can put into force.
        """
        policy, _ = self.policy(parent)
        if not self.is_decided_on(parent):
            children = self.tree.children(parent)
            return replace(policy, queues=tuple(QueueRule(queue=child.path, is_protected=True) for child in children))
        return replace(policy, queues=(*(_protected(rule, self.left) for rule in policy.queues), *self._further(policy)))

    def _further(self, policy: Policy) -> Iterator[QueueRule]:
        named = {rule.queue for rule in policy.queues}
        for queue in self.left:
            if queue not in named and queue.rpartition(".")[0] == policy.parent:
                yield QueueRule(queue=queue, is_protected=True)


def _protected(rule: QueueRule, left: Mapping[str, str]) -> QueueRule:
    return replace(rule, is_protected=True) if rule.queue in left else rule

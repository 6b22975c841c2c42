"""Plans for a whole tree, from the top down: root's children first, then those of each of them with what it then has.

    root 1,000 GB ── etl 40 → 46 %   plan of root          460 GB ─── daily   70 → 66 %   plan of root.etl, which follows
                  ├─ bi  30 %                                     └── hourly  30 → 34 %   that of root
                  └─ lab 30 → 24 %                         no more than three levels are planned at a time

Each parent and partition has a plan of its own, which a person takes or leaves. A parent that is not forecast itself wants what
its children want together. What has no forecast keeps what it has. The last week as it was counts as far as all siblings have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.domain.capacities import Mode, Resources
from shared.domain.capacities import added as sum_of
from shared.domain.policies import Policy
from shared.domain.queue_tree import DEFAULT_PARTITION, Calculator, Queue, QueueTree, Scheduler, Share
from shared.yarn.constraints import violations
from shared.yarn.effective import resolved
from worker.decisions.family import Family, why_no_plan
from worker.decisions.parent_plan import parent_plan
from worker.decisions.planned import ParentPlan, TreePlan
from worker.decisions.shared_days import on_shared_days
from worker.decisions.wanted import Wanted, added

MAX_LEVELS = 3
LEAST = Resources(memory_mb=1024, vcores=1)  # YARN's defaults of yarn.scheduler.minimum-allocation-mb and -vcores
NOT_FORECAST = "Nothing is forecast of any of its children."

Place = tuple[str, str]  # path of a queue, partition
Policies = Callable[[str, str], Policy]  # of a parent, in a partition


def plan(
    tree: QueueTree,
    wanted: Mapping[Place, Wanted],
    policies: Policies,
    *,
    configured: Mapping[str, str] | None = None,
    least: Resources = LEAST,
) -> TreePlan:
    """The plans of all parents of the first levels, one for each partition.

    Args:
        tree: with what the root has of each partition. wanted: of each queue that is forecast, by path and partition.
        configured: the configuration as it is, where it is known; so that undoing brings back its very texts.
        least: least allocations of the scheduler.
    """
    planner = _Planner(wanted=wanted, policies=policies, configured=configured, least=least)
    planned, plans = tree, list[ParentPlan]()
    totals = _totals(tree)
    for level in range(MAX_LEVELS if tree.scheduler is Scheduler.CAPACITY else 1):
        planned = resolved(planned, totals)
        parents = [queue for queue in planned.parents() if queue.path.count(".") == level]
        found = [each for parent in parents for each in planner.of_parent(planned, parent, plans)]
        planned = with_plans(planned, found)
        plans += found
    if broken := set(violations(planned)) - set(violations(tree)):
        refused = f"YARN would not take all plans together: {min(map(str, broken))}"
        blank = [ParentPlan(parent=each.parent, partition=each.partition, mode=each.mode, refused=refused) for each in plans]
        return TreePlan(tree=tree, plans=tuple(blank))
    return TreePlan(tree=with_plans(tree, plans), plans=tuple(plans))


@dataclass(kw_only=True)
class _Planner:
    """Makes the plans of one level after the other."""

    wanted: Mapping[Place, Wanted]
    policies: Policies
    configured: Mapping[str, str] | None
    least: Resources
    sums: dict[Place, Wanted | None] = field(default_factory=dict)

    def of_parent(self, tree: QueueTree, parent: Queue, above: list[ParentPlan]) -> Iterator[ParentPlan]:
        """In each partition; above: the plans of the levels above it."""
        for share in parent.shares:
            partition = share.partition
            pairs = [(child, own) for child in tree.children(parent.path) if (own := child.share(partition)) is not None]
            if not pairs:
                continue
            each = [self._wanted(tree, child, partition) for child, _ in pairs]
            wanted, days = on_shared_days(each, counts_vcores=tree.calculator is Calculator.DOMINANT)
            refused = why_no_plan(tree, parent, share, [child for child, _ in pairs], share.guaranteed)
            if share.guaranteed is None or refused or not any(wanted):
                yield ParentPlan(parent=parent.path, partition=partition, refused=refused or NOT_FORECAST)
                continue
            family = Family(
                tree=tree,
                parent=parent,
                above=share,
                children=tuple(child for child, _ in pairs),
                shares=tuple(own for _, own in pairs),
                wanted=wanted,
                below=tuple(_below(tree, child, partition) for child, _ in pairs),
                policy=self.policies(parent.path, partition),
                whole=share.guaranteed,
                least=self.least,
                days=days,
            )
            yield replace(parent_plan(family, self.configured), follows=_follows(parent.path, partition, above))

    def _wanted(self, tree: QueueTree, queue: Queue, partition: str) -> Wanted | None:
        """Its own, or what all below it that have a share of the partition want together."""
        place = (queue.path, partition)
        if place in self.wanted:
            return self.wanted[place]
        if place not in self.sums:
            children = [child for child in tree.children(queue.path) if child.share(partition) is not None]
            each = [self._wanted(tree, child, partition) for child in children]
            known = [wanted for wanted in each if wanted is not None]
            self.sums[place] = added(known) if known and len(known) == len(each) else None
        return self.sums[place]


def _totals(tree: QueueTree) -> dict[str, Resources]:
    """What the root has of each partition, where that is known."""
    totals = {share.partition: share.guaranteed for share in tree.root.shares if share.guaranteed is not None}
    return totals if tree.totals is None else {DEFAULT_PARTITION: tree.totals.total} | totals


def _below(tree: QueueTree, queue: Queue, partition: str) -> Resources | None:
    """What its own children have in resources all together; None = none of them has."""
    shares = [share for child in tree.children(queue.path) if (share := child.share(partition)) is not None]
    amounts = [share.capacity.resources for share in shares if share.mode is Mode.ABSOLUTE]
    return sum_of(amounts) if amounts else None


def _follows(parent: str, partition: str, above: list[ParentPlan]) -> str:
    """The nearest plan above that changes what a parent has."""
    changed = {change.queue: plan.parent for plan in above if plan.partition == partition for change in plan.changes}
    while parent and parent not in changed:
        parent = parent.rpartition(".")[0]
    return changed.get(parent, "")


def with_plans(tree: QueueTree, plans: Iterable[ParentPlan]) -> QueueTree:
    """The tree as it is configured with these plans in force; what its queues have then is not computed anew."""
    found = {(change.queue, plan.partition): change for plan in plans for change in plan.changes}

    def share_of(path: str, share: Share) -> Share:
        change = found.get((path, share.partition))
        return share if change is None else replace(share, capacity=change.after, maximum=change.maximum_after)

    paths = {path for path, _ in found}
    return replace(
        tree,
        queues=tuple(
            replace(queue, shares=tuple(share_of(queue.path, share) for share in queue.shares)) if queue.path in paths else queue
            for queue in tree.queues
        ),
    )

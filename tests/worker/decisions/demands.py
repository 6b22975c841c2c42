"""What queues may want, for tests of plans: paths of a few days, drawn from blocks that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from shared.domain.capacities import Resources
from shared.domain.policies import Policy, QueueClass, QueueRule
from shared.domain.queue_tree import Calculator, QueueTree
from shared.yarn.effective import resolved
from tests.shared.yarn.trees import CLUSTER, trees
from worker.decisions.objective import Demand
from worker.decisions.recent import day_name
from worker.decisions.wanted import Wanted

PATHS, STEPS = 12, 6
BLOCKS = tuple(f"misses 2026-01-{day:02}T00:00" for day in range(1, PATHS + 1))
Place = tuple[str, str]
Policies = Callable[[str, str], Policy]


def wanted_of(memory_mb: float, vcores: float | None = None, seed: int = 1, spread: float = 4.0) -> Wanted:
    """About so much, now more, now less: the larger `spread`, the nearer to it."""
    dice = np.random.default_rng(seed)
    shape = dice.gamma(spread, 1 / spread, (PATHS, STEPS))
    return Wanted(
        memory=Demand.of(memory_mb * shape, hours=4.0),
        vcores=None if vcores is None else Demand.of(vcores * shape, hours=4.0),
        memory_blocks=BLOCKS,
        vcores_blocks=() if vcores is None else BLOCKS,
    )


def with_days(wanted: Wanted, times: float, days: Sequence[int] = range(1, 8)) -> Wanted:
    """Beside days as they were: so many times the mean of its paths, of each later one a little more."""
    rows = np.array([[times * (1 + day / 100)] * STEPS for day in days]).reshape(-1, STEPS)
    names = tuple(day_name(datetime(2026, 1, day, tzinfo=UTC)) for day in days)
    memory, vcores = wanted.memory, wanted.vcores
    return replace(
        wanted,
        memory=memory.beside(rows * memory.paths.mean()),
        vcores=None if vcores is None else vcores.beside(rows * vcores.paths.mean()),
        memory_blocks=(*wanted.memory_blocks, *names),
        vcores_blocks=() if vcores is None else (*wanted.vcores_blocks, *names),
    )


@st.composite
def resolved_trees(draw: st.DrawFn) -> QueueTree:
    """With what every queue comes to, and what the scheduler looks at."""
    tree = draw(trees())
    found = resolved(tree, dict.fromkeys(tree.partitions, CLUSTER))
    return QueueTree(
        queues=found.queues, calculator=draw(st.sampled_from(Calculator)), is_legacy=draw(st.sampled_from([None, True]))
    )


@st.composite
def demands(draw: st.DrawFn, tree: QueueTree) -> dict[Place, Wanted]:
    """Of most queues about what they have, or a multiple of it; of others nothing."""
    found = {}
    for queue in tree.queues[1:]:
        for share in queue.shares:
            times = draw(st.sampled_from([None, 0.0, 0.3, 0.8, 1.0, 1.5, 4.0]))
            has = share.guaranteed or Resources(memory_mb=0, vcores=0)
            if times is not None:
                vcores = draw(st.sampled_from([None, times * has.vcores, 2 * times * has.vcores]))
                wanted = wanted_of(times * has.memory_mb, vcores, draw(st.integers(0, 9)))
                days = draw(st.sampled_from([(), range(1, 8), range(1, 8), (2, 5)]))
                found[queue.path, share.partition] = with_days(wanted, draw(st.sampled_from([0.5, 1.0, 3.0])), days)
    return found


@st.composite
def policies(draw: st.DrawFn, tree: QueueTree) -> Policies:
    """The same limits of all parents, with rules of some of their children."""
    rules = [_rule(draw, queue.path) for queue in tree.queues[1:] if draw(st.booleans())]
    limits = {
        "price_hours": draw(st.sampled_from([0.0, 1.2, 4.0])),
        "budget_percent": draw(st.sampled_from([0.0, 5.0, 10.0, 50.0])),
        "min_step_percent": draw(st.sampled_from([0.0, 0.5, 2.0])),
        "max_down_percent": draw(st.sampled_from([25.0, 100.0])),
    }
    most = draw(st.integers(0, 5))

    def policy_of(parent: str, partition: str) -> Policy:
        of_parent = tuple(rule for rule in rules if rule.queue.rpartition(".")[0] == parent)
        return Policy(cluster="c", parent=parent, partition=partition, queues=of_parent, max_changes=most, **limits)

    return policy_of


def _rule(draw: st.DrawFn, queue: str) -> QueueRule:
    return QueueRule(
        queue=queue,
        queue_class=draw(st.sampled_from(QueueClass)),
        floor=draw(st.sampled_from([None, None, 5.0, 12.25])),
        ceiling=draw(st.sampled_from([None, None, 60.0, 90.5])),
        is_protected=draw(st.sampled_from([False, False, True])),
    )

"""Plans at their largest: 200 siblings, and a tree of 2,000 queues: `python -m tests.bench.plans`.

Made-up queues: capacities of a Dirichlet distribution, demand of 64 joint paths of 24 steps around them, all are forecast. The
policies are the default and three that leave the solver more to decide on. CPU, as other things may run beside it.
"""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np

from shared.domain.capacities import Capacity, Resources
from shared.domain.policies import Policy
from shared.domain.queue_tree import Calculator, Queue, QueueTree, Share
from shared.yarn.effective import resolved
from worker.decisions.objective import Demand
from worker.decisions.plan import Place, plan
from worker.decisions.planned import TreePlan
from worker.decisions.wanted import Wanted

CLUSTER = Resources(memory_mb=100 * 2**20, vcores=20_000)
PATHS, STEPS = 64, 24
BLOCKS = tuple(f"misses {place}" for place in range(PATHS))
DEFAULT = Policy(cluster="bench", parent="root")
POLICIES = {
    "default": DEFAULT,
    "steps of 0.2 %": replace(DEFAULT, min_step_percent=0.2),
    "50 changes of 0.1 %": replace(DEFAULT, min_step_percent=0.1, max_changes=50),
    "20 changes of 0.3 %, any cut": replace(DEFAULT, min_step_percent=0.3, max_changes=20, max_down_percent=100.0),
}


def a_tree(widths: tuple[int, ...], dice: np.random.Generator) -> QueueTree:
    """Every queue of a level with so many below it."""
    queues = [Queue(path="root", is_leaf=False, shares=(Share(capacity=Capacity.of_percent(100.0)),))]
    level = queues
    for width in widths:
        level = [child for parent in level for child in _children(parent, width, dice)]
        queues += level
    return resolved(QueueTree(queues=tuple(queues), calculator=Calculator.DOMINANT), {"": CLUSTER})


def demands_of(tree: QueueTree, dice: np.random.Generator) -> dict[Place, Wanted]:
    """Of each queue between a third of what it has and half as much again."""
    return {
        (queue.path, ""): _wanted(share.guaranteed, dice) for queue in tree.queues[1:] if (share := queue.share()) is not None
    }


def measured(tree: QueueTree, policy: Policy, seed: int) -> tuple[float, TreePlan]:
    """CPU seconds of the plans of a tree, and the plans."""
    demands = demands_of(tree, np.random.default_rng(seed))
    start = process_time()
    found = plan(tree, demands, lambda parent, partition: replace(policy, parent=parent, partition=partition))
    return process_time() - start, found


def main() -> None:
    """Print the table."""
    for name, policy in POLICIES.items():
        tree = a_tree((200,), np.random.default_rng(1))
        print(line(f"200 siblings, {name}", *measured(tree, policy, 2), limit=5.0))
    print(
        line(
            "a tree of 2,000 queues (20 x 10 x 9)",
            *measured(a_tree((20, 10, 9), np.random.default_rng(3)), DEFAULT, 4),
            limit=60.0,
        )
    )


def line(name: str, seconds: float, found: TreePlan, limit: float) -> str:
    """One of the table."""
    plans, changes = len(found.plans), sum(len(each.changes) for each in found.plans)
    said = "held" if seconds <= limit else "MISSED"
    return f"(plans) {name:<45} {seconds:8.2f} s CPU   hold to ≤ {limit:g}   {said:<6}   {plans} plans, {changes} changes"


def _children(parent: Queue, width: int, dice: np.random.Generator) -> list[Queue]:
    cuts = np.round(dice.dirichlet(np.full(width, 2.0)) * 1000).astype(int)
    cuts[-1] = 1000 - cuts[:-1].sum()
    names = (f"{parent.path}.q{place}" for place in range(width))
    return [
        Queue(path=name, is_leaf=False, shares=(Share(capacity=Capacity.of_percent(max(0, int(cut)) / 10)),))
        for name, cut in zip(names, cuts, strict=True)
    ]


def _wanted(has: Resources | None, dice: np.random.Generator) -> Wanted:
    has = has or CLUSTER
    shape = dice.gamma(3.0, 1 / 3.0, (PATHS, STEPS)) * dice.uniform(0.3, 1.5)
    memory, vcores = Demand.of(has.memory_mb * shape), Demand.of(has.vcores * shape * dice.uniform(0.7, 1.3))
    return Wanted(memory=memory, vcores=vcores, memory_blocks=BLOCKS, vcores_blocks=BLOCKS)


if __name__ == "__main__":
    main()

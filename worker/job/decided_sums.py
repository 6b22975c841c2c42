"""Parents without a forecast of their own: what all of their children want together is what they want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.domain.queue_tree import Queue
from shared.domain.recommendations import Resource
from shared.domain.units import Unit
from worker.decisions.objective import Demand
from worker.decisions.question import Question
from worker.decisions.recent import is_day
from worker.decisions.terms import Facts, Terms
from worker.decisions.wanted import added
from worker.job.decided_family import Family


def add_sums(family: Family) -> None:
    """Ask about each parent of which all children are known, from the bottom up; of the root there is nothing to decide."""
    for queue in reversed(family.tree.queues):
        children = [each.path for each in family.tree.children(queue.path) if each.share(family.partition) is not None]
        place = (queue.path, family.partition)
        wanted = [family.wanted.get((path, family.partition)) for path in children]
        known = [each for each in wanted if each is not None]
        if queue.is_root or place in family.wanted or not known or len(known) < len(wanted):
            continue
        if (total := added(known)) is None:
            continue
        family.wanted[place] = total
        memory = _question(family, queue, total.memory, total.facts, [family.memory[path] for path in children])
        family.memory[queue.path] = replace(memory, days=tuple(filter(is_day, total.memory_blocks)))
        of_vcores = [family.vcores[path] for path in children if path in family.vcores]
        if total.vcores is not None and len(of_vcores) == len(children):
            vcores = _question(family, queue, total.vcores, total.vcores_facts, of_vcores)
            family.vcores[queue.path] = replace(vcores, days=tuple(filter(is_day, total.vcores_blocks)))


def _question(family: Family, queue: Queue, demand: Demand, facts: Facts, like: Sequence[Question]) -> Question:
    """About what several want; as much is known of that as of the one of which least is."""
    share, unit, resource = queue.share(family.partition), like[0].facts.unit, like[0].resource
    has = share.guaranteed if share else None
    present: Mapping[Resource, float] = (
        {} if has is None else {Resource.MEMORY: float(has.memory_mb), Resource.VCORES: float(has.vcores)}
    )
    policy, _ = family.policy(queue.parent)
    siblings = len(family.tree.children(queue.parent))
    return Question(
        queue=queue.path,
        resource=resource,
        demand=demand,
        present=present.get(resource, 0.0),
        terms=Terms.of(policy, queue.path, family.whole(queue.path, unit), children=siblings),
        facts=replace(
            facts,
            unit=unit or Unit.MEGABYTES,
            now=family.asked.now,
            blocks=min(each.facts.blocks for each in like),
            windows=min(each.facts.windows for each in like),
            is_calibrated=all(each.facts.is_calibrated for each in like),
        ),
        starts=like[0].starts,
    )

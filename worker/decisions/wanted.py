"""What a queue may want of its parent: both resources in one number where its capacity is one; of a parent all that is below it.

    share of the parent = the larger of memory ÷ the parent's memory and vcores ÷ its vcores, step by step, where the scheduler
    looks at both (Ghodsi et al., Dominant resource fairness, NSDI 2011); else that of memory

Paths of several queues, and of both resources, are taken together by the blocks they were drawn from (shared/domain/joint.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.domain.capacities import Resources
from shared.domain.distribution import Paths
from shared.domain.joint import drawn_together
from shared.domain.recommendations import Resource
from worker.decisions.guards import withheld
from worker.decisions.objective import Demand, quantile_of
from worker.decisions.question import Question
from worker.decisions.terms import NOTHING_ELSE, Facts
from worker.models.base import FloatArray

HIGH = 0.95  # the quantile by which one resource is the shorter one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of one queue in one partition: paths in MB and vcores, and the names of the blocks that they were drawn from.

    vcores: None = nothing is forecast of them. blocks: () = nobody knows, or the paths are put together already.
    facts: of the forecast of memory. vcores_facts: of that of vcores.
    """

    memory: Demand
    vcores: Demand | None = None
    memory_blocks: tuple[str, ...] = ()
    vcores_blocks: tuple[str, ...] = ()
    facts: Facts = NOTHING_ELSE
    vcores_facts: Facts = NOTHING_ELSE

    @classmethod
    def of(cls, memory: tuple[Question, Paths], vcores: tuple[Question, Paths] | None = None) -> Wanted:
        """From what is asked of each resource, with the paths of its forecast."""
        return cls(
            memory=memory[0].demand,
            vcores=None if vcores is None else vcores[0].demand,
            memory_blocks=memory[1].drawn_from,
            vcores_blocks=() if vcores is None else vcores[1].drawn_from,
            facts=memory[0].facts,
            vcores_facts=NOTHING_ELSE if vcores is None else vcores[0].facts,
        )

    @property
    def hours(self) -> float:
        """How long the window is that is decided on."""
        steps: int = self.memory.values.shape[1]
        return self.memory.hours * steps

    def why_not(self, *, is_raise: bool) -> str:
        """Why it is not changed this way now; "" = it may be."""
        before, after = (0.0, 1.0) if is_raise else (1.0, 0.0)
        return withheld(after, before, self.facts) or withheld(after, before, self.vcores_facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """A demand, shape (paths, steps), with the mass of each path, and the resource that it is of, or that is the shorter one.

    is_part: whether it is counted as parts of what the parent has, else in MB or vcores. hours: of a step.
    blocks: names of those that the paths were drawn from; () = nobody knows.
    """

    values: FloatArray
    mass: FloatArray
    binding: Resource
    hours: float
    blocks: tuple[str, ...] = ()
    is_part: bool = True


def amounts_of(wanted: Wanted, resource: Resource, kappa: float) -> Shares | None:
    """Of one resource, in MB or vcores; None where it is not forecast."""
    is_memory = resource is Resource.MEMORY
    demand, blocks = (wanted.memory, wanted.memory_blocks) if is_memory else (wanted.vcores, wanted.vcores_blocks)
    if demand is None:
        return None
    mass = demand.mass_for(kappa)
    return Shares(values=demand.values, mass=mass, binding=resource, hours=demand.hours, blocks=blocks, is_part=False)


def shares_of(wanted: Wanted, whole: Resources, kappa: float, *, counts_vcores: bool) -> Shares:
    """As parts of what the parent has."""
    demand, other = wanted.memory, wanted.vcores
    values, mass = demand.values / max(1, whole.memory_mb), demand.mass_for(kappa)
    memory = Shares(values=values, mass=mass, binding=Resource.MEMORY, hours=demand.hours, blocks=wanted.memory_blocks)
    if other is None or not counts_vcores or whole.vcores <= 0:
        return memory
    values, mass = other.values / whole.vcores, other.mass_for(kappa)
    vcores = Shares(values=values, mass=mass, binding=Resource.VCORES, hours=other.hours, blocks=wanted.vcores_blocks)
    return _larger(memory, vcores)


def _larger(memory: Shares, vcores: Shares) -> Shares:
    """Of both in each step; where they cannot be taken together that one which reaches higher."""
    binding = max((memory, vcores), key=lambda each: quantile_of(each.values, each.mass, HIGH))
    places = together([memory.blocks, vcores.blocks])
    if places is None or memory.values.shape[1] != vcores.values.shape[1]:
        return binding
    first, second = (list(each) for each in zip(*places, strict=True))
    return replace(
        memory,
        values=np.maximum(memory.values[first], vcores.values[second]),
        mass=_spread(memory.mass, first),
        binding=binding.binding,
        blocks=tuple(memory.blocks[place] for place in first),
    )


def together(blocks: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...] | None:
    """Of each draw the places of its paths, one for each of the queues; None where they have no block in common."""
    if not all(blocks):
        return None
    named = [Paths(count=len(names), low=0.0, high=0.0, packed="", drawn_from=tuple(names)) for names in blocks]
    return drawn_together(named).places or None


def added(children: Sequence[Wanted]) -> Wanted | None:
    """What all of at least one queue want together; None where they have no block in common, or steps of another length."""
    memory = _sum([child.memory for child in children], [child.memory_blocks for child in children])
    if memory is None:
        return None
    known = [(child.vcores, child.vcores_blocks) for child in children if child.vcores is not None]
    vcores = _sum([demand for demand, _ in known], [blocks for _, blocks in known]) if len(known) == len(children) else None
    return Wanted(
        memory=memory[0],
        memory_blocks=memory[1],
        vcores=None if vcores is None else vcores[0],
        vcores_blocks=() if vcores is None else vcores[1],
        facts=_weakest([child.facts for child in children]),
        vcores_facts=_weakest([child.vcores_facts for child in children]),
    )


def _weakest(facts: Sequence[Facts]) -> Facts:
    """Of forecasts together, of each kind what is least to be trusted. What holds one queue back says nothing of its parent."""
    return Facts(
        history_days=min((each.history_days for each in facts if each.history_days is not None), default=None),
        age_steps=max((each.age_steps for each in facts if each.age_steps is not None), default=None),
        basis=max(
            (each.basis for each in facts if each.basis is not None), key=lambda basis: basis.at_least or 0.0, default=None
        ),
        is_calibrated=all(each.is_calibrated for each in facts),
    )


def _sum(demands: Sequence[Demand], blocks: Sequence[tuple[str, ...]]) -> tuple[Demand, tuple[str, ...]] | None:
    places = together(blocks)
    if places is None or len({(demand.values.shape[1], demand.hours) for demand in demands}) > 1:
        return None
    columns = [list(each) for each in zip(*places, strict=True)]
    first = demands[0]
    total = sum((demand.values[column] for demand, column in zip(demands, columns, strict=True)), start=np.zeros((1, 1)))
    demand = Demand.of(total, hours=first.hours, mass=_spread(first.mass, columns[0]), is_recent=first.is_recent[columns[0]])
    return demand, tuple(blocks[0][place] for place in columns[0])


def _spread(mass: FloatArray, places: Sequence[int]) -> FloatArray:
    """The mass of each path over the draws that take it; those of paths that no draw takes is shared out among the others."""
    count = np.bincount(places, minlength=mass.size)
    found = (mass / np.maximum(count, 1))[list(places)]
    spread: FloatArray = found / found.sum()
    return spread

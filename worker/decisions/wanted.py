"""What a queue may want of its parent: both resources in one number where its capacity is one; of a parent all that is below it.

    share of the parent = the larger of memory ÷ the parent's memory and vcores ÷ its vcores, step by step, where the scheduler
    looks at both (Ghodsi et al., Dominant resource fairness, NSDI 2011); else that of memory

Paths of several queues, and of both resources, are taken together by the blocks they were drawn from (shared/domain/joint.py),
and days as they were by their dates: the same day is the same row of all of them, and a day that one of them lacks is none's.
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
from worker.decisions.objective import COSTLY, Demand, quantile_of
from worker.decisions.question import Question
from worker.decisions.recent import is_day
from worker.decisions.terms import NOTHING_ELSE, Facts
from worker.models.base import FloatArray

HIGH = 0.95  # the quantile by which one resource is the shorter one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Of one queue in one partition: paths in MB and vcores, and the names of the blocks that they were drawn from.

    vcores: None = nothing is forecast of them. blocks: () = nobody knows. Those of days as they were are the names of these.
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
        of_memory, of_vcores = _named(*memory), None if vcores is None else _named(*vcores)
        return cls(
            memory=of_memory[0],
            vcores=None if of_vcores is None else of_vcores[0],
            memory_blocks=of_memory[1],
            vcores_blocks=() if of_vcores is None else of_vcores[1],
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

    mass: what is decided counts with. chances: what is told as likely is counted with, nothing for days as they were.
    usual: of a costly shortfall what a lesser one is decided with, by which it never gets less; None = it is none.
    is_part: whether it is counted as parts of what the parent has, else in MB or vcores. hours: of a step.
    blocks: names of those that the paths were drawn from; () = nobody knows.
    """

    values: FloatArray
    mass: FloatArray
    chances: FloatArray
    binding: Resource
    hours: float
    blocks: tuple[str, ...] = ()
    is_part: bool = True
    usual: FloatArray | None = None

    @classmethod
    def of(cls, demand: Demand, kappa: float, resource: Resource, blocks: tuple[str, ...], *, is_part: bool = True) -> Shares:
        """Of a demand in the unit that it is counted in."""
        return cls(
            values=demand.values,
            mass=demand.mass_for(kappa),
            chances=demand.mass,
            binding=resource,
            hours=demand.hours,
            blocks=blocks,
            is_part=is_part,
            usual=demand.mass_for(0.0) if kappa >= COSTLY and demand.is_recent.any() else None,
        )


def amounts_of(wanted: Wanted, resource: Resource, kappa: float) -> Shares | None:
    """Of one resource, in MB or vcores; None where it is not forecast."""
    is_memory = resource is Resource.MEMORY
    demand, blocks = (wanted.memory, wanted.memory_blocks) if is_memory else (wanted.vcores, wanted.vcores_blocks)
    if demand is None:
        return None
    return Shares.of(demand, kappa, resource, blocks, is_part=False)


def shares_of(wanted: Wanted, whole: Resources, kappa: float, *, counts_vcores: bool) -> Shares:
    """As parts of what the parent has."""
    demand, other = _parts(wanted.memory, max(1, whole.memory_mb)), wanted.vcores
    memory = Shares.of(demand, kappa, Resource.MEMORY, wanted.memory_blocks)
    if other is None or not counts_vcores or whole.vcores <= 0:
        return memory
    other = _parts(other, whole.vcores)
    vcores = Shares.of(other, kappa, Resource.VCORES, wanted.vcores_blocks)
    binding = max((memory, vcores), key=lambda each: quantile_of(each.values, each.mass, HIGH))
    places = together([memory.blocks, vcores.blocks])
    if places is None or memory.values.shape[1] != vcores.values.shape[1]:  # then that one counts which reaches higher
        return binding
    first, second = (list(each) for each in zip(*places, strict=True))
    larger = _drawn(demand, np.maximum(demand.values[first], other.values[second]), first)
    return Shares.of(larger, kappa, binding.binding, tuple(memory.blocks[place] for place in first))


def together(blocks: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...] | None:
    """Of each draw the places of its paths, one for each of the queues; None where they have no block in common.

    Days as they were alone, which no chance is counted on, are none.
    """
    if not all(blocks):
        return None
    named = [Paths(count=len(names), low=0.0, high=0.0, packed="", drawn_from=tuple(names)) for names in blocks]
    places = drawn_together(named).places
    return None if all(is_day(blocks[0][draw[0]]) for draw in places) else places


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
    return _drawn(first, total, columns[0]), tuple(blocks[0][place] for place in columns[0])


def _drawn(demand: Demand, values: FloatArray, places: Sequence[int]) -> Demand:
    """Other values on draws of its paths."""
    mass, is_recent = _spread(demand.mass, places), demand.is_recent[list(places)]
    return Demand.of(values, hours=demand.hours, mass=mass, is_recent=is_recent)


def _parts(demand: Demand, whole: float) -> Demand:
    return replace(demand, paths=demand.paths / whole)


def _named(question: Question, paths: Paths) -> tuple[Demand, tuple[str, ...]]:
    """The demand with the names of its rows; without days as they were, where nobody knows the names of the others."""
    if not paths.drawn_from:
        return question.on_days(()).demand, ()
    return question.demand, (*paths.drawn_from, *question.days)


def _spread(mass: FloatArray, places: Sequence[int]) -> FloatArray:
    """The mass of each path over the draws that take it; those of paths that no draw takes is shared out among the others."""
    count = np.bincount(places, minlength=mass.size)
    found = (mass / np.maximum(count, 1))[list(places)]
    spread: FloatArray = found / found.sum()
    return spread

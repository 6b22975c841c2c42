"""Decisions on the queues of a cluster's tree: for each parent of which children are forecast one plan, from the top down.

forecasts of the job ─┬─▶ demand of each queue ─▶ plan of all parents ─▶ queues stay whose past speaks against it ─▶ again
forecasts of vcores ──┘                                                └─▶ a proposal each
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.domain.capacities import Mode
from shared.domain.collected import DEFAULT
from shared.domain.day_ahead import partition_of
from shared.domain.forecasts import Forecast
from shared.domain.queue_tree import DEFAULT_PARTITION
from shared.domain.units import Unit
from shared.store.trees import KeptTree
from worker.decisions.guards import must_move
from worker.decisions.plan import NOT_FORECAST, plan, with_plans
from worker.decisions.planned import ParentPlan
from worker.decisions.question import Question
from worker.decisions.terms import Terms
from worker.decisions.wanted import Wanted
from worker.job.decided_asked import Asked
from worker.job.decided_facts import RECENT, Known, known_of_tree, values_of, why_frozen
from worker.job.decided_family import Family
from worker.job.decided_files import Configured
from worker.job.decided_pasts import Subject, judgement, replayed
from worker.job.decided_sums import add_sums
from worker.job.decided_told import Told, told

TOGETHER = 50  # series whose values are held at once
SUMMED = "it has no forecast of its own: what its children want together was added up, and no past of that is replayed"
DISAGREED = "what would be best for all of them together is not what their own pasts speak for"
ROUNDS = 3  # of planning: each leaves queues alone whose past speaks against what the one before gave them
VCORES = "demand_vcores"


def decide_together(asked: Asked, kept: KeptTree, forecasts: Sequence[Forecast], configured: Configured) -> Iterator[Told]:
    """A decision for each parent of which a child is forecast; nothing where no forecast tells of what is ahead."""
    name = partition_of(forecasts[0]) or DEFAULT
    partition = DEFAULT_PARTITION if name == DEFAULT else name
    family = Family(asked=asked, tree=kept.tree, partition=partition, configured=configured)
    _gather(family, forecasts)
    add_sums(family)
    if not family.wanted:
        return
    plans = _planned(family)
    for each in plans:
        policy, because = family.policy(each.parent)
        can_be = each.refused != NOT_FORECAST and family.knows(each.parent) and _is_of_several(family, each)
        if can_be and family.is_decided_on(each.parent):
            yield told(family, each, policy, because, with_plans(family.tree, _above(each, plans)))


def _above(plan: ParentPlan, plans: Sequence[ParentPlan]) -> Iterator[ParentPlan]:
    """Those of the levels above that it counts on."""
    return (each for each in plans if plan.follows and plan.parent.startswith(f"{each.parent}."))


def _is_of_several(family: Family, plan: ParentPlan) -> bool:
    """Whether there is anything to share out: an only child has all that its parent has, but where it has an amount."""
    children = [each for each in family.tree.children(plan.parent) if each.share(family.partition) is not None]
    return len(children) > 1 or plan.mode is Mode.ABSOLUTE


def _planned(family: Family) -> list[ParentPlan]:
    """The plans in the partition, after queues were left alone whose past speaks against what they would get."""
    plans = _plans(family)
    for _ in range(ROUNDS):
        if not _leave(family, plans):
            return plans
        plans = _plans(family)
    for each in plans:  # others come into question again and again, whose pasts nobody has looked at
        if any(_against(family, change.queue, has_week=bool(each.days)) for change in each.changes):
            inside = [queue for queue in family.memory if queue.rpartition(".")[0] == each.parent]
            family.left |= {queue: DISAGREED for queue in inside if queue not in family.left}
    return _plans(family)


def _plans(family: Family) -> list[ParentPlan]:
    found = plan(family.tree, family.wanted, family.as_planned, configured=family.configured.texts)
    return [each for each in found.plans if each.partition == family.partition]


def _leave(family: Family, plans: Sequence[ParentPlan]) -> bool:
    """Whether any queue is to be left alone besides those that are already."""
    before = len(family.left)
    for each in plans:
        frozen = why_frozen(family.policy(each.parent)[0], family.asked.now, family.asked.zone)
        for change in each.changes:
            if why := frozen or _against(family, change.queue, has_week=bool(each.days)):
                family.left[change.queue] = why
    return len(family.left) > before


def _against(family: Family, queue: str, *, has_week: bool) -> str:
    """Why its past speaks against a change; "" = it does not, or too little is known, which is noted.

    Args:
        has_week: whether the plan counts with days as they were, so that a replay does, too.
    """
    question, forecast = family.memory.get(queue), family.forecasts.get(queue)
    if forecast is None:
        family.thin[queue] = SUMMED
    if question is None or forecast is None or must_move(question.present, question.terms):
        return ""
    store = family.asked.resources.store
    known = store.replays.get(forecast.series_id, forecast.job)
    subject = Subject(forecast=forecast, terms=question.terms, present=question.present, known=known, has_week=has_week)
    against, doubt = judgement(replayed(family.asked, subject, is_change=True))
    if doubt:
        family.thin[queue] = doubt
    return against


def _gather(family: Family, forecasts: Sequence[Forecast]) -> None:
    """What is asked of each queue that the tree has, by memory and, where there is a forecast, by processors."""
    asked, store = family.asked, family.asked.resources.store
    beside = _of_vcores(family, forecasts[0])
    known = known_of_tree(store, asked.cluster, family.partition, asked.now)
    inside = [each for each in forecasts if each.queue in family.tree.by_path and each.unit is Unit.MEGABYTES]
    for first in range(0, len(inside), TOGETHER):
        some = inside[first : first + TOGETHER]
        both = [*some, *(beside[each.queue] for each in some if each.queue in beside)]
        read = [each for each in store.forecasts.all_with_paths(both) if asked.can_tell(each)]
        if read:
            of_memory = {each.queue: each for each in read if each.metric != VCORES}
            of_vcores = {each.queue: each for each in read if each.metric == VCORES}
            for queue, forecast in of_memory.items():
                _add(family, forecast, of_vcores.get(queue), known)


def _add(family: Family, forecast: Forecast, of_vcores: Forecast | None, known: Known) -> None:
    queue, share = forecast.queue, family.tree.by_path[forecast.queue].share(family.partition)
    if share is None or share.guaranteed is None or forecast.paths is None:
        return
    has, most = share.guaranteed, share.ceiling
    memory = _question(family, forecast, known, float(has.memory_mb), None if most is None else float(most.memory_mb))
    vcores = None
    if of_vcores is not None and of_vcores.paths is not None:
        question = _question(family, of_vcores, known, float(has.vcores), None if most is None else float(most.vcores))
        vcores = (question, of_vcores.paths)
        family.vcores[queue] = question
    family.memory[queue] = memory
    family.forecasts[queue] = replace(forecast, paths=None)
    family.wanted[queue, family.partition] = Wanted.of((memory, forecast.paths), vcores)


def _question(family: Family, forecast: Forecast, known: Known, present: float, maximum: float | None) -> Question:
    policy, _ = family.policy(forecast.queue.rpartition(".")[0])
    whole = family.whole(forecast.queue, forecast.unit)
    children = len(family.tree.children(forecast.queue.rpartition(".")[0]))
    terms = Terms.of(policy, forecast.queue, whole, children=children, maximum=maximum)
    store = family.asked.resources.store
    facts, points = known.facts(store, forecast, policy), values_of(store, forecast, RECENT)
    return family.asked.question(forecast, present, terms, facts, points)


def _of_vcores(family: Family, like: Forecast) -> Mapping[str, Forecast]:
    """Queue → its newest forecast of processors beside that of memory, with the same steps."""
    forecasts = family.asked.resources.store.forecasts
    found = forecasts.newest_of_each(metric=VCORES, cluster=like.cluster, projects=[like.project])
    alike = [each for each in found if (each.where, each.step_seconds) == (like.where, like.step_seconds)]
    return {each.queue: each for each in sorted(alike, key=lambda each: each.issued_at)}

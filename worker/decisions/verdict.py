"""Whether a rule is offered for a queue: its replay beside doing nothing, all baselines and what nobody could have known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import numpy as np

from shared.domain.replays import ORACLE, FrontierPoint, ReplayVerdict, RuleFigures, told, why_not_offered
from worker.decisions.replay import Past, Replayed, oracle, replay
from worker.decisions.rules import Nothing, Recommended, Rule, baselines
from worker.decisions.terms import Terms
from worker.decisions.timetable import judged
from worker.models.base import FloatArray

LEVELS = (0.5, 0.7, 0.8, 0.875, 0.909, 0.933, 0.952, 0.97, 0.98, 0.99)  # of the frontier


def verdict(past: Past, terms: Terms, *, rule: Rule | None = None) -> ReplayVerdict:
    """Whether the recommended rule is offered for a queue, beside all baselines; of at least one cutoff.

    Args:
        rule: another one than what is recommended.
    """
    start, chosen = past.start(terms.kappa), rule or Recommended(terms=terms)
    others = {each.name: replay(past, each, start, terms.price_hours) for each in baselines(terms.kappa)}
    others[ORACLE] = oracle(past, terms.kappa, start)
    nothing = others[Nothing().name].total(terms.kappa)
    beside = tuple(_figures(past, name, found, terms.kappa, nothing) for name, found in others.items())
    own = _figures(past, chosen.name, replay(past, chosen, start, terms.price_hours), terms.kappa, nothing)
    days = round(len(past.cutoffs) * past.window_steps / past.steps_per_day)
    return ReplayVerdict(
        queue=past.queue,
        unit=past.cutoffs[0].facts.unit,
        kappa=terms.kappa,
        days=days,
        hours=_hours(past),
        present=start,
        is_offered=not why_not_offered(own, beside[0], days),
        sentence=told(own, beside[0], days),
        chosen=own,
        beside=beside,
        frontier=() if rule else tuple(frontier(past, terms)),
        timetable=None if rule else judged(past, terms),
    )


def frontier(past: Past, terms: Terms, levels: Sequence[float] = LEVELS) -> list[FrontierPoint]:
    """What the recommended rule would have left idle and been short of at other levels than its own."""
    points = []
    for level in levels:
        own = replace(terms, kappa=level / (1 - level))
        found = replay(past, Recommended(terms=own), past.start(own.kappa))
        points.append(point_of(past, level, found))
    return points


def point_of(past: Past, level: float, found: Replayed) -> FrontierPoint:
    """Of one replay, ÷ mean demand and ÷ hours."""
    hours, mean = _hours(past), _mean(past)
    return FrontierPoint(level=level, slack=found.slack / (hours * mean), breach_share=found.breach_hours / hours)


def _figures(past: Past, name: str, found: Replayed, kappa: float, nothing: float) -> RuleFigures:
    cost, scale = found.total(kappa), _hours(past) * _mean(past)
    return RuleFigures(
        rule=name,
        cost=cost,
        ratio=_ratio(cost, nothing),
        paid_ratio=_ratio(cost + found.price, nothing),
        breach_hours=found.breach_hours,
        shortfall=found.shortfall / scale,
        slack=found.slack / scale,
        changes=found.changes,
        wrong_cuts=found.wrong_cuts,
        days_until_undone=_days_until_undone(past, found),
    )


def _ratio(cost: float, nothing: float) -> float | None:
    """Of doing nothing; None where that costs nothing, and a rule something."""
    if nothing > 0:
        return cost / nothing
    return None if cost > 0 else 1.0


def _days_until_undone(past: Past, found: Replayed) -> float | None:
    """Of cuts after which it had as much again."""
    each = (found.before, *found.capacities)
    waits = []
    for place, (old, new) in enumerate(pairwise(each), start=1):
        if new < old:
            waits += [after for after, later in enumerate(each[place:]) if later >= old][:1]
    return fmean(waits) * past.window_steps / past.steps_per_day if waits else None


def _known(past: Past) -> FloatArray:
    windows = np.concatenate([past.window(cutoff) for cutoff in past.cutoffs])
    known: FloatArray = windows[np.isfinite(windows)]
    return known


def _hours(past: Past) -> float:
    return max(past.hours, past.hours * _known(past).size)


def _mean(past: Past) -> float:
    known = _known(past)
    return float(known.mean()) or 1.0 if known.size else 1.0

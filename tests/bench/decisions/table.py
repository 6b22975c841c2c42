"""What rules came to over all series: geometric means of their costs by that of doing nothing, and what lies idle for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from shared.domain.replays import DO_NOTHING, ORACLE, RECOMMENDED, ReplayVerdict, RuleFigures
from tests.bench.spread import geometric_mean
from worker.decisions.objective import level_of
from worker.decisions.replay import Past, replay
from worker.decisions.rules import Fading, Nothing, PeakAndMore, Recommended, Rule, Trailing, baselines
from worker.decisions.terms import Terms
from worker.decisions.timetable import judged
from worker.decisions.verdict import LEVELS, point_of, verdict

KAPPAS = (5.0, 10.0, 20.0)
BREACHED = 0.05  # of the hours
MARGINS = (-0.5, -0.35, -0.2, -0.1, 0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
CRITICAL = "recommended, critical"
UNPRICED = "recommended, no price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule over all series at one κ."""

    ratio: float
    paid_ratio: float
    changes_a_day: float
    wrong_cuts: float  # per 100 queue-days
    days_until_undone: float | None
    breach_share: float


def lines(pasts: Sequence[Past], kappa: float) -> dict[str, Line]:
    """Of every rule, as `verdict` knows it, and of the recommendation in other forms."""
    terms = Terms(kappa=kappa)
    own = [verdict(past, terms) for past in pasts]
    names = (*(rule.name for rule in baselines(kappa)), RECOMMENDED, ORACLE)
    found = {name: _line([each.of(name) for each in own], own) for name in names}
    forms = {UNPRICED: replace(terms, price_hours=0.0), CRITICAL: replace(terms, is_critical=True)}
    for name, other in forms.items():
        each = [verdict(past, terms, rule=Recommended(terms=other, name=name)) for past in pasts]
        found[name] = _line([one.chosen for one in each], each)
    return found


def offered(pasts: Sequence[Past], kappa: float) -> tuple[int, float]:
    """For how many series the rule is offered, and what doing so, and nothing elsewhere, came to."""
    found = [verdict(past, Terms(kappa=kappa)) for past in pasts]
    ratios = [each.chosen.ratio if each.is_offered else 1.0 for each in found]
    return sum(each.is_offered for each in found), geometric_mean(ratios) or 1.0


def timetables(pasts: Sequence[Past], kappa: float) -> str:
    """What timetables came to by one constant a day, switches and changes paid."""
    found = [each for past in pasts if (each := judged(past, Terms(kappa=kappa))) is not None]
    ratio, switches = geometric_mean([each.ratio for each in found]), fmean(each.switches_a_day for each in found)
    those = [each.ratio for each in found if each.is_offered]
    told = f"timetables ÷ one constant a day, paid: {ratio or 0:.3f}, {switches:.1f} switches a day"
    return f"{told}; offered for {len(those)} of {len(found)} series, there {geometric_mean(those) or 1:.3f}"


def slack_at(pasts: Sequence[Past], name: str) -> float | None:
    """What lies idle, ÷ mean demand, where the rule is above its capacity in so many of the hours; None = it never is."""
    points = sorted(_mean_points(pasts, name))
    shares, slacks = [share for share, _ in points], [slack for _, slack in points]
    if not shares[0] <= BREACHED <= shares[-1]:
        return None
    return float(np.interp(BREACHED, shares, slacks))


def _mean_points(pasts: Sequence[Past], name: str) -> Iterator[tuple[float, float]]:
    """At each level or margin the means over all series."""
    for level, make in _swept(name):
        found = [point_of(past, level, replay(past, make, past.start(level / (1 - level)))) for past in pasts]
        yield fmean(point.breach_share for point in found), fmean(point.slack for point in found)


def _swept(name: str) -> Iterator[tuple[float, Rule]]:
    """The rule at other levels, or with other margins where its level is a part of its name."""
    by_level: dict[str, Callable[[float], Rule]] = {
        DO_NOTHING: lambda _: Nothing(),
        "trailing 7-day quantile": lambda level: Trailing(level=level),
        RECOMMENDED: lambda level: Recommended(terms=Terms(kappa=level / (1 - level))),
    }
    if name in by_level:
        yield from ((level, by_level[name](level)) for level in LEVELS)
        return
    rule = next(rule for rule in baselines(KAPPAS[1]) if rule.name == name)
    for margin in MARGINS:
        if isinstance(rule, PeakAndMore | Fading):
            yield level_of(KAPPAS[1]), replace(rule, more=margin)


def _line(each: Sequence[RuleFigures], verdicts: Sequence[ReplayVerdict]) -> Line:
    days, hours = sum(one.days for one in verdicts), sum(one.hours for one in verdicts)
    undone = [one.days_until_undone for one in each if one.days_until_undone is not None]
    return Line(
        ratio=geometric_mean([one.ratio for one in each]) or 0.0,
        paid_ratio=geometric_mean([one.paid_ratio for one in each]) or 0.0,
        changes_a_day=sum(one.changes for one in each) / days,
        wrong_cuts=100 * sum(one.wrong_cuts for one in each) / days,
        days_until_undone=fmean(undone) if undone else None,
        breach_share=sum(one.breach_hours for one in each) / hours,
    )

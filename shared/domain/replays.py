"""What a rule for capacities would have done on a queue's own past, against doing nothing: before it is advised, it is shown.

offered   at least 3 % cheaper than doing nothing, with no more hours above the capacity, on at least 7 days
else      "leave it", and why
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.timetables import TimetableVerdict
from shared.domain.units import Unit
from shared.domain.wording import counted

MIN_GAIN = 0.03  # of the cost of doing nothing
MIN_DAYS = 7
DO_NOTHING, RECOMMENDED, ORACLE = "do nothing", "recommended", "oracle of the day"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """What came of one rule in the replay of one queue.

    cost: slack + κ × shortfall, in units of the demand times hours. ratio: that ÷ the cost of doing nothing.
        None = that costs nothing. paid_ratio: the same with the price of its changes on top.
    breach_hours: in which demand was above the capacity. shortfall, slack: ÷ mean demand ÷ hours, so that queues compare.
    wrong_cuts: days that began with a lower capacity, on which demand passed that and not the one before.
    days_until_undone: mean, of cuts that were; None = none was.
    """

    rule: str
    cost: float
    ratio: float | None
    paid_ratio: float | None
    breach_hours: float
    shortfall: float
    slack: float
    changes: int
    wrong_cuts: int
    days_until_undone: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """What a rule would have left idle and been short of, had it aimed at this level: ÷ mean demand, and share of the hours."""

    level: float
    slack: float
    breach_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayVerdict:
    """Whether a rule is offered for a queue.

    hours: that were replayed, of so many days. present: what doing nothing had, in the unit of the demand.
    chosen: figures of the rule. beside: of doing nothing, of all baselines and of the oracle.
    frontier: of the rule, by the level that it aims at. timetable: instead of one capacity a day; None = it was not looked at.
    """

    queue: str
    unit: Unit | None = None
    kappa: float
    days: int
    hours: float
    present: float
    is_offered: bool
    sentence: str
    chosen: RuleFigures
    beside: tuple[RuleFigures, ...]
    frontier: tuple[FrontierPoint, ...] = ()
    timetable: TimetableVerdict | None = None

    @property
    def changes_a_day(self) -> float:
        """Of the rule."""
        return self.chosen.changes / self.days if self.days else 0.0

    def of(self, rule: str) -> RuleFigures:
        """The figures of a rule by its name; raises KeyError."""
        return {each.rule: each for each in (*self.beside, self.chosen)}[rule]


def why_not_offered(chosen: RuleFigures, nothing: RuleFigures, days: int) -> str:
    """Why a rule is not offered; "" = it is."""
    if days < MIN_DAYS:
        return f"its past could be replayed on {counted(days, 'day')} only, and {MIN_DAYS} are needed"
    of_its_past = f"on {counted(days, 'day')} of its past"
    if chosen.ratio is None:
        return f"doing nothing would have cost nothing {of_its_past}"
    if not chosen.changes:
        return f"nothing would have been changed {of_its_past}"
    if chosen.ratio > 1 - MIN_GAIN:
        return f"changes as advised would have cost {percent_of(chosen.ratio)} of doing nothing {of_its_past}"
    if chosen.breach_hours > nothing.breach_hours:
        return f"changes as advised would have brought {_hours(chosen, nothing)} {of_its_past}"
    return ""


def told(chosen: RuleFigures, nothing: RuleFigures, days: int) -> str:
    """The verdict as a sentence."""
    reason = why_not_offered(chosen, nothing, days)
    if reason or chosen.ratio is None:
        return f"Leave it: {reason}."
    saved = f"would have cost {percent_of(chosen.ratio)} of doing nothing on {counted(days, 'day')} of its past"
    changes = f"{counted(chosen.changes, 'change')}, {counted(chosen.wrong_cuts, 'wrong cut')}"
    return f"Changes as advised {saved}: {_hours(chosen, nothing)}, {changes}."


def percent_of(ratio: float) -> str:
    """A ratio as people read it."""
    return f"{100 * ratio:.1f} %"


def _hours(chosen: RuleFigures, nothing: RuleFigures) -> str:
    return f"{chosen.breach_hours:.0f} h above its capacity instead of {nothing.breach_hours:.0f} h"

"""What is proposed, in one sentence, and before when: the raise that gains most comes first, else the cut that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.capacities import Mode
from shared.domain.identifiers import shown
from shared.domain.proposals import ProposedChange
from shared.domain.recommendations import Recommendation, amount, work_amount
from shared.domain.wording import counted, digits
from worker.decisions.question import Question

FEW = 3  # queues that are named
OFTEN = 2  # times as long beyond what it has as costs least: of that one is told
MIN_HOURS = 0.5  # longer beyond it, of which one is told
NOTHING = "Leave it as it is"


def needed_first(question: Question, present: float) -> datetime | None:
    """When a queue first wants more than it has: the first step that is half as likely short as the worst one; None = never."""
    above = question.demand.mass @ (question.demand.values > present)
    if not above.any():
        return None
    return question.starts[int((above >= above.max() / 2).argmax())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When it is now, when it is looked at again (None = when somebody asks), and the zone in which times are told."""

    now: datetime
    look_at: datetime | None
    zone: ZoneInfo

    def told(self, moment: datetime) -> str:
        """A moment as people here read it."""
        return f"{moment.astimezone(self.zone):%a %d %b %H:%M %Z}".strip()


def sentence_of(changes: Sequence[ProposedChange], kept: Sequence[Recommendation], clock: Clock) -> str:
    """What is to be done; of no changes why not, and when it is looked at again."""
    if not changes:
        again = "" if clock.look_at is None else f" It is looked at again {clock.told(clock.look_at)}."
        return f"{NOTHING}: {_why_kept(kept)}.{_staying(kept)}{again}"
    first = max(changes, key=lambda change: (change.is_raise and _gained(change) > 0, _gained(change)))
    others = len(changes) - 1 - sum(change.queue in first.donors for change in changes)
    more = f" {counted(others, 'further change')} beside it." if others else ""
    return f"{_raise(first, clock) if first.is_raise else _lower(first)}.{_harmed(changes)}{more}"


def told(value: float, change: ProposedChange) -> str:
    """A capacity of a change, as it is configured."""
    match change.mode:
        case Mode.PERCENTAGE:
            return f"{digits(value)} %"
        case Mode.WEIGHT:
            return f"weight {digits(value)}"
        case _:
            return amount(value, change.memory.unit)


def hours_told(hours: float) -> str:
    """`4 h`, and below one `20 min`."""
    return f"{hours:.0f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _raise(change: ProposedChange, clock: Clock) -> str:
    found = change.binding_recommendation
    if _gained(change) <= 0:  # its policy demands it, or another resource
        why = found.notes[-1] if found.notes else found.because
        return f"Raise {_name(change)} from {told(change.present, change)} to {told(change.proposed, change)}: {why}"
    is_late = change.before_at is not None and change.before_at <= clock.now
    when = " now" if is_late else f" before {clock.told(change.before_at)}" if change.before_at else ""
    donors = f"; {_named(list(map(_last, change.donors)))} can give it" if change.donors else ""
    return f"Raise {_name(change)} to {told(change.proposed, change)}{when}, or expect {_without(change)}{donors}"


def _without(change: ProposedChange) -> str:
    """What comes of leaving it: in hours where the change makes them fewer, else in work. It may borrow that, or wait."""
    found = change.binding_recommendation
    before, after = found.before, found.after
    beyond = "beyond what it has" if change.mode is None else "beyond its guarantee"
    likely = f", {before.likelihood.in_words}" if before.likelihood else ""
    short, still_short = (work_amount(each.shortfall, found.unit) for each in (before, after))
    hours, still = hours_told(before.hours), hours_told(after.hours)
    if after.hours < before.hours and still != hours:
        left = f" instead of {still}" if after.hours > before.hours / 2 else ""  # it does not help much
        return f"{hours} {beyond}{left} ({short}{likely})"
    left = f" instead of {still_short}" if still_short != short else ""
    return f"{short} {beyond}{left} ({hours}{likely})"


def _lower(change: ProposedChange) -> str:
    found = change.binding_recommendation
    idle, left = (work_amount(each.slack, found.unit) for each in (found.before, found.after))
    what = f"Lower {_name(change)} from {told(change.present, change)} to {told(change.proposed, change)}"
    return f"{what}: {idle} lie idle with what it has, {left} with that"


def _name(change: ProposedChange) -> str:
    """The last part of its path, where its siblings are what it is among; all of it where there is no tree."""
    return shown(change.queue if change.mode is None else change.queue.rpartition(".")[2])


def _why_kept(kept: Sequence[Recommendation]) -> str:
    """One reason where all have the same, else how many have none better."""
    reasons = {each.kept_because for each in kept}
    if len(reasons) == 1 and len(kept) > 1:
        return f"of all {counted(len(kept), 'queue')}, {next(iter(reasons))}"
    if len(kept) == 1:
        return f"{shown(kept[0].queue)}: {kept[0].kept_because}"
    return f"no change of {counted(len(kept), 'queue')} is worth its price, or may be made now"


def _gained(change: ProposedChange) -> float:
    """What a raise takes off the weighted shortfall, and a cut off the cost."""
    found = change.binding_recommendation
    if change.is_raise:
        return found.kappa * (found.before.shortfall - found.after.shortfall)
    return found.before.cost - found.after.cost


def _harmed(changes: Sequence[ProposedChange]) -> str:
    """Which queue is beyond its guarantee for longer with the plan; of several the one that is short of most."""
    found = [change.binding_recommendation for change in changes]
    worse = [each for each in found if each.after.hours >= each.before.hours + MIN_HOURS]
    if not worse:
        return ""
    most = max(worse, key=lambda each: each.kappa * (each.after.shortfall - each.before.shortfall))
    before, after = hours_told(most.before.hours), hours_told(most.after.hours)
    return (
        ""
        if before == after
        else f" With that {shown(_last(most.queue))} wants more than it has for {after} instead of {before}."
    )


def _staying(kept: Sequence[Recommendation]) -> str:
    """Which queues want more than they have for much longer than costs least, and why they are left all the same."""
    short = [each for each in kept if each.before.hours > OFTEN * _window(each) / (1 + each.kappa)]
    if not short:
        return ""
    short.sort(key=lambda each: -each.before.shortfall)
    alike = sum(each.before.shortfall for each in short if each.unit is short[0].unit)
    how_much = f"{hours_told(max(each.before.hours for each in short))}, {work_amount(alike, short[0].unit)}"
    want = "wants more than it has" if len(short) == 1 else "want more than they have"
    reasons = {each.kept_because for each in short}
    why = f": {next(iter(reasons))}" if len(reasons) == 1 and len({each.kept_because for each in kept}) > 1 else ""
    return f" {_named([each.queue for each in short])} {want} ({how_much}){why}."


def _window(found: Recommendation) -> float:
    return (found.end_at - found.start_at) / timedelta(hours=1)


def _last(queue: str) -> str:
    return queue.rpartition(".")[2]


def _named(names: Sequence[str]) -> str:
    told = list(map(shown, names[:FEW]))
    if len(names) > FEW:
        return f"{', '.join(told)} and {counted(len(names) - FEW, 'other')}"
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]

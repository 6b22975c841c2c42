"""What is proposed, in one sentence, and before when: the change that saves most comes first, the others are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.domain.capacities import Mode
from shared.domain.identifiers import shown
from shared.domain.proposals import ProposedChange
from shared.domain.recommendations import Recommendation, amount, work_amount
from shared.domain.wording import counted, digits
from worker.decisions.question import Question

FEW = 3  # donors that are named
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
        return f"{NOTHING}: {_why_kept(kept)}.{again}"
    first = max(changes, key=lambda change: (change.is_raise, _saved(change)))
    others = len(changes) - 1 - sum(change.queue in first.donors for change in changes)
    more = f" {counted(others, 'further change')} beside it." if others else ""
    return f"{_raise(first, clock) if first.is_raise else _lower(first)}.{more}"


def told(value: float, change: ProposedChange) -> str:
    """A capacity of a change, as it is configured."""
    match change.mode:
        case Mode.PERCENTAGE:
            return f"{digits(value)} %"
        case Mode.WEIGHT:
            return f"weight {digits(value)}"
        case _:
            return amount(value, change.memory.unit)


def _raise(change: ProposedChange, clock: Clock) -> str:
    found = change.binding_recommendation
    before, after = found.before, found.after
    is_late = change.before_at is not None and change.before_at <= clock.now
    when = " now" if is_late else f" before {clock.told(change.before_at)}" if change.before_at else ""
    likely = f", {before.likelihood.in_words}" if before.likelihood else ""
    short = work_amount(before.shortfall, found.unit)
    donors = f"; {_named(change.donors)} can give it" if change.donors else ""
    left = f" instead of {_hours(after.hours)}" if after.hours > before.hours / 2 else ""  # it does not help much
    what = f"Raise {_name(change)} to {told(change.proposed, change)}{when}"
    return f"{what}, or expect {_hours(before.hours)} of waiting{left} ({short}{likely}){donors}"


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


def _saved(change: ProposedChange) -> float:
    found = change.binding_recommendation
    return found.before.cost - found.after.cost - found.price


def _named(queues: Sequence[str]) -> str:
    names = [shown(queue.rpartition(".")[2]) for queue in queues[:FEW]]
    if len(queues) > FEW:
        return f"{', '.join(names)} and {counted(len(queues) - FEW, 'other')}"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _hours(hours: float) -> str:
    return f"{hours:.0f} h" if hours >= 1 else f"{60 * hours:.0f} min"

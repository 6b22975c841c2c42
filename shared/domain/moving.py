"""What if a queue had another parent: what it leaves to its siblings, and what those that it comes to must give.

    guaranteed   root.etl 400 ─┬─ daily 300           root.etl 400 ─── hourly 400      of percentages and weights
                               └─ hourly 100    ──▶
                 root.bi  200 ─── reports 200         root.bi  200 ─┬─ reports 140     daily asks for 30% of it
                                                                    └─ daily    60

Percentages and weights of siblings are parts of one whole: whoever comes takes of all in proportion, whoever leaves gives so.
Amounts are not: nobody gets what is left, and siblings give, in proportion, only what there is no room for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.queue_tree import ROOT
from shared.domain.units import Unit
from shared.domain.whatif import ROUNDING, told
from shared.errors import InvalidRequest

PARENT = "parent"  # the request's field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a queue is guaranteed and the most that it can get, in the unit of a forecast; None = not known."""

    guaranteed: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A parent with the queues right below it, but the one that comes or leaves.

    is_divided: whether the children's guarantees are parts of one whole (percentages, weights), else they are amounts; None =
        nobody knows, and they are taken as amounts.
    """

    parent: str
    limits: Limits
    children: Mapping[str, Limits]
    is_divided: bool | None = None

    def when_it_leaves(self, amount: float | None) -> dict[str, Limits]:
        """What the children have when the one with this guarantee has left."""
        total = _total(self.children)
        if amount is None or not total or not self.is_divided:
            return dict(self.children)
        return _times(self.children, (total + amount) / total)

    def when_it_comes(self, amount: float | None) -> dict[str, Limits]:
        """What the children have when one with this guarantee comes."""
        total, whole = _total(self.children), self.limits.guaranteed
        if amount is None or not total or (whole is None and not self.is_divided):
            return dict(self.children)
        taken = amount if self.is_divided else max(0.0, total + amount - (whole or 0.0))
        return _times(self.children, max(0.0, total - taken) / total)


def refuse_place(queue: str, parent: str) -> None:
    """Raises InvalidRequest where a queue cannot come below this parent."""
    present, _, name = queue.rpartition(".")
    if queue == ROOT or not present:
        raise InvalidRequest(f"{queue} is below no queue, and stays where it is", field=PARENT)
    if parent == present:
        raise InvalidRequest(f"it is the parent already; accepted are others than {present}", field=PARENT)
    if parent == queue or parent.startswith(f"{queue}."):
        raise InvalidRequest(f"{parent} is the queue itself, or below it: no queue comes below itself", field=PARENT)
    if not name:
        raise InvalidRequest(f"{queue} has no name of its own", field=PARENT)


def may_move(queue: str, parent: str) -> bool:
    """Whether a queue can come below this parent."""
    try:
        refuse_place(queue, parent)
    except InvalidRequest:
        return False
    return True


def fitting(limits: Limits, above: Limits, parent: str, unit: Unit | None, *, is_asked: bool) -> Limits:
    """What a queue has below another parent: never beyond that parent's ceiling; raises InvalidRequest beyond its guarantee.

    Args:
        is_asked: whether the guarantee was asked for, else it is that of now.
    """
    guaranteed, whole = limits.guaranteed, above.guaranteed
    if guaranteed is not None and whole is not None and guaranteed > whole * (1 + ROUNDING):
        has = f"{parent} is guaranteed {told(whole, unit)}, less than {told(guaranteed, unit)}"
        advice = "accepted is what it has" if is_asked else "give a capacity, such as 30% of that"
        raise InvalidRequest(f"{has}; {advice}", field="capacity")
    if above.maximum is not None and limits.maximum is not None and limits.maximum > above.maximum:
        return replace(limits, maximum=above.maximum)
    return limits


def _total(children: Mapping[str, Limits]) -> float | None:
    """What they are guaranteed in all; None where that of one is not known."""
    each = [limits.guaranteed for limits in children.values()]
    known = [amount for amount in each if amount is not None]
    return sum(known) if len(known) == len(each) else None


def _times(children: Mapping[str, Limits], factor: float) -> dict[str, Limits]:
    """With guarantees so many times as large, never above what each can get."""
    return {name: _grown(limits, factor) for name, limits in children.items()}


def _grown(limits: Limits, factor: float) -> Limits:
    if limits.guaranteed is None:
        return limits
    grown = limits.guaranteed * factor
    return replace(limits, guaranteed=grown if limits.maximum is None else min(grown, limits.maximum))

"""What if a queue had another parent: the parents that it leaves and comes to, and its siblings there, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from pydantic import Field

from api.edge.context import Services
from api.schema.answers import Answer
from api.v1.children import Children, Missing, child_names, children_of, why_not_added
from api.v1.expected import Expected
from api.v1.known_limits import GONE, KnownLimits
from shared.domain.distribution import Rows
from shared.domain.excess import Excess
from shared.domain.forecasts import Forecast
from shared.domain.moving import PARENT, Branch, Limits, fitting, refuse_place
from shared.domain.outlook import borrowed
from shared.domain.whatif import Changed, told
from shared.errors import InvalidRequest


class SiblingShare(Answer):
    """What a sibling is guaranteed, and what is above that in all that is asked about; null = that is not known."""

    guaranteed: float | None
    borrowing: Excess | None


class SiblingMoved(Answer):
    """A sibling of the queue, with what it has now and with what it has then."""

    queue: str
    now: SiblingShare
    then: SiblingShare


class ParentMoved(Answer):
    """A parent: the sum of its children's paths, drawn together, with the queue that moves and without it."""

    queue: str
    queues: tuple[str, ...] = Field(description="those whose paths are known; the one that moves is one of them")
    missing: tuple[Missing, ...] = Field(description="those that are in no sum, and why")
    reason: str | None = Field(description="why nothing is told; null = it is")
    now: Expected | None
    then: Expected | None
    siblings: tuple[SiblingMoved, ...] = Field(description="of the queue, there")


class Move(Answer):
    """What a move does to those around the queue."""

    old_parent: ParentMoved
    new_parent: ParentMoved


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The queue's forecast as it is now, and with what it has then; how many times as much it wants then, and until when."""

    forecast: Forecast
    changed: Forecast
    scale: float
    now: datetime
    most_steps: int | None

    def expected(self, forecast: Forecast, rows: Rows, limits: Limits) -> Expected:
        """With other limits than those of the forecast."""
        own = replace(forecast, guaranteed=limits.guaranteed, maximum=limits.maximum)
        return Expected.of(Changed(forecast=own, rows=rows, notes=()), self.now, self.most_steps)

    def share(self, forecast: Forecast, rows: Rows, guaranteed: float | None) -> SiblingShare:
        """Of a sibling that is guaranteed so much."""
        found = None if guaranteed is None else borrowed(forecast, rows, guaranteed, self.now, self.most_steps)
        return SiblingShare(guaranteed=guaranteed, borrowing=found)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two parents.

    forecast: its own, or one that stands for it, where the run has made none. others: its children without the queue.
    """

    parent: str
    queue: str
    forecast: Forecast
    others: Sequence[str]
    found: Children
    limits: KnownLimits
    is_known: bool

    @classmethod
    def of(cls, services: Services, forecast: Forecast, parent: str, limits: KnownLimits) -> Side:
        """Of a parent that the queue of the forecast leaves, or comes to."""
        queue = forecast.queue
        run = child_names(services, forecast, parent)
        others = [name for name in limits.below(parent, run) if name != queue]
        own = next(iter(services.store.forecasts.beside(forecast, [parent])), None)
        return cls(
            parent=parent,
            queue=queue,
            forecast=own or replace(forecast, queue=parent, guaranteed=None, maximum=None),
            others=others,
            found=children_of(services, forecast, [*others, queue]),
            limits=limits,
            is_known=own is not None or bool(run) or limits.knows(parent),
        )

    @cached_property
    def rest(self) -> Rows:
        """The sum of its children's paths without the queue's; of one whose children can be drawn together."""
        return self.found.joint.total(without=self.queue) if self.found.joint else []

    @property
    def has(self) -> Limits:
        """What the parent has now."""
        return self.limits.now(self.parent, self.forecast)

    @cached_property
    def before(self) -> Branch:
        """The parent with all its children but the queue, as far as they are known."""
        own = {each.queue: each for each in self.found.joint.forecasts} if self.found.joint else {}
        children = {name: self.limits.now(name, own.get(name)) for name in self.others}
        return Branch(parent=self.parent, limits=self.has, children=children, is_divided=self.limits.is_divided(self.parent))

    @cached_property
    def after(self) -> Branch:
        """The same without the nodes that are lost."""
        if not self.limits.lost:
            return self.before
        children = {name: self.limits.left(name, each) for name, each in self.before.children.items()}
        return replace(self.before, limits=self.limits.left(self.parent, self.has), children=children)

    def told(self, asked: Asked, *, comes: bool) -> ParentMoved:
        """comes: whether the queue comes to this parent, else it leaves it."""
        joint = self.found.joint
        if joint is None:
            return ParentMoved.showing(self.found, queue=self.parent, now=None, then=None, siblings=())
        before, after = self.before, self.after
        whole = joint.total(scaled={self.queue: asked.scale if comes else 1.0})
        sums = (self.rest, whole) if comes else (whole, self.rest)
        counted = joint.counted(self.forecast)
        now, then = (asked.expected(counted, rows, each.limits) for rows, each in zip(sums, (before, after), strict=True))
        left = self.limits.left(self.queue, self.limits.now(self.queue, asked.forecast)).guaranteed
        children = after.when_it_comes(asked.changed.guaranteed) if comes else after.when_it_leaves(left)
        siblings = tuple(self._siblings(asked, before, children))
        return ParentMoved.showing(self.found, queue=self.parent, now=now, then=then, siblings=siblings)

    def _siblings(self, asked: Asked, before: Branch, after: Mapping[str, Limits]) -> Iterator[SiblingMoved]:
        if (joint := self.found.joint) is None:
            return
        counted = joint.counted(self.forecast)  # of one run all forecasts are alike but for paths and limits
        for forecast, rows in zip(joint.forecasts, joint.rows, strict=True):
            if (name := forecast.queue) != self.queue:
                has, gets = before.children[name].guaranteed, after[name].guaranteed
                now = asked.share(counted, rows, has)
                yield SiblingMoved(queue=name, now=now, then=now if has == gets else asked.share(counted, rows, gets))


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A queue that comes below another parent."""

    old: Side
    new: Side

    @classmethod
    def of(cls, services: Services, forecast: Forecast, parent: str, limits: KnownLimits) -> Moving:
        """Raises InvalidRequest where the queue cannot come below this parent."""
        refuse_place(forecast.queue, parent)
        if (reason := why_not_added(forecast)) is not None:
            raise InvalidRequest(reason, field=PARENT)
        present, _, name = forecast.queue.rpartition(".")
        old, new = (Side.of(services, forecast, each, limits) for each in (present, parent))
        if not new.is_known:
            raise InvalidRequest(f"{parent} is not known; accepted are queues that the same run has forecast", field=PARENT)
        if limits.is_gone(parent):
            raise InvalidRequest(f"{parent} {GONE}; accepted are queues that are", field=PARENT)
        if f"{parent}.{name}" in new.others:
            raise InvalidRequest(f"{parent} has a queue of the name {name} already", field=PARENT)
        return cls(old=old, new=new)

    def fitting(self, then: Changed, *, is_asked: bool) -> Changed:
        """The queue as it is then, inside what the new parent has; raises InvalidRequest where that has too little.

        Args:
            is_asked: whether the guarantee was asked for, else it is that of now.
        """
        forecast, above = then.forecast, self.new.after.limits
        own = Limits(guaranteed=forecast.guaranteed, maximum=forecast.maximum)
        limits = fitting(own, above, self.new.parent, forecast.unit, is_asked=is_asked)
        notes = (*then.notes, *self._notes())
        if limits != own:
            notes += (f"it gets no more than {self.new.parent} does: {told(limits.maximum or 0.0, forecast.unit)}",)
        moved = replace(forecast, guaranteed=limits.guaranteed, maximum=limits.maximum)
        return replace(then, forecast=moved, notes=notes)

    def _notes(self) -> Iterator[str]:
        for side in (self.old, self.new):
            if side.others and side.limits.is_divided(side.parent) is None:
                yield f"how the capacities below {side.parent} are configured is not known: they are taken as amounts"

    def told(self, asked: Asked) -> Move:
        """What becomes of both parents, and of the queue's siblings there."""
        return Move(old_parent=self.old.told(asked, comes=False), new_parent=self.new.told(asked, comes=True))

"""A plan: what each child of one parent is to have, what it costs, who gives, and why others keep what they have."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources
from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import QueueTree
from shared.domain.recommendations import Resource
from worker.decisions.borrowing import Borrowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshare:
    """What one queue is to have instead, as it is configured.

    resources_before, resources_after: what that comes to with the nodes that there are.
    maximum_before, maximum_after: the same where none is changed; a maximum goes up with a guarantee that would pass it.
    binding: the resource that is the shorter one.
    risk_before, risk_after: share of the time in which more is wanted of that, 0 to 1.
    donors: paths of queues that give what it gets, those that give most first; of a cut there are none.
    """

    queue: str
    before: Capacity
    after: Capacity
    resources_before: Resources
    resources_after: Resources
    maximum_before: Capacity | None
    maximum_after: Capacity | None
    binding: Resource
    risk_before: float
    risk_after: float
    donors: tuple[str, ...] = ()

    @property
    def is_raise(self) -> bool:
        """Whether it gets more of the resource that is the shorter one."""
        name = "memory_mb" if self.binding is Resource.MEMORY else "vcores"
        more: bool = getattr(self.resources_after, name) > getattr(self.resources_before, name)
        return more


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A queue that keeps what it has, and why."""

    queue: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Of one resource, over the window, in units of it times hours, MB·h or vcores·h: slack + κ w × shortfall, added up.

    keep: of what there is. plan: of the plan, without its changes. changing: what these count.
    now, then: what is asked for beyond guarantees, before and after; None = the forecasts have no block in common.
    """

    keep: float
    plan: float
    changing: float
    now: Borrowing | None = None
    then: Borrowing | None = None


NO_WORTH = Worth(keep=0.0, plan=0.0, changing=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentPlan:
    """For the children of one queue in one partition.

    whole: what they share, with the plans of the levels above in force. refused: why there is no plan; "" = there is one.
    memory: also of a capacity in one number, whose parts of the parent are counted in its memory. vcores: None = not decided on.
    level: what one more unit for all of them would save over the window, in hours of that unit; None = there is room left.
    days: names of the days as they were that it counts with.
    follows: path of the parent whose plan this one begins with; "" = it stands by itself.
    because: the plan explained, and what is not known of it, in sentences.
    """

    parent: str
    partition: str
    mode: Mode = Mode.PERCENTAGE
    whole: Resources = NOTHING
    refused: str = ""
    changes: tuple[Reshare, ...] = ()
    kept: tuple[Kept, ...] = ()
    patch: tuple[PropertyChange, ...] = ()
    memory: Worth = NO_WORTH
    vcores: Worth | None = None
    level: float | None = None
    days: tuple[str, ...] = ()
    follows: str = ""
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePlan:
    """The tree as it would be with all plans in force, and the plans, each after that of its parent's parent."""

    tree: QueueTree
    plans: tuple[ParentPlan, ...]

    @property
    def patch(self) -> tuple[PropertyChange, ...]:
        """All changes of all plans."""
        return tuple(change for plan in self.plans for change in plan.patch)

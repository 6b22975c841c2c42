"""How much more a queue could have, and whether it is held back: a chart of what it uses ends there, and what it wants does not.

root ── etl ── daily      what daily could have beyond what it uses: the least of what etl and the root leave free
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.capacities import Resources
from shared.domain.queue_tree import Calculator, QueueTree, Share

NEARLY = 0.98  # of what a queue could get is all of it: containers have a size


@dataclass(frozen=True, slots=True)
class Room:
    """Of one queue in one partition.

    free: what those above it could still give it; of the root, what the partition has left. None = not told.
    left: what it could give to those below it. counts_vcores: whether the scheduler looks at processors at all.
    """

    free: Resources | None
    left: Resources | None
    counts_vcores: bool

    @property
    def inner(self) -> Room:
        """The same for what is right below it."""
        return Room(self.left, self.left, self.counts_vcores)


Rooms = Mapping[tuple[str, str], Room]  # by path and partition


def rooms_of(tree: QueueTree) -> Rooms:
    """Of every queue in each of its partitions; a queue without a share of one is passed over."""
    rooms: dict[tuple[str, str], Room] = {}
    is_dominant = tree.calculator is Calculator.DOMINANT
    for queue in tree.queues:
        for share in queue.shares:
            above = rooms.get((queue.parent, share.partition))
            own = None if share.ceiling is None or share.used is None else share.ceiling - share.used
            left = _least(own, above.left if above else None)
            rooms[queue.path, share.partition] = Room(above.left if above else left, left, is_dominant)
    return rooms


def is_saturated(share: Share, room: Room) -> bool | None:
    """Whether something waits, or nearly all that the queue could get is used; None = what it uses is not told.

    Processors count where the scheduler is known to look at them: by default it does not, and lets queues pass any limit of them.
    """
    if share.used is None:
        return None
    if share.pending is not None and (share.pending.memory_mb or share.pending.vcores):
        return True
    limits = [limit for limit in (share.ceiling, None if room.free is None else share.used + room.free) if limit is not None]
    if _is_full(share.used.memory_mb, [limit.memory_mb for limit in limits]):
        return True
    return room.counts_vcores and _is_full(share.used.vcores, [limit.vcores for limit in limits])


def _is_full(used: int, limits: list[int]) -> bool:
    return bool(limits) and used > 0 and used >= NEARLY * min(limits)


def _least(one: Resources | None, other: Resources | None) -> Resources | None:
    if one is None or other is None:
        return one or other
    return Resources(memory_mb=min(one.memory_mb, other.memory_mb), vcores=min(one.vcores, other.vcores))

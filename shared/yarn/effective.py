"""What configured capacities come to with the nodes that there are: guarantee and ceiling of every queue, as resources.

Of each parent's guarantee children with resources get theirs first (in proportion, where it has become too small for them), then
those with percentages their part of the rest, then those with weights what is left; each resource by itself, as YARN does it. A
ceiling is a part of the parent's ceiling, and nothing more where it is not configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import floor

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources
from shared.domain.queue_tree import Queue, QueueTree, Share
from shared.yarn.capacity_text import MEMORY, VCORES

ALL = 100.0
NAMES = {MEMORY: "memory_mb", VCORES: "vcores"}
_NOISE = 1e-6  # what is this close to a whole number is one

Said = tuple[Mode, float]  # of one resource


def resolved(tree: QueueTree, totals: Mapping[str, Resources]) -> QueueTree:
    """The tree as it would be with these resources in each partition; partitions that are not named stay as they are."""
    queues = Resolved(tree, totals)
    return replace(tree, queues=tuple(queues.of(queue) for queue in tree.queues))


class Resolved:
    """The same queue by queue: what nobody asks for is not computed, but for the queues above."""

    def __init__(self, tree: QueueTree, totals: Mapping[str, Resources]) -> None:
        self._tree = tree
        self._totals = totals
        self._queues: dict[str, Queue] = {}
        self._rooms: dict[str, dict[str, _Room]] = {}

    def at(self, path: str) -> Queue | None:
        """The queue of this path; None = the tree has none."""
        queue = self._tree.by_path.get(path)
        return None if queue is None else self.of(queue)

    def of(self, queue: Queue) -> Queue:
        """A queue of the tree with what it comes to."""
        if queue.path not in self._queues:
            self._queues[queue.path] = _with_all(queue, self._totals) if queue.is_root else self._below(queue)
        return self._queues[queue.path]

    def _below(self, queue: Queue) -> Queue:
        if queue.parent not in self._rooms:
            self._rooms[queue.parent] = self._rooms_of(self.of(self._tree.by_path[queue.parent]))
        rooms = self._rooms[queue.parent]
        shares = (rooms[share.partition].filled(share) if share.partition in rooms else share for share in queue.shares)
        return replace(queue, shares=tuple(shares))

    def _rooms_of(self, parent: Queue) -> dict[str, _Room]:
        children = self._tree.children(parent.path)
        return {
            share.partition: _Room(share, total, _capacities(children, share.partition), is_legacy=self._tree.is_legacy is True)
            for share in parent.shares
            if (total := self._totals.get(share.partition)) is not None
        }


def _with_all(root: Queue, totals: Mapping[str, Resources]) -> Queue:
    return replace(root, shares=tuple(_all_of(share, totals.get(share.partition)) for share in root.shares))


def _all_of(share: Share, total: Resources | None) -> Share:
    if total is None:
        return share
    return replace(share, guaranteed=total, ceiling=total, absolute_capacity=ALL, absolute_maximum=ALL)


def _capacities(children: Sequence[Queue], partition: str) -> list[Capacity]:
    return [share.capacity for child in children if (share := child.share(partition)) is not None]


class _Room:
    """What a parent has of a partition, and how its children share it."""

    def __init__(self, above: Share, total: Resources, siblings: Sequence[Capacity], *, is_legacy: bool) -> None:
        self._total = total
        self._ceiling = above.ceiling or NOTHING
        self._weights = sum(each.weight or 0.0 for each in siblings)
        has = above.guaranteed or NOTHING
        self._parts = {kind: _Part(getattr(has, name), siblings, kind, is_legacy) for kind, name in NAMES.items()}

    def filled(self, share: Share) -> Share:
        """A child's share with what it comes to."""
        weight = share.capacity.weight
        guaranteed = Resources(**{name: self._parts[kind].guarantee(share.capacity) for kind, name in NAMES.items()})
        ceiling = Resources(**{name: _ceiling(share.maximum, self._ceiling, kind) for kind, name in NAMES.items()})
        return replace(
            share,
            guaranteed=guaranteed,
            ceiling=ceiling,
            normalized_weight=None if weight is None else weight / (self._weights or 1.0),
            absolute_capacity=_percent_of(guaranteed, self._total),
            absolute_maximum=_percent_of(ceiling, self._total),
        )


class _Part:
    """One resource of a parent, and what its children ask of it in each way."""

    def __init__(self, has: int, siblings: Sequence[Capacity], resource: str, is_legacy: bool) -> None:
        said = [_said(each, resource) for each in siblings]
        self._resource = resource
        self._asked = sum(amount for mode, amount in said if mode is Mode.ABSOLUTE)
        self._weights = sum(amount for mode, amount in said if mode is Mode.WEIGHT)
        self._scale = min(1.0, has / self._asked) if self._asked else 0.0
        self._rest = has if is_legacy else max(0.0, has - self._asked)  # in legacy mode percentages are always of all
        taken = sum(_whole(self._rest * amount / ALL) for mode, amount in said if mode is Mode.PERCENTAGE)
        self._left = max(0.0, self._rest - taken)

    def guarantee(self, capacity: Capacity) -> int:
        """What a child gets of it."""
        mode, amount = _said(capacity, self._resource)
        if mode is Mode.ABSOLUTE:
            return _whole(amount * self._scale)
        if mode is Mode.PERCENTAGE:
            return _whole(self._rest * amount / ALL)
        return _whole(self._left * amount / self._weights) if self._weights else 0


def _ceiling(maximum: Capacity | None, above: Resources, resource: str) -> int:
    highest: int = getattr(above, NAMES[resource])
    if maximum is None:
        return highest
    mode, amount = _said(maximum, resource)
    if mode is Mode.ABSOLUTE:
        return min(highest, _whole(amount)) if amount else highest
    return _whole(highest * min(ALL, amount) / ALL)


def _said(capacity: Capacity, resource: str) -> Said:
    """What a capacity says of one resource."""
    if capacity.mode is Mode.MIXED:
        parts = ((part.mode, part.amount) for part in capacity.parts if part.resource == resource)
        return next(parts, (Mode.ABSOLUTE, 0.0))
    if capacity.mode is Mode.ABSOLUTE:
        return Mode.ABSOLUTE, float(getattr(capacity.resources, NAMES[resource], 0))
    return capacity.mode, (capacity.weight if capacity.mode is Mode.WEIGHT else capacity.percent) or 0.0


def _percent_of(resources: Resources, total: Resources) -> float:
    """By memory, which every calculator looks at."""
    return ALL * resources.memory_mb / total.memory_mb if total.memory_mb else 0.0


def _whole(amount: float) -> int:
    return floor(amount + _NOISE)

"""The tree as its page draws it: each queue with its bar and those below it, the ones that are asked for, open or closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from pydantic import Field, field_validator

from api.dashboard.bars import Bar, bar_of
from api.v1.tree import TreeQuery
from api.v1.tree_answers import Amounts, QueueInTree
from shared.domain.dynamic_queues import PART_OF_WHICH
from shared.domain.likelihood import Likelihood

ALL_PROJECTS = "*"
MAX_OPEN = 80  # queues: of more all below the first level are closed
OFTEN = 0.5  # a chance that is worth a look


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One queue, and what is shown below it."""

    queue: QueueInTree
    name: str
    bar: Bar | None
    children: tuple[Node, ...]
    is_open: bool

    @property
    def size(self) -> int:
        """How many queues are below it; dynamic ones together are none."""
        return sum(child.count for child in self.children)

    @property
    def count(self) -> int:
        """The same with itself."""
        return int(not self.queue.queue.endswith(PART_OF_WHICH)) + self.size

    @property
    def is_short_of_vcores(self) -> bool:
        """Whether it wants more of them than it is guaranteed, which its bar, that is of memory, does not show."""
        demand, guaranteed = self.queue.demand, self.queue.guaranteed
        return None not in (demand, guaranteed) and ((demand and demand.vcores) or 0) > ((guaranteed and guaranteed.vcores) or 0)


class TreePageQuery(TreeQuery):
    """What the address of the page asks for; everything has a default."""

    q: str = Field("", max_length=250, description="part of a queue's name")
    show: Literal["", "borrowing", "pending", "may_borrow", "may_wait"] = ""
    open: Literal["", "all"] = ""

    @field_validator("project")
    @classmethod
    def _of_all(cls, project: str | None) -> str | None:
        """A form has a value for all projects, too; an empty one means forecasts of no project."""
        return None if project == ALL_PROJECTS else project

    @property
    def is_filtered(self) -> bool:
        """Whether only some queues are asked for."""
        return bool(self.q.strip() or self.show)


def is_borrowing(queue: QueueInTree) -> bool:
    """Whether it uses more than it is guaranteed, now."""
    return _memory(queue.used) > _memory(queue.guaranteed, inf)


def is_pending(queue: QueueInTree) -> bool:
    """Whether work waits, now."""
    return _memory(queue.pending) > 0 or bool(queue.apps_pending)


def may(queue: QueueInTree, level: Literal["borrowing", "waiting"]) -> bool:
    """Whether that is at least as likely as not within a day."""
    chance = getattr(queue.outlook, level) if queue.outlook else None
    return chance is not None and (
        chance.likelihood is Likelihood.LIKELY if chance.probability is None else chance.probability >= OFTEN
    )


SHOWN: Mapping[str, Callable[[QueueInTree], bool]] = {
    "borrowing": is_borrowing,
    "pending": is_pending,
    "may_borrow": lambda queue: may(queue, "borrowing"),
    "may_wait": lambda queue: may(queue, "waiting"),
}


def counts_of(queues: Iterable[QueueInTree]) -> dict[str, int]:
    """Of each kind that may be shown alone, how many leaves are of it."""
    leaves = [queue for queue in queues if queue.is_leaf and not queue.queue.endswith(PART_OF_WHICH)]
    return {name: sum(map(is_so, leaves)) for name, is_so in SHOWN.items()}


def nodes_of(queues: Sequence[QueueInTree], query: TreePageQuery) -> tuple[Node, ...]:
    """The root, with those below it that are asked for, and their parents."""
    below: dict[str, list[QueueInTree]] = {}
    for queue in queues:
        below.setdefault(queue.parent, []).append(queue)
    is_all_open = query.open == "all" or query.is_filtered or len(queues) <= MAX_OPEN

    def node(queue: QueueInTree) -> Node | None:
        children = tuple(filter(None, map(node, below.get(queue.queue, ()))))
        if not children and not _is_asked_for(queue, query):
            return None
        name = queue.queue.removeprefix(queue.parent).lstrip("./")
        return Node(queue=queue, name=name, bar=_bar(queue), children=children, is_open=is_all_open or not queue.parent)

    return tuple(filter(None, map(node, below.get("", ()))))


def _is_asked_for(queue: QueueInTree, query: TreePageQuery) -> bool:
    is_named = query.q.strip().lower() in queue.queue.lower()
    return is_named and (not query.show or (queue.is_leaf and SHOWN[query.show](queue)))


def _bar(queue: QueueInTree) -> Bar | None:
    guaranteed = queue.guaranteed.memory_mb if queue.guaranteed else None
    ceiling = queue.ceiling.memory_mb if queue.ceiling else None
    return bar_of(_memory(queue.used), _memory(queue.demand), guaranteed, ceiling)


def _memory(amounts: Amounts | None, unknown: float = 0.0) -> float:
    return unknown if amounts is None or amounts.memory_mb is None else amounts.memory_mb

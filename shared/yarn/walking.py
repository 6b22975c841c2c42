"""The way through an answer's queues, from the root down: every queue with its path, each after its parent.

Older releases say a queue's short name, later ones its path as well; the fair scheduler calls the path its name. What does not
lie where it says, comes twice, or goes deeper and wider than any cluster does, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.domain.identifiers import shown, why_no_queue
from shared.domain.queue_tree import ROOT
from shared.errors import YarnUnreadable
from shared.yarn.fields import Fields

MAX_DEPTH = 50
MAX_QUEUES = 20_000


@dataclass(frozen=True, slots=True)
class Visit:
    """A queue of an answer."""

    path: str
    fields: Fields
    is_parent: bool  # whether there are queues below it


def walked(root: Fields, children: Callable[[Fields], list[Fields]]) -> Iterator[Visit]:
    """Every queue of an answer."""
    seen: set[str] = set()

    def below(fields: Fields, parent: str, depth: int) -> Iterator[Visit]:
        path = path_below(parent, fields.text("queuePath", "queueName") or (ROOT if not parent else ""))
        if path in seen:
            raise YarnUnreadable(f"the queue {shown(path)} is in it twice")
        if depth > MAX_DEPTH or len(seen) >= MAX_QUEUES:
            raise YarnUnreadable(f"at {shown(path)} it has more than {MAX_DEPTH} levels or {MAX_QUEUES:,} queues")
        seen.add(path)
        queue = Fields(fields.values, shown(path))
        inner = children(queue)
        yield Visit(path, queue, bool(inner))
        for child in inner:
            yield from below(child, path, depth + 1)

    yield from below(root, "", 1)


def path_below(parent: str, told: str) -> str:
    """The path of a queue that calls itself so, by its short name or its path; "" as parent means that it is the root."""
    path = told if not parent or told.startswith(f"{parent}.") else f"{parent}.{told}"
    name = path.removeprefix(f"{parent}.") if parent else path
    if (why := why_no_queue(path) or why_no_queue(name)) is not None:
        raise YarnUnreadable(f"a queue{f' below {shown(parent)}' if parent else ''} is called {shown(told)}: {why}")
    if "." in name or (not parent and path != ROOT):
        place = f"lies below {shown(parent)}" if parent else f"is the topmost, which is always called {ROOT}"
        raise YarnUnreadable(f"the queue that calls itself {shown(told)} {place}")
    return path

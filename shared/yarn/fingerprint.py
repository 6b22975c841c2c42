"""How a part of a tree is configured, as one text of fixed length: it differs as soon as what a plan was made from does."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from shared.domain.queue_tree import Queue, QueueTree
from shared.yarn.capacity_text import text_of


def fingerprint(tree: QueueTree, parent: str, partition: str) -> str:
    """SHA-256 of how a parent, all above it and its children are configured in a partition, 64 hexadecimal digits.

    Queues that are made when they are asked for come and go without it. A parent that is gone has one too, as it has no children.
    """
    lines = sorted(_line(queue, partition) for queue in _of(tree, parent) if not queue.is_dynamic)
    return sha256("\n".join(lines).encode()).hexdigest()


def _of(tree: QueueTree, parent: str) -> Iterator[Queue]:
    yield from tree.children(parent)
    at = tree.by_path.get(parent)
    while at is not None:
        yield at
        at = tree.by_path.get(at.parent)


def _line(queue: Queue, partition: str) -> str:
    share = queue.share(partition)
    capacity = "" if share is None else text_of(share.capacity)
    maximum = "" if share is None or share.maximum is None else text_of(share.maximum)
    return "\t".join([queue.path, capacity, maximum, queue.state or ""])

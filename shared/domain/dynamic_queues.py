"""Dynamic queues of a parent together: each of them comes and goes, their sum stays.

root.users ── ada, bob (dynamic)      root.users/* is both of them, and is there where neither is
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.domain.capacities import NOTHING, added
from shared.domain.queue_tree import Creation, Queue, QueueTree, Share

PART_OF_WHICH = "/*"  # behind the path of a parent: all of its dynamic queues together
UNUSED = Share(guaranteed=NOTHING, used=NOTHING, reserved=NOTHING, pending=NOTHING)


def dynamic_sums(tree: QueueTree) -> Iterator[tuple[Queue, Queue]]:
    """Each parent that has dynamic queues or may get some, and their sum; one that is dynamic itself is in the sum of its own."""
    for parent in tree.queues:
        children = [child for child in tree.children(parent.path) if child.is_dynamic]
        if not parent.is_dynamic and (children or parent.creation is not Creation.OFF):
            yield parent, _together(parent, children)


def _together(parent: Queue, children: Sequence[Queue]) -> Queue:
    return Queue(
        path=parent.path + PART_OF_WHICH,
        shares=tuple(_share_of(share, [child.share(share.partition) or UNUSED for child in children]) for share in parent.shares),
        state=parent.state,
        is_dynamic=True,
        apps_active=_total([child.apps_active for child in children]),
        apps_pending=_total([child.apps_pending for child in children]),
        containers_pending=_total([child.containers_pending for child in children]),
    )


def _share_of(share: Share, shares: Sequence[Share]) -> Share:
    """Nothing is used where there is none of them; what they may reach together is what their parent may."""
    return Share(
        partition=share.partition,
        guaranteed=added(each.guaranteed for each in shares) if shares else None,
        ceiling=share.ceiling,
        used=added(each.used for each in shares),
        reserved=added(each.reserved or NOTHING for each in shares),
        pending=added(each.pending for each in shares),
    )


def _total(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)

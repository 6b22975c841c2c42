"""How a queue is configured since when, and how it was before: what a collector has seen of a cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.queue_tree import Queue, QueueTree, Share

SEEN = "seen"
GONE = "GONE"  # the state of a queue that is not there any more


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """How a queue is configured since this moment.

    partition: "default" is the one without a label.
    capacity, maximum: as a configuration writes them: 45, 2w, [memory=10240,vcores=12]; "" = none. state: "" = not told.
    by: "seen" = somebody has changed it; else the id of the proposal that wanted it so.
    before: all of this until then, "" = it was seen for the first time.
    """

    cluster: str
    queue: str
    partition: str
    changed_at: datetime
    mode: str
    capacity: str
    maximum: str
    weight: float | None
    state: str
    by: str
    before: str

    @property
    def said(self) -> str:
        """In a few words what it is since then, as it stands in the next one's `before`."""
        maximum = f", maximum {self.maximum}" if self.maximum else ""
        return f"{self.capacity}{maximum}{f', {self.state}' if self.state else ''}"

    @property
    def words(self) -> str:
        """What has changed: `capacity 40 → 60; maximum 100 → 80`, and by which proposal where it was one."""
        return self._what if self.by == SEEN else f"{self._what}, by proposal {self.by}"

    @property
    def _what(self) -> str:
        if not self.before:
            return f"new: {self.said}"
        if self.state == GONE:
            return f"gone; it was {self.before}"
        before, now = _named(self.before), _named(self.said)
        changed = [name for name in now | before if before.get(name) != now.get(name)]
        return "; ".join(f"{name} {before.get(name, 'none')} → {now.get(name, 'none')}" for name in changed) or self.said


def _named(said: str) -> dict[str, str]:
    """What `said` has put together, by name."""
    capacity, *rest = said.split(", ")
    named = {"capacity": capacity}
    for part in rest:
        is_maximum = part.startswith("maximum ")
        named["maximum" if is_maximum else "state"] = part.removeprefix("maximum ") if is_maximum else part
    return named


def as_configured(tree: QueueTree) -> QueueTree:
    """The tree without what is used and wanted, and without queues that come and go."""
    lasting = (queue for queue in tree.queues if not queue.is_dynamic)
    return replace(tree, queues=tuple(map(_queue_as_configured, lasting)), totals=None)


def _queue_as_configured(queue: Queue) -> Queue:
    return replace(
        queue,
        shares=tuple(map(_share_as_configured, queue.shares)),
        apps_active=None,
        apps_pending=None,
        containers_allocated=None,
        containers_reserved=None,
        containers_pending=None,
        users_active=None,
        largest_user=None,
    )


def _share_as_configured(share: Share) -> Share:
    return replace(share, used=None, reserved=None, pending=None, used_capacity=None, absolute_used_capacity=None, am_used=None)

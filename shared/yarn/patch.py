"""From one tree to another: what has to be changed in the scheduler's configuration, as a request says it, and how it is undone.

Capacities and maximums of queues that are configured are all that is ever changed, each in the mode that it has. Nothing is
added, removed, moved or stopped, and no property of all queues is touched.

    queue-name root.etl    key capacity                                  value 45
                           key accessible-node-labels.gpu.capacity       value 30        an empty value removes the property
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from xml.sax.saxutils import escape

from shared.domain.capacities import Mode
from shared.domain.identifiers import listed, shown
from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import Queue, QueueTree, Scheduler, Share
from shared.errors import UnwritableChange
from shared.yarn.capacity_text import text_of
from shared.yarn.configuration import CAPACITY, MAXIMUM, name_in
from shared.yarn.constraints import modes_of

CONFIGURED = ("state", "user_limit", "user_limit_factor", "max_parallel_apps", "max_apps", "preemption_disabled", "creation")


def changes_between(
    before: QueueTree, after: QueueTree, configured: Mapping[str, str] | None = None
) -> tuple[PropertyChange, ...]:
    """What makes one of the other, in the order of the queues.

    Args:
        configured: the configuration as it is, where it is known; so that undoing brings back its very texts, and removes what
            was not there.

    Raises:
        UnwritableChange: the trees differ in something else, or in a capacity that no configuration has.
    """
    paths = [queue.path for queue in before.queues], [queue.path for queue in after.queues]
    if paths[0] != paths[1]:
        other = set(paths[0]) ^ set(paths[1])
        found = listed(sorted(other)) if other else "their order differs"
        raise UnwritableChange(f"queues are never added, removed or moved: {found}")
    both = zip(before.queues, after.queues, strict=True)
    changes = [change for one, other in both for change in _changes_of(before, one, other)]
    if changes and before.scheduler is Scheduler.FAIR:
        raise UnwritableChange("the fair scheduler has no capacities: its own file of allocations is edited by hand")
    if configured is None:
        return tuple(changes)
    return tuple(replace(change, before=configured.get(change.property_name, "")) for change in changes)


def inverse(changes: Iterable[PropertyChange]) -> tuple[PropertyChange, ...]:
    """What undoes them."""
    return tuple(replace(change, before=change.after, after=change.before) for change in changes)


def applied(properties: Mapping[str, str], changes: Iterable[PropertyChange]) -> dict[str, str]:
    """A configuration with the changes in it."""
    result = dict(properties)
    for change in changes:
        result[change.property_name] = change.after
    return {name: value for name, value in result.items() if value}


def as_xml(changes: Iterable[PropertyChange]) -> str:
    """The body of `PUT /ws/v1/cluster/scheduler-conf` in XML, which every release understands."""
    lines = ["<sched-conf>"]
    for queue, entries in _by_queue(changes).items():
        lines += ["  <update-queue>", f"    <queue-name>{escape(queue)}</queue-name>", "    <params>"]
        for each in entries:
            lines.append(f"      <entry><key>{escape(each.key)}</key><value>{escape(each.after)}</value></entry>")
        lines += ["    </params>", "  </update-queue>"]
    return "\n".join([*lines, "</sched-conf>", ""])


def as_json(changes: Iterable[PropertyChange]) -> str:
    """The same in JSON, for releases that take it: lists, as the scheduler's own page of 3.5 writes them."""
    queues = [
        {"queue-name": queue, "params": {"entry": [{"key": each.key, "value": each.after} for each in entries]}}
        for queue, entries in _by_queue(changes).items()
    ]
    return json.dumps({"update-queue": queues}, indent=2) + "\n"


def _by_queue(changes: Iterable[PropertyChange]) -> dict[str, list[PropertyChange]]:
    queues: dict[str, list[PropertyChange]] = {}
    for change in changes:
        queues.setdefault(change.queue, []).append(change)
    return queues


def _changes_of(tree: QueueTree, before: Queue, after: Queue) -> Iterator[PropertyChange]:
    if differing := [name for name in CONFIGURED if getattr(before, name) != getattr(after, name)]:
        raise UnwritableChange(f"nothing but capacities is ever changed, not {listed(differing)}", queue=shown(before.path))
    partitions = [share.partition for share in before.shares], [share.partition for share in after.shares]
    if partitions[0] != partitions[1]:
        raise UnwritableChange("no queue gets or loses a partition", queue=shown(before.path))
    for one, other in zip(before.shares, after.shares, strict=True):
        if (one.capacity, one.maximum) != (other.capacity, other.maximum):
            _check(tree, before, one, other)
            yield from _of_share(before.path, one, other)


def _check(tree: QueueTree, queue: Queue, before: Share, after: Share) -> None:
    """Raises UnwritableChange where a capacity is none of the queue's own, or would be written in another way than until now."""
    why = None
    if queue.is_root:
        why = "the root is all of the cluster, always"
    elif queue.is_dynamic:
        why = "it was made from its parent's template, which has its capacity"
    elif before.mode is not after.mode:
        why = f"its mode stays {before.mode}"
    elif before.mode is Mode.MIXED:
        why = "its capacity is mixed, and nothing is proposed for those"
    elif len(modes_of(tree.children(queue.parent), before.partition)) > 1:
        why = "it and its siblings have capacities of several modes, and nothing is proposed for those"
    if why is not None:
        raise UnwritableChange(why, queue=shown(queue.path))


def _of_share(path: str, before: Share, after: Share) -> Iterator[PropertyChange]:
    for name in (CAPACITY, MAXIMUM):
        one, other = (getattr(share, _FIELDS[name]) for share in (before, after))
        if one != other:
            yield PropertyChange(
                queue=path,
                key=name_in(before.partition, name),
                before="" if one is None else text_of(one),
                after="" if other is None else text_of(other),
            )


_FIELDS = {CAPACITY: "capacity", MAXIMUM: "maximum"}

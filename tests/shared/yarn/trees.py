"""Trees of queues for tests: one by hand, and any that a scheduler would accept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources, added
from shared.domain.queue_tree import Queue, QueueTree, Share, State
from shared.yarn.configuration import PREFIX

CLUSTER = Resources(memory_mb=1_048_576, vcores=512)
PARTITIONS = ("", "gpu", "ssd-2")
MAX_DEPTH = 4
MAX_QUEUES = 12
NAMES = ("a", "etl", "x-1", "Q_2")


def mb(memory: int, vcores: int = 0) -> Resources:
    """Resources, said in short."""
    return Resources(memory_mb=memory, vcores=vcores)


def properties(**capacities: str) -> dict[str, str]:
    """A configuration of one level: `etl="60"`; more is put in by its whole name without the prefix, with | ."""
    return prefixed({"root.queues": ",".join(capacities)} | {f"root.{name}.capacity": text for name, text in capacities.items()})


def prefixed(names: Mapping[str, str]) -> dict[str, str]:
    """Properties of the scheduler, given without what all their names begin with."""
    return {f"{PREFIX}{name}": value for name, value in names.items()}


def as_bytes(document: Any) -> bytes:
    """A document as it comes over the wire."""
    return json.dumps(document).encode()


def as_file(values: dict[str, str]) -> bytes:
    """A capacity-scheduler.xml that says this."""
    pairs = (f"    <name>{name}</name>\n    <value>{value}</value>\n" for name, value in values.items())
    entries = "".join(f"\n  <property>\n{pair}  </property>" for pair in pairs)
    return f"<configuration>{entries}\n</configuration>".encode()


def hundredths(parts: int) -> st.SearchStrategy[list[int]]:
    """Percentages of two digits that add up to 100 exactly, in hundredths: some of them may be 0."""
    cuts = st.lists(st.integers(0, 10_000), min_size=parts - 1, max_size=parts - 1).map(sorted)
    return cuts.map(lambda ends: [b - a for a, b in zip([0, *ends], [*ends, 10_000], strict=True)])


@st.composite
def trees(draw: st.DrawFn) -> QueueTree:
    """A tree that the scheduler accepts: up to four levels, all modes, further partitions, queues that have nothing."""
    root = Queue(path="root", is_leaf=False, shares=tuple(_of_root(name) for name in draw(_partitions())))
    queues = [root]
    waiting = [(root, 1)]
    while waiting:
        parent, depth = waiting.pop()
        most = min(len(NAMES), MAX_QUEUES - len(queues)) if depth < MAX_DEPTH else 0
        number = draw(st.integers(min(most, 1 if depth == 1 else 0), most))
        children = draw(_children(parent, number)) if number else []
        queues += children
        waiting += [(child, depth + 1) for child in children]
    parents = {queue.parent for queue in queues}
    return QueueTree(queues=_in_order([draw(_finished(queue, is_leaf=queue.path not in parents)) for queue in queues]))


def _of_root(partition: str) -> Share:
    return Share(partition=partition, capacity=Capacity.of_percent(100.0), maximum=Capacity.of_percent(100.0))


def _partitions() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(PARTITIONS[1:]), unique=True, max_size=2).map(lambda names: ("", *sorted(names)))


@st.composite
def _children(draw: st.DrawFn, parent: Queue, number: int) -> list[Queue]:
    names = draw(st.permutations(NAMES))[:number]
    modes = [Mode.ABSOLUTE] if parent.shares[0].mode is Mode.ABSOLUTE else [Mode.PERCENTAGE, Mode.WEIGHT]
    mode = draw(st.sampled_from([*modes, Mode.ABSOLUTE] if parent.is_root else modes))
    columns = [draw(_siblings(share, number, mode, is_root=parent.is_root)) for share in parent.shares]
    return [
        Queue(path=f"{parent.path}.{name}", shares=tuple(column[index] for column in columns)) for index, name in enumerate(names)
    ]


@st.composite
def _siblings(draw: st.DrawFn, above: Share, number: int, mode: Mode, *, is_root: bool) -> list[Share]:
    """Shares of one partition that go together."""
    if mode is Mode.ABSOLUTE:
        has = CLUSTER if is_root or above.capacity.resources is None else above.capacity.resources
        each = mb(has.memory_mb // number, has.vcores // number)
        highest = draw(st.sampled_from([None, above.maximum if above.mode is Mode.ABSOLUTE else None]))
        return [Share(partition=above.partition, capacity=Capacity.of_resources(each), maximum=highest) for _ in range(number)]
    if mode is Mode.WEIGHT:
        capacities = [Capacity.of_weight(draw(st.integers(1, 400)) / 4) for _ in range(number)]
    elif above.capacity.percent == 0.0:
        capacities = [Capacity.of_percent(0.0)] * number
    else:
        capacities = [Capacity.of_percent(part / 100) for part in draw(hundredths(number))]
    lowest = 100.0 if mode is Mode.WEIGHT else 0.0
    return [
        Share(
            partition=above.partition,
            capacity=capacity,
            maximum=Capacity.of_percent(draw(st.floats(max(lowest, capacity.percent or 0.0), 100.0).map(_up))),
        )
        for capacity in capacities
    ]


def _up(percent: float) -> float:
    """To two digits, and never below."""
    return min(100.0, round(percent + 0.005, 2))


@st.composite
def _finished(draw: st.DrawFn, queue: Queue, *, is_leaf: bool) -> Queue:
    """With what is measured, which only leaves have of themselves here."""
    if not is_leaf:
        return replace(queue, is_leaf=False, state=None if queue.is_root else State.RUNNING)
    return replace(
        queue,
        shares=tuple(draw(_used(share)) for share in queue.shares),
        state=draw(st.sampled_from(State)),
        apps_active=draw(st.integers(0, 9)),
        apps_pending=draw(st.integers(0, 9)),
        containers_allocated=draw(st.integers(0, 999)),
        containers_reserved=draw(st.integers(0, 9)),
        containers_pending=draw(st.integers(0, 999)),
        users_active=0,
        user_limit=100.0,
        user_limit_factor=draw(st.sampled_from([None, 1.0, 2.5])),
        max_parallel_apps=draw(st.sampled_from([None, 1, 40])),
        preemption_disabled=draw(st.booleans()),
    )


@st.composite
def _used(draw: st.DrawFn, share: Share) -> Share:
    amounts = st.builds(mb, st.integers(0, 500_000), st.integers(0, 400))
    used = draw(amounts)
    return replace(share, used=used, reserved=draw(st.sampled_from([NOTHING, used])), pending=draw(amounts))


def _in_order(queues: list[Queue]) -> tuple[Queue, ...]:
    """Each after its parent and before its siblings that come later, as answers have them."""
    tree = QueueTree(queues=tuple(queues))

    def below(queue: Queue) -> list[Queue]:
        return [queue, *(each for child in tree.children(queue.path) for each in below(child))]

    return tuple(below(queues[0]))


def used_below(tree: QueueTree, queue: Queue, partition: str) -> Resources | None:
    """What the leaves below a queue use, added up by hand."""
    leaves = [each for each in tree.queues if each.is_leaf and each.path.startswith(f"{queue.path}.")]
    shares = [share for leaf in leaves if (share := leaf.share(partition)) is not None]
    return added(share.used for share in shares)

"""The capacity scheduler's configuration, `yarn.scheduler.capacity.root.etl.capacity` → `45`, as a tree of queues.

It says what was asked for, and nothing of what is used; guarantees as resources are for shared/yarn/effective.py to work out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shared.domain.capacities import NO_CAPACITY, NOTHING, Capacity, Mode
from shared.domain.identifiers import shown
from shared.domain.property_change import PREFIX
from shared.domain.queue_tree import DEFAULT_PARTITION, ROOT, Calculator, Creation, Queue, QueueTree, Share, State
from shared.errors import YarnUnreadable
from shared.yarn.capacity_text import capacity_of, number_of
from shared.yarn.walking import MAX_DEPTH, MAX_QUEUES, path_below

CAPACITY, MAXIMUM = "capacity", "maximum-capacity"
LEGACY_MODE = f"{PREFIX}legacy-queue-mode.enabled"
ALL = Capacity.of_percent(100.0)
NO_MAXIMUM = Capacity.of_resources(NOTHING)
UNSET = "-1"  # as a maximum: there is none
RULES = ("max_parallel_apps", "preemption_disabled", "allows_zero_sum")  # that older answers lack

_OF_LABEL = re.compile(rf"{re.escape(PREFIX)}(.+)\.accessible-node-labels\.([^.]+)\.(?:{CAPACITY}|{MAXIMUM})", re.DOTALL)


def key_of(path: str, partition: str, name: str) -> str:
    """The whole name of a queue's property."""
    return f"{PREFIX}{path}.{name_in(partition, name)}"


def name_in(partition: str, name: str) -> str:
    """The name of a property of a queue in a partition, without the queue."""
    return name if partition == DEFAULT_PARTITION else f"accessible-node-labels.{partition}.{name}"


def tree_of(properties: Mapping[str, str]) -> QueueTree:
    """The queues that are configured; raises YarnUnreadable with the property and what was found."""
    queues = tuple(_Reader(properties).walk(ROOT, None))
    if len(queues) == 1:
        raise YarnUnreadable(f"there is no queue below {ROOT}: {PREFIX}{ROOT}.queues names them")
    calculator = properties.get(f"{PREFIX}resource-calculator", "")
    return QueueTree(
        queues=queues,
        is_legacy=properties.get(LEGACY_MODE, "true").strip().lower() != "false",
        calculator=Calculator.DOMINANT if "Dominant" in calculator else Calculator.MEMORY,
    )


def with_configuration(tree: QueueTree, properties: Mapping[str, str]) -> QueueTree:
    """What a ResourceManager tells, with capacities and rules as they are configured: to the last digit, and how it computes."""
    configured = tree_of(properties)
    return replace(
        tree,
        queues=tuple(_as_configured(queue, configured.by_path.get(queue.path)) for queue in tree.queues),
        is_legacy=configured.is_legacy,
        calculator=configured.calculator,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a configuration says that no answer of the scheduler does, or none of an older one.

    queues: those that are configured, by path.
    """

    is_legacy: bool | None
    calculator: Calculator | None
    queues: Mapping[str, Queue]


def rules_of(properties: Mapping[str, str]) -> Rules:
    """The rules of a configuration; raises YarnUnreadable."""
    configured = tree_of(properties)
    return Rules(is_legacy=configured.is_legacy, calculator=configured.calculator, queues=configured.by_path)


def with_rules(tree: QueueTree, rules: Rules) -> QueueTree:
    """A tree as it is told, with what is not told of its rules; capacities stay as they are, which a file may not know yet."""
    queues = tuple(_with_rules(queue, rules.queues.get(queue.path)) for queue in tree.queues)
    return replace(tree, queues=queues, is_legacy=rules.is_legacy, calculator=rules.calculator)


def _with_rules(queue: Queue, configured: Queue | None) -> Queue:
    if configured is None:
        return queue
    told = {name: getattr(queue, name) for name in RULES}
    missing = {name: getattr(configured, name) for name, value in told.items() if value is None}
    return replace(queue, **missing) if any(value is not None for value in missing.values()) else queue


def _as_configured(queue: Queue, configured: Queue | None) -> Queue:
    """Where both say it in the same mode, else what runs differs from what is configured, or only one knows all resources."""
    if configured is None or queue.is_dynamic:
        return queue
    shares = []
    for share in queue.shares:
        other = configured.share(share.partition)
        same = other is not None and other.mode is share.mode
        shares.append(replace(share, capacity=other.capacity, maximum=other.maximum) if other is not None and same else share)
    return replace(
        queue,
        shares=tuple(shares),
        allows_zero_sum=configured.allows_zero_sum,
        leaf_template=queue.leaf_template or configured.leaf_template,
    )


class _Reader:
    """Properties, read queue by queue."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._properties = properties
        self._labels: dict[str, set[str]] = {}
        self._seen: set[str] = set()
        for match in filter(None, map(_OF_LABEL.fullmatch, properties)):
            self._labels.setdefault(match[1], set()).add(match[2])

    def walk(self, path: str, parent: Queue | None) -> Iterator[Queue]:
        """A queue and all below it."""
        if path in self._seen:
            raise YarnUnreadable(f"the queue {shown(path)} is named twice")
        if path.count(".") >= MAX_DEPTH or len(self._seen) >= MAX_QUEUES:
            raise YarnUnreadable(f"at {shown(path)} there are more than {MAX_DEPTH} levels or {MAX_QUEUES:,} queues")
        self._seen.add(path)
        names = [name.strip() for name in self._text(path, "queues", "").split(",") if name.strip()]
        queue = self._queue(path, parent, is_leaf=not names)
        yield queue
        for name in names:
            yield from self.walk(path_below(path, name), queue)

    def _queue(self, path: str, parent: Queue | None, *, is_leaf: bool) -> Queue:
        inherited = "true" if parent is not None and parent.preemption_disabled else "false"
        creation = Creation.LEGACY if self._flag(path, "auto-create-child-queue.enabled") else Creation.OFF
        if self._flag(path, "auto-queue-creation-v2.enabled"):
            creation = Creation.FLEXIBLE
        parallel = self._number(path, "max-parallel-apps", self._properties.get(f"{PREFIX}max-parallel-apps", UNSET))
        factor = self._number(path, "user-limit-factor", "1")
        return Queue(
            path=path,
            shares=tuple(self._share(path, label) for label in (DEFAULT_PARTITION, *sorted(self._labels.get(path, ())))),
            is_leaf=is_leaf and creation is Creation.OFF,
            creation=creation,
            leaf_template=self._text(path, f"leaf-queue-template.{CAPACITY}", "") or None,
            state=State.STOPPED if self._text(path, "state", State.RUNNING).upper() == State.STOPPED else State.RUNNING,
            user_limit=self._number(path, "minimum-user-limit-percent", "100"),
            user_limit_factor=factor if factor >= 0 else None,
            max_parallel_apps=int(parallel) if parallel >= 0 else None,
            preemption_disabled=self._text(path, "disable_preemption", inherited).lower() == "true",
            allows_zero_sum=self._flag(path, "allow-zero-capacity-sum"),
        )

    def _share(self, path: str, partition: str) -> Share:
        is_all = path == ROOT and partition == DEFAULT_PARTITION
        capacity = ALL if is_all else self._capacity(path, partition, CAPACITY) or NO_CAPACITY
        maximum = self._capacity(path, partition, MAXIMUM)
        if maximum is None and capacity.mode is not Mode.ABSOLUTE:
            maximum = ALL
        return Share(partition=partition, capacity=capacity, maximum=None if maximum == NO_MAXIMUM else maximum)

    def _capacity(self, path: str, partition: str, name: str) -> Capacity | None:
        text = self._text(path, name_in(partition, name), "")
        if not text or (name == MAXIMUM and text == UNSET):
            return None
        try:
            return capacity_of(text)
        except ValueError as error:
            raise YarnUnreadable(f"{shown(key_of(path, partition, name))}: {error}") from None

    def _text(self, path: str, name: str, default: str) -> str:
        return self._properties.get(f"{PREFIX}{path}.{name}", default).strip()

    def _flag(self, path: str, name: str) -> bool:
        return self._text(path, name, "").lower() == "true"

    def _number(self, path: str, name: str, default: str) -> float:
        text = self._text(path, name, default)
        try:
            return number_of(text)
        except ValueError:
            raise YarnUnreadable(f"{shown(f'{PREFIX}{path}.{name}')} is {shown(text)}; accepted are numbers") from None

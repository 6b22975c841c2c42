"""The queues of the capacity scheduler's answer: of 2.x, which has little, up to 3.5, which has a vector of resources.

What is configured lies elsewhere in each mode: a percentage in `capacity`, which in weight mode is 0 and in absolute mode what
the nodes of now make of it; a weight in `weight`; resources in `configuredMinResource`; and since 3.4 everything in a vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shared.domain.capacities import NOTHING, Capacity, Mode, Resources
from shared.domain.identifiers import control_in, shown
from shared.domain.queue_tree import DEFAULT_PARTITION, Creation, Queue, Share, State
from shared.errors import YarnUnreadable
from shared.yarn.capacity_text import of_vector
from shared.yarn.fields import Fields
from shared.yarn.walking import Visit, walked

ALL = 100.0
MAX_PARTITIONS = 200
MAX_PARTITION_NAME = 255  # YARN's own
MEMORY_AND_VCORES = ("memory-mb", "memory", "vcores")

Word = TypeVar("Word", bound=StrEnum)


def queues_of(info: Fields) -> tuple[Queue, ...]:
    """Every queue, each after its parent."""
    return tuple(_queue(visit) for visit in walked(info, lambda fields: fields.inside("queues").every("queue")))


def _queue(visit: Visit) -> Queue:
    fields = visit.fields
    created = fields.text("creationMethod") or ""
    is_leaf = _is_leaf(visit)
    factor = fields.number("userLimitFactor")
    users_active, largest_user = _users(fields) if is_leaf else (None, None)
    return Queue(
        path=visit.path,
        shares=_shares(fields),
        is_leaf=is_leaf,
        is_dynamic=created.startswith("dynamic") or fields.flag("isAutoCreatedLeafQueue") is True,
        creation=_word(Creation, fields.text("autoCreationEligibility")) or Creation.OFF,
        leaf_template=_leaf_template(fields),
        state=_word(State, fields.text("state")),
        apps_active=fields.whole("numActiveApplications"),
        apps_pending=_apps_pending(fields),
        containers_allocated=fields.whole("allocatedContainers"),
        containers_reserved=fields.whole("reservedContainers"),
        containers_pending=fields.whole("pendingContainers"),
        users_active=users_active,
        largest_user=largest_user,
        user_limit=fields.number("userLimit"),
        user_limit_factor=None if factor is None or factor < 0 else factor,
        max_parallel_apps=fields.whole("maxParallelApps"),
        max_apps=fields.whole("maxApplications"),
        preemption_disabled=fields.flag("preemptionDisabled"),
    )


def _is_leaf(visit: Visit) -> bool:
    told = f"{visit.fields.text('type', '@xsi.type', '@type') or ''}{visit.fields.text('queueType') or ''}".lower()
    if visit.is_parent or "leaf" in told:
        return not visit.is_parent
    return "parent" not in told and not visit.fields.has("queues")


def _users(fields: Fields) -> tuple[int, Resources | None]:
    """How many have something running, and what the one with most memory uses."""
    users = fields.inside("users").every("user")
    used = [user.resources("resourcesUsed") or NOTHING for user in users]
    active = sum(have != NOTHING or bool(user.whole("numActiveApplications")) for user, have in zip(users, used, strict=True))
    return active, max(used, key=lambda have: have.memory_mb, default=None)


def _apps_pending(fields: Fields) -> int | None:
    """Those that wait for their master, and those beyond `max-parallel-apps`, which only the number of all has in it."""
    told = (fields.whole(name) for name in ("numPendingApplications", "numActiveApplications", "numApplications"))
    pending, active, every = told
    if pending is None or active is None or every is None:
        return pending
    return max(pending, every - active)


def _leaf_template(fields: Fields) -> str | None:
    properties = fields.inside("leafQueueTemplate").every("property")
    return next((each.text("value") for each in properties if each.text("name") == "leaf-queue-template.capacity"), None)


def _shares(queue: Fields) -> tuple[Share, ...]:
    capacities = _by_partition(queue.inside("capacities").every("queueCapacitiesByPartition"), queue.where)
    usages = _by_partition(queue.inside("resources").every("resourceUsagesByPartition"), queue.where)
    nothing: Mapping[str, object] = {}
    told = {name: capacities.get(name, nothing) for name in sorted({DEFAULT_PARTITION, *capacities, *usages})}
    told[DEFAULT_PARTITION] = {**queue.values, **told[DEFAULT_PARTITION]}  # older releases tell of it on the queue alone
    return tuple(
        _share(
            name,
            Fields(said, f"{queue.where}, partition {shown(name)}" if name else queue.where),
            Fields(usages.get(name, nothing), queue.where),
            queue if name == DEFAULT_PARTITION else Fields(nothing, queue.where),
        )
        for name, said in told.items()
    )


def _share(partition: str, said: Fields, usage: Fields, queue: Fields) -> Share:
    capacity = _configured(said, queue)
    am_percent = said.number("maxAMLimitPercentage")
    return Share(
        partition=partition,
        capacity=capacity,
        maximum=_maximum(said, capacity.mode),
        normalized_weight=said.number("normalizedWeight") if capacity.mode is Mode.WEIGHT else None,
        absolute_capacity=said.number("absoluteCapacity"),
        absolute_maximum=said.number("absoluteMaxCapacity"),
        guaranteed=said.resources("effectiveMinResource") or queue.resources("minEffectiveCapacity"),
        ceiling=said.resources("effectiveMaxResource") or queue.resources("maxEffectiveCapacity"),
        used=usage.resources("used") or queue.resources("resourcesUsed", "usedResources"),
        reserved=usage.resources("reserved"),
        pending=usage.resources("pending"),
        used_capacity=said.number("usedCapacity"),
        absolute_used_capacity=said.number("absoluteUsedCapacity"),
        am_used=usage.resources("amUsed") or queue.resources("usedAMResource"),
        am_limit=usage.resources("amLimit") or queue.resources("AMResourceLimit"),
        am_percent=am_percent or None,
    )


def _configured(said: Fields, queue: Fields) -> Capacity:
    """A capacity as configured. The mode that the queue tells is that of the default partition alone."""
    mode, vector = _mode(queue), _vector(said, "queueCapacityVectorInfo")
    if vector is not None and (mode in (None, vector.mode) or vector.mode is Mode.MIXED):
        return vector
    minimum, weight = said.resources("configuredMinResource") or NOTHING, said.number("weight")
    if mode is Mode.MIXED:
        return Capacity(mode=mode)
    if mode is Mode.ABSOLUTE or (mode is None and minimum != NOTHING):
        return Capacity.of_resources(minimum, _further(said.inside("configuredMinResource")))
    if weight is not None and (mode is Mode.WEIGHT or (mode is None and weight >= 0)):
        return Capacity.of_weight(weight)
    return Capacity.of_percent(said.number("capacity") or 0.0)


def _maximum(said: Fields, mode: Mode) -> Capacity | None:
    """A maximum as configured; resources of nothing are none, and so are 100 % beside resources, where that is all it can say."""
    vector = _vector(said, "maximumQueueCapacityVectorInfo")
    if vector is not None and (vector.mode is not Mode.ABSOLUTE or vector.resources != NOTHING):
        return vector
    resources, percent = said.resources("configuredMaxResource") or NOTHING, said.number("maxCapacity")
    if resources != NOTHING:
        return Capacity.of_resources(resources, _further(said.inside("configuredMaxResource")))
    if percent is None or (mode is Mode.ABSOLUTE and percent in (0.0, ALL)):
        return None
    return Capacity.of_percent(percent)


def _mode(queue: Fields) -> Mode | None:
    told = _word(Mode, queue.text("mode"))
    return Mode.ABSOLUTE if told is None and queue.flag("isAbsoluteResource") else told


def _vector(said: Fields, name: str) -> Capacity | None:
    text = said.inside(name).text("configuredCapacityVector")
    try:
        return of_vector(text or "")
    except ValueError as error:
        raise YarnUnreadable(f"{name} of {said.where}: {error}") from None


def _further(resources: Fields) -> tuple[tuple[str, str], ...]:
    """Resources beside memory and processors of which there is some."""
    entries = resources.inside("resourceInformations").every("resourceInformation")
    found = [(entry.text("name"), entry.whole("value"), entry.text("units") or "") for entry in entries]
    return tuple((name, f"{value}{unit}") for name, value, unit in found if name and value and name not in MEMORY_AND_VCORES)


def _by_partition(entries: list[Fields], path: str) -> dict[str, Mapping[str, object]]:
    found: dict[str, Mapping[str, object]] = {}
    for entry in entries:
        name = entry.text("partitionName") or DEFAULT_PARTITION
        why = "it is too long" if len(name) > MAX_PARTITION_NAME else control_in(name)
        if why is not None:
            raise YarnUnreadable(f"a partition of {path} is called {shown(name)}: {why}")
        if name in found or len(found) >= MAX_PARTITIONS:
            raise YarnUnreadable(f"{path} has the partition {shown(name)} twice, or more than {MAX_PARTITIONS}")
        found[name] = entry.values
    return found


def _word(kind: type[Word], text: str | None) -> Word | None:
    """A word of YARN's as one of ours; None = there is none, or it is another."""
    return next((word for word in kind if word.value == text), None)

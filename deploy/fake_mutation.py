"""What `scheduler-conf` is sent, and what YARN says to it, in its own words where these are known.

YARN takes what is removed first, then what is added, changed, and of all queues; an empty value removes a property. The new
configuration counts as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shared.domain.capacities import Mode
from shared.domain.property_change import PREFIX
from shared.domain.queue_tree import ROOT, Creation, QueueTree, Share, State
from shared.errors import YarnUnreadable
from shared.yarn.capacity_text import number_text
from shared.yarn.configuration import tree_of
from shared.yarn.constraints import Violation, violations
from shared.yarn.fields import Fields, decoded

FORMS = ("sched-conf", "schedConf")
SUM = "its children add up to"
_FAILED = "Failed to re-init queues : "


class MutationError(Exception):
    """A request says what cannot be carried out; with YARN's words."""


def mutated(properties: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The configuration that a request asks for; raises MutationError."""
    try:
        document = Fields(decoded(body), "the request")
        inner = next((document.inside(name) for name in FORMS if document.has(name)), document)
        result = dict(properties)
        for path in _texts(inner, "remove-queue"):
            _remove(result, path)
        for path, params in _queues(inner, "add-queue"):
            _add(result, path)
            _set(result, f"{PREFIX}{path}.", params)
        for path, params in _queues(inner, "update-queue"):
            _set(result, f"{PREFIX}{path}.", params)
        for updates in inner.every("global-updates"):
            _set(result, "", _entries(updates))
    except YarnUnreadable as error:
        raise MutationError(str(error)) from error
    return {name: value for name, value in result.items() if value}


def refusal_of(running: QueueTree, wanted: Mapping[str, str]) -> str | None:
    """What YARN would say to a new configuration, beside the queues that there are; None = it takes it."""
    try:
        tree = tree_of(wanted)
    except YarnUnreadable as error:
        return f"{_FAILED}{error.detail}"
    for queue in running.queues:
        if queue.is_dynamic:
            continue
        new = tree.by_path.get(queue.path)
        if new is None and queue.state is not State.STOPPED:
            return (
                f"{_FAILED}{queue.path} cannot be deleted from the capacity scheduler configuration, as the queue is not yet in"
                f" stopped state. Current State : {queue.state or State.RUNNING}"
            )
        turns = new is not None and queue.is_leaf and not new.is_leaf and new.creation is Creation.OFF
        if turns and queue.state is not State.STOPPED:
            return (
                f"{_FAILED}Can not convert the leaf queue: {queue.path} to parent queue since it is not yet in stopped state."
                f" Current State : {queue.state or State.RUNNING}"
            )
    found = violations(tree)
    return _FAILED + _words(tree, found[0]) if found else None


def _words(tree: QueueTree, violation: Violation) -> str:
    """YARN's of a sum of percentages; ours of everything else."""
    queue = tree.by_path[violation.queue]
    shares = [child.share(violation.partition) or Share() for child in tree.children(queue.path)]
    if not violation.found.startswith(SUM) or {share.mode for share in shares} != {Mode.PERCENTAGE}:
        return str(violation)
    total = sum(share.capacity.percent or 0.0 for share in shares) / 100
    said = f"Illegal capacity sum of {number_text(round(total, 6)) if total % 1 else total} for children of queue {queue.name}"
    if not total:
        why = ". It is set to 0, but parent percent != 0, and doesn't allow children capacity to set to 0"
    elif abs(total - 1.0) < 1e-3:
        why = f". queue={queue.name} has zero capacity, but childqueues have positive capacities"
    else:
        why = ". It should be either 0 or 1.0"
    return f"{said} for label={violation.partition}{why}"


def _remove(properties: dict[str, str], path: str) -> None:
    parent, _, name = path.rpartition(".")
    if not parent:
        raise MutationError(f"Can't remove queue {path}")
    siblings = _children(properties, parent)
    if name not in siblings:
        raise MutationError(f"Queue {path} not found")
    properties[f"{PREFIX}{parent}.queues"] = ",".join(each for each in siblings if each != name)
    for key in [key for key in properties if key.startswith(f"{PREFIX}{path}.")]:
        del properties[key]


def _add(properties: dict[str, str], path: str) -> None:
    parent, _, name = path.rpartition(".")
    if not parent or path == ROOT or re.search(r"\.\.|^\.|\.$|\s", path):
        raise MutationError(f"Can't add invalid queue {path}")
    siblings = _children(properties, parent)
    if name in siblings:
        raise MutationError(f"Can't add existing queue {path}")
    properties[f"{PREFIX}{parent}.queues"] = ",".join([*siblings, name])


def _children(properties: Mapping[str, str], parent: str) -> list[str]:
    return [name.strip() for name in properties.get(f"{PREFIX}{parent}.queues", "").split(",") if name.strip()]


def _set(properties: dict[str, str], prefix: str, params: Mapping[str, str]) -> None:
    properties.update({f"{prefix}{key}": value for key, value in params.items()})


def _texts(fields: Fields, name: str) -> list[str]:
    """Texts of a list, which may be the one there is."""
    value = fields.values.get(name)
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each]


def _queues(fields: Fields, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    for queue in fields.every(name):
        path = queue.text("queue-name")
        if path is None:
            raise MutationError(f"{name} without queue-name")
        yield path, _entries(queue.inside("params"))


def _entries(params: Fields) -> dict[str, str]:
    """Names and values, as `entry` of XML and lists, or as the fields of an object."""
    if params.has("entry"):
        return {entry.text("key") or "": entry.text("value") or "" for entry in params.every("entry")}
    return {name: params.text(name) or "" for name in params.values}

"""How far a cluster shows what a plan wants: the values before it, those after it, or others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isclose

from shared.domain.capacities import Capacity
from shared.domain.identifiers import first_of, shown
from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import QueueTree
from shared.yarn.capacity_text import text_of
from shared.yarn.configuration import CAPACITY, MAXIMUM, name_in
from shared.yarn.patch_file import meaning

GONE = "(gone)"
MAX_TOLD = 5  # in a sentence
CLOSE = 1e-3  # a scheduler tells percentages with the noise of single precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Of each change of a plan: it is made, the value of before is there, or another one is.

    other: with the value that is there.
    """

    made: tuple[PropertyChange, ...] = ()
    unmade: tuple[PropertyChange, ...] = ()
    other: tuple[tuple[PropertyChange, str], ...] = ()

    @property
    def is_made(self) -> bool:
        """Whether all of the plan is in force."""
        return bool(self.made) and not self.unmade and not self.other

    @property
    def is_unmade(self) -> bool:
        """Whether all is as it was before."""
        return bool(self.unmade) and not self.made and not self.other

    @property
    def missing(self) -> str:
        """What is not as planned, in words; "" = nothing."""
        found = [*((change, change.before) for change in self.unmade), *self.other]
        return first_of(found, MAX_TOLD, say=lambda each: f"{_there(*each)}, not {shown(each[0].after) or 'none'}", between="; ")

    @property
    def strange(self) -> str:
        """What is neither as planned nor as it was, in words; else what of the plan is made already."""
        found = self.other or tuple((change, change.after) for change in self.made)
        return first_of(found, MAX_TOLD, say=lambda each: _there(*each), between="; ")


def _there(change: PropertyChange, there: str) -> str:
    return f"{shown(change.queue)} has {change.key} {shown(there) or 'none'}"


def in_configuration(patch: Iterable[PropertyChange], properties: Mapping[str, str]) -> Standing:
    """By the configuration itself."""
    return _standing((change, properties.get(change.property_name, "").strip()) for change in patch)


def in_tree(patch: Iterable[PropertyChange], tree: QueueTree) -> Standing:
    """By what the scheduler tells of its queues. A queue that is gone has no value."""
    return _standing((change, _in_tree(change, tree)) for change in patch)


def _in_tree(change: PropertyChange, tree: QueueTree) -> str:
    queue = tree.by_path.get(change.queue)
    for share in () if queue is None else queue.shares:
        if change.key == name_in(share.partition, CAPACITY):
            return text_of(share.capacity)
        if change.key == name_in(share.partition, MAXIMUM):
            return "" if share.maximum is None else text_of(share.maximum)
    return GONE if queue is None else ""


def _standing(found: Iterable[tuple[PropertyChange, str]]) -> Standing:
    made, unmade, other = list[PropertyChange](), list[PropertyChange](), list[tuple[PropertyChange, str]]()
    for change, there in found:
        if is_alike(change, there, change.after):
            made.append(change)
        elif is_alike(change, there, change.before):
            unmade.append(change)
        else:
            other.append((change, there))
    return Standing(made=tuple(made), unmade=tuple(unmade), other=tuple(other))


def is_alike(change: PropertyChange, one: str, other: str) -> bool:
    """Whether two texts say the same."""
    both = meaning(change, one), meaning(change, other)
    match both:
        case Capacity(percent=float(first)), Capacity(percent=float(second)):
            return isclose(first, second, abs_tol=CLOSE)
        case Capacity(weight=float(first)), Capacity(weight=float(second)):
            return isclose(first, second, abs_tol=CLOSE)
    return both[0] == both[1]

"""How much of a cluster: resources, and the ways in which YARN lets a queue's capacity be configured.

Memory is in MB (2**20 bytes) as YARN counts it, processors in virtual cores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How a capacity is configured."""

    PERCENTAGE = "percentage"  # of the parent
    WEIGHT = "weight"  # in proportion to the siblings' weights
    ABSOLUTE = "absolute"  # in MB and vcores
    MIXED = "mixed"  # each resource in a way of its own, or with a number of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Memory and processors."""

    memory_mb: int
    vcores: int

    def __add__(self, other: Resources) -> Resources:
        return Resources(memory_mb=self.memory_mb + other.memory_mb, vcores=self.vcores + other.vcores)

    def __sub__(self, other: Resources) -> Resources:
        """What is left, of each resource at least nothing."""
        return Resources(memory_mb=max(0, self.memory_mb - other.memory_mb), vcores=max(0, self.vcores - other.vcores))


NOTHING = Resources(memory_mb=0, vcores=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a mixed capacity says of one resource."""

    resource: str  # memory-mb, vcores, yarn.io/gpu
    mode: Mode
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A capacity or a maximum as it is configured: in one of the modes, with the one field that this mode has.

    further: of the mode absolute, what is asked of other resources (`yarn.io/gpu`, `2`); kept, never computed with.
    """

    mode: Mode
    percent: float | None = None
    weight: float | None = None
    resources: Resources | None = None
    further: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()

    @classmethod
    def of_percent(cls, percent: float) -> Capacity:
        """A percentage of the parent."""
        return cls(mode=Mode.PERCENTAGE, percent=percent)

    @classmethod
    def of_weight(cls, weight: float) -> Capacity:
        """A weight among its siblings."""
        return cls(mode=Mode.WEIGHT, weight=weight)

    @classmethod
    def of_resources(cls, resources: Resources, further: tuple[tuple[str, str], ...] = ()) -> Capacity:
        """Resources as such."""
        return cls(mode=Mode.ABSOLUTE, resources=resources, further=further)

    @property
    def is_zero(self) -> bool:
        """Whether it asks for nothing in any of the modes but the mixed one, which is not looked into."""
        return not (self.percent or self.weight or self.further or self.parts) and self.resources in (None, NOTHING)


NO_CAPACITY = Capacity.of_percent(0.0)  # also where nothing is configured


def added(resources: Iterable[Resources | None]) -> Resources | None:
    """The sum; None where one of them is not known."""
    total = NOTHING
    for each in resources:
        if each is None:
            return None
        total += each
    return total

"""Why a queue waits: what holds it back, by which property of YARN, with the numbers that say so.

Memory is in MB as YARN counts it, and told in GB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.units import MEGABYTES_PER_GIGABYTE

WITHHELD = "A raise of its capacity helps little before that is looked at."


class Cause(StrEnum):
    """What holds a queue back, in the order in which it is looked for: the first that is found is told."""

    MASTERS = "masters"  # the share of the application masters is full
    PARALLEL_APPS = "parallel_apps"  # as many applications run as may
    USER_LIMIT = "user_limit"  # one user has all that one may have
    FRAGMENTATION = "fragmentation"  # no node has room for containers of that size
    CEILING = "ceiling"  # the queue has its maximum, and others leave room
    LABEL = "label"  # it waits for nodes with a label, while those without have room
    PARENT = "parent"  # what is above it has nothing left to give
    UNEXPLAINED = "unexplained"  # none of these; often a moment between two


PROPERTIES: Mapping[Cause, tuple[str, ...]] = {
    Cause.MASTERS: ("maximum-am-resource-percent",),
    Cause.PARALLEL_APPS: ("max-parallel-apps",),
    Cause.USER_LIMIT: ("user-limit-factor", "minimum-user-limit-percent"),
    Cause.FRAGMENTATION: ("maximum-allocation-mb", "accessible-node-labels"),
    Cause.CEILING: ("maximum-capacity",),
    Cause.LABEL: ("default-node-label-expression",),
    Cause.PARENT: ("capacity",),
    Cause.UNEXPLAINED: (),
}
TITLES: Mapping[Cause, str] = {
    Cause.MASTERS: "its share for application masters is full",
    Cause.PARALLEL_APPS: "as many applications run as may",
    Cause.USER_LIMIT: "one user has all that one may have",
    Cause.FRAGMENTATION: "no node has room for its containers",
    Cause.CEILING: "it has its maximum, and others leave room",
    Cause.LABEL: "it waits for nodes with a label, while others are free",
    Cause.PARENT: "all that is above it is in use",
    Cause.UNEXPLAINED: "nothing that is known explains it",
}
ADVICE: Mapping[Cause, str] = {
    Cause.MASTERS: "Raise that share; a higher capacity raises it only in proportion.",
    Cause.PARALLEL_APPS: "Raise that number; a higher capacity changes nothing about it.",
    Cause.USER_LIMIT: "Let one user have more; a higher capacity raises the limit only in proportion.",
    Cause.FRAGMENTATION: "Ask for smaller containers, or look at the labels of nodes; a higher capacity makes no node larger.",
    Cause.CEILING: "Raise the maximum; the capacity is not what holds it back.",
    Cause.LABEL: "Look at where applications are placed.",
    Cause.PARENT: "Take from its siblings, add nodes, or do less: the parent is short.",
    Cause.UNEXPLAINED: "",
}
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What holds a queue back. numbers: the columns of samples that say so, in their units."""

    cause: Cause
    numbers: Numbers

    @property
    def properties(self) -> tuple[str, ...]:
        """The properties of YARN to look at, the one that decides first."""
        return PROPERTIES[self.cause]

    @property
    def evidence(self) -> str:
        """The numbers in a sentence; "" where they are not known."""
        try:
            return _EVIDENCE[self.cause](self.numbers)
        except KeyError:
            return ""


def gigabytes(memory_mb: float) -> str:
    """1.5 TB as 1,536 GB, small amounts with a digit."""
    amount = memory_mb / MEGABYTES_PER_GIGABYTE
    return f"{amount:,.0f} GB" if amount >= 10 or amount == int(amount) else f"{amount:.1f} GB"


def _masters(said: Numbers) -> str:
    limit, used = gigabytes(said["am_limit_memory_mb"]), gigabytes(said["am_used_memory_mb"])
    whole = f"{gigabytes(said['used_memory_mb'])} of its guarantee of {gigabytes(said['guaranteed_memory_mb'])}"
    return f"Application masters had {used} of the {limit} that they may have, while the queue used {whole}."


def _parallel_apps(said: Numbers) -> str:
    return f"{said['apps_active']:,.0f} applications ran of at most {said['max_parallel_apps']:,.0f}."


def _user_limit(said: Numbers) -> str:
    most = gigabytes(said["guaranteed_memory_mb"] * said["user_limit_factor"])
    used = gigabytes(said["used_memory_mb"] * said.get("max_user_share", 1.0))
    return f"One user had {used}; one may have {most} ({said['user_limit_factor']:g} times the guarantee), however much is free."


def _fragmentation(said: Numbers) -> str:
    free = gigabytes(said["largest_free_memory_mb"]) if "largest_free_memory_mb" in said else ""
    nodes = f", and no node had more than {free} free" if free else ""
    return f"{gigabytes(said['reserved_memory_mb'])} were reserved on nodes without room{nodes}; it asked for {_pieces(said)}."


def _pieces(said: Numbers) -> str:
    size = said["pending_memory_mb"] / said["pending_containers"] if said.get("pending_containers") else None
    return gigabytes(said["pending_memory_mb"]) + (f" in containers of {gigabytes(size)}" if size else "")


def _ceiling(said: Numbers) -> str:
    used, most = gigabytes(said["used_memory_mb"]), gigabytes(said["maximum_memory_mb"])
    return f"It used {used} of its maximum of {most}, while {gigabytes(said['free_memory_mb'])} were free above it."


def _label(said: Numbers) -> str:
    asked = gigabytes(said["pending_memory_mb"])
    return f"{asked} waited for its nodes, while {gigabytes(said['default_free_memory_mb'])} were free on nodes without a label."


def _parent(said: Numbers) -> str:
    return f"No more than {gigabytes(said['free_memory_mb'])} were left for it; it asked for {_pieces(said)}."


_EVIDENCE: Mapping[Cause, Callable[[Numbers], str]] = {
    Cause.MASTERS: _masters,
    Cause.PARALLEL_APPS: _parallel_apps,
    Cause.USER_LIMIT: _user_limit,
    Cause.FRAGMENTATION: _fragmentation,
    Cause.CEILING: _ceiling,
    Cause.LABEL: _label,
    Cause.PARENT: _parent,
    Cause.UNEXPLAINED: lambda _: "",
}

"""Why a queue waits: what holds it back, by which property of YARN, with the numbers that say so.

Memory is in MB as YARN counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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

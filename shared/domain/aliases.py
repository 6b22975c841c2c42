"""Queues that were renamed: what a queue was called before, as an administrator says it; it is never guessed.

root.etl ──▶ root.data.etl ──▶ root.data.batch      a queue keeps its history through any number of names, each of which
                                                    has become one other name only
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A queue of a cluster has another name now.

    cluster: as its forecasts say it. old, new: full names.
    renamed_at: from then on rows of the old name are of another queue; None = of the old name all that is before the first row of
        the new one is its history.
    stated_by: name of the token.
    """

    cluster: str
    old: str
    new: str
    renamed_at: datetime | None
    stated_at: datetime
    stated_by: str


def former_names(queue: str, known: Sequence[Alias]) -> tuple[Alias, ...]:
    """What a queue was called before, the last name first.

    Args:
        known: of its cluster.
    """
    by_new, found = {alias.new: alias for alias in known}, list[Alias]()
    names = {queue}
    while (alias := by_new.get(queue)) is not None and alias.old not in names:
        found.append(alias)
        names.add(queue := alias.old)
    return tuple(found)


def check_alias(old: str, new: str, known: Sequence[Alias]) -> None:
    """Raises InvalidRequest, saying which of the cluster's aliases is in the way."""
    if old == new:
        raise InvalidRequest(f"{new} is the same name; accepted is another one", field="new")
    for alias in known:
        if alias.new == new:
            detail = f"{new} was {alias.old} before, as is said already; a queue has one name at a time: take that back first"
            raise InvalidRequest(detail, field="new")
        if alias.old == old:
            raise InvalidRequest(f"{old} is {alias.new} now, as is said already; take that back first", field="old")
    earlier = [old, *(alias.old for alias in former_names(old, known))]
    if new in earlier:
        chain = " → ".join([*reversed(earlier[: earlier.index(new) + 1]), new])
        raise InvalidRequest(f"{new} would be one of its own former names ({chain}): names go one way only", field="new")

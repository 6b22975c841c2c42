"""The last days as they were, of siblings together: those alone count that all of them have, so that each is one row of all.

A new queue has few or none, and is not changed before it has a week: it takes none from its siblings. What each gets follows from
its own days, and rows of several are put together by the names of their days, so that one that lacks some disturbs no other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from worker.decisions.objective import Demand
from worker.decisions.recent import is_day
from worker.decisions.wanted import Wanted


def on_shared_days(each: Sequence[Wanted | None], *, counts_vcores: bool) -> tuple[tuple[Wanted | None, ...], tuple[str, ...]]:
    """Queues with no other days as they were than all have that may be changed; and these days, the oldest first."""
    known = [(wanted, _days(wanted, counts_vcores=counts_vcores)) for wanted in each if wanted is not None]
    counted = [days for wanted, days in known if not all(wanted.why_not(is_raise=way) for way in (True, False))]
    days = set.intersection(*counted) if counted else set()
    return tuple(None if wanted is None else _on_days(wanted, days) for wanted in each), tuple(sorted(days))


def _days(wanted: Wanted, *, counts_vcores: bool) -> set[str]:
    """Of both resources where both count."""
    memory = set(filter(is_day, wanted.memory_blocks))
    return memory & set(wanted.vcores_blocks) if counts_vcores and wanted.vcores is not None else memory


def _on_days(wanted: Wanted, days: Collection[str]) -> Wanted:
    memory, memory_blocks = _only(wanted.memory, wanted.memory_blocks, days)
    found = replace(wanted, memory=memory, memory_blocks=memory_blocks)
    if wanted.vcores is None:
        return found
    vcores, vcores_blocks = _only(wanted.vcores, wanted.vcores_blocks, days)
    return replace(found, vcores=vcores, vcores_blocks=vcores_blocks)


def _only(demand: Demand, blocks: tuple[str, ...], days: Collection[str]) -> tuple[Demand, tuple[str, ...]]:
    kept = [not is_day(name) or name in days for name in blocks]
    if all(kept):
        return demand, blocks
    return demand.of_rows(kept), tuple(name for name, is_kept in zip(blocks, kept, strict=True) if is_kept)

"""Series under one queue that a database tells apart by labels of theirs, and which of them may not be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pandas as pd

from shared.errors import UnreadableData
from worker.sources._unasked import is_unasked, unasked
from worker.sources.base import Query

Tags = tuple[tuple[str, str], ...]
Tables = Mapping[Tags, pd.DataFrame]
MIN_CONCURRENT = 0.2  # of all steps: series that have points in as many together are several things, whatever their seconds


class Tagged(Protocol):
    """Samples of one series: time in seconds since 1970, and value, of each."""

    @property
    def tags(self) -> Mapping[str, str]:
        """What tells it apart."""
        ...

    @property
    def rows(self) -> Sequence[tuple[float, ...]]:
        """Time and value, and nothing that is looked at behind them."""
        ...


def concurrent(tables: Tables, column: str) -> pd.DatetimeIndex:
    """The steps in which several series have a value, and not the same."""
    panel = pd.DataFrame({place: table[column] for place, table in enumerate(tables.values()) if column in table})
    spread = panel.max(axis=1) - panel.min(axis=1)
    return pd.DatetimeIndex(panel.index[(panel.count(axis=1) > 1) & (spread > 0)])


def looked_at(together: pd.DatetimeIndex) -> list[pd.Timestamp]:
    """The steps whose samples tell enough: the first of these, the middle one and the last."""
    return [together[at] for at in sorted({0, len(together) // 2, len(together) - 1})] if len(together) else []


def refuse_unasked(query: Query, tables: Tables, column: str, samples: Sequence[Tagged]) -> None:
    """Raises UnreadableData when the series of one queue are several things.

    Args:
        samples: points of some steps that `concurrent` has named, by series.
    """
    steps = pd.DatetimeIndex(pd.concat(list(tables.values())).index.unique())
    together = concurrent(tables, column)
    rows = [(row[0], row[1], series.tags) for series in samples for row in series.rows]
    shared = _sharing(rows)
    if shared and is_unasked(len(together), len(steps), is_newest=together.max() >= steps.max()):
        tags = [of for at, _, of in rows if at in shared]
        raise _of(query, tags, pd.Timestamp(min(shared), unit="s", tz="UTC"), "timestamps")
    if len(together) >= MIN_CONCURRENT * len(steps):
        raise _of(query, [dict(tags) for tags in tables], together[0], "steps")


def _sharing(rows: Sequence[tuple[float, float, Mapping[str, str]]]) -> set[float]:
    """The timestamps at which several series have different values."""
    values: dict[float, set[float]] = {}
    for at, value, _ in rows:
        values.setdefault(at, set()).add(value)
    return {at for at, found in values.items() if len(found) > 1}


def _of(query: Query, tags: Sequence[Mapping[str, str]], first_at: pd.Timestamp, shared: str) -> UnreadableData:
    """The tag with the fewest values that differ: a partition rather than the hosts in it."""
    names = dict.fromkeys(name for own in tags for name in own)
    values = {name: sorted({own.get(name, "") for own in tags}) for name in names}
    differing = {name: found for name, found in values.items() if len(found) > 1}
    tag = min(differing, key=lambda name: len(differing[name]))
    return unasked(query, tag, differing[tag], first_at.to_pydatetime(), shared=shared)

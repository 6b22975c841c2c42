"""Rows of one queue that alternate between several things, at timestamps of their own: partitions that were read one by one.

    10:00:00 default 30    10:00:05 gpu 80    10:01:00 default 31    10:01:05 gpu 79

The mean of a step would be one of nothing. That hosts which tell the same thing take turns is no such case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from worker.prepare.step_times import starts_of
from worker.sources._moments import as_index
from worker.sources._unasked import unasked
from worker.sources.base import Query

MIN_CONCURRENT = 0.2  # of all steps: in as many together there are rows of several values
MIN_TURNS = 0.9  # of the rows, in time: another value than the row before has
MIN_ALIKE = 0.9  # of the steps with both: one of two values has the larger numbers
MIN_STEPS = 5
MAX_VALUES = 20


def has_company(rows: pd.DataFrame, query: Query) -> bool:
    """Whether there are several rows in enough steps; they may be one thing, taken more often."""
    steps = starts_of(query.grid, as_index(rows["at"].to_numpy())).tz_localize(None).to_numpy()
    sizes = np.unique(steps, return_counts=True)[1]
    return len(sizes) >= MIN_STEPS and bool((sizes > 1).mean() >= MIN_CONCURRENT)


def refuse_interleaved(rows: pd.DataFrame, values: Mapping[str, pd.Series], query: Query, *, may_name: bool = True) -> None:
    """Raises UnreadableData when a column of text tells rows apart that lie beside each other, with numbers of their own.

    Args:
        may_name: whether the source can make queues of these columns.
    """
    ordered = rows.sort_values("at", kind="stable")
    for column, texts in values.items():
        own = texts.reindex(ordered.index).fillna("")
        names = own.value_counts().index.tolist()
        if not 1 < len(names) <= MAX_VALUES or pd.to_numeric(pd.Series(names), errors="coerce").notna().any():
            continue
        if (own.to_numpy()[1:] != own.to_numpy()[:-1]).mean() >= MIN_TURNS and _differ(ordered, own, names[:2], query):
            first_at = pd.Timestamp(int(ordered["at"].iloc[0]), unit="us", tz="UTC").to_pydatetime()
            raise unasked(query, column, sorted(names), first_at, shared="steps", may_name=may_name)


def _differ(rows: pd.DataFrame, own: pd.Series, names: Sequence[str], query: Query) -> bool:
    """Whether of two values one has the larger numbers in nearly every step in which both are."""
    steps = _steps(rows, query)
    first, second = (rows["value"][own == name].groupby(steps[own == name]).mean() for name in names)
    apart = (first - second).dropna()
    if len(apart) < max(MIN_STEPS, MIN_CONCURRENT * steps.nunique()):
        return False
    return bool(max((apart > 0).mean(), (apart < 0).mean()) >= MIN_ALIKE)


def _steps(rows: pd.DataFrame, query: Query) -> pd.Series:
    return pd.Series(starts_of(query.grid, as_index(rows["at"].to_numpy())), index=rows.index)

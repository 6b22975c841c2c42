"""Queues whose samples the server makes whole steps of, several in one answer.

A step is a window of its own length that ends with its last millisecond, so that it has the very samples that are in the step:
nothing that Prometheus holds over, interpolates or extrapolates comes in. What is told of a queue is what its samples tell, but
for the last bits of means, where it is one series and all of its numbers count. Others are left to be read by their samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from shared.domain.samples import Aggregation
from shared.errors import DataError
from worker.prepare.step_times import step_times
from worker.sources._numbers import MAX_NUMBER
from worker.sources.base import NO_LIMIT, Query, Reading
from worker.sources.prometheus.asking import Floats
from worker.sources.prometheus.ends import newest_of
from worker.sources.prometheus.place import MetricPlace, of_queues
from worker.sources.prometheus.selectors import name_in

MEAN, LOW, HIGH, COUNT = (f"{name}_over_time({{}})" for name in ("avg", "min", "max", "count"))
FUNCTIONS = {
    Aggregation.MEAN: MEAN,
    Aggregation.MEDIAN: "quantile_over_time(0.5, {})",
    Aggregation.MIN: LOW,
    Aggregation.MAX: HIGH,
}
Table = Mapping[str, Floats]  # function → its values, one for each step


def can_push(query: Query) -> bool:
    """Whether the server has a function for it, and steps that are all of one length."""
    return query.aggregation in FUNCTIONS and query.grid.zone is None


def usual_queues(place: MetricPlace, names: Sequence[str]) -> dict[str, Reading]:
    """What is known of those of the queues that are as they should be; others are not in it."""
    if not can_push(place.query):
        return {}
    try:
        columns = {column: _tables(place, column, names) for column in place.chosen}
        readings = {name: found for name in names if (found := _reading(place.query, columns, name))}
        if not place.query.target:
            return readings
        target = place.query.target
        last = {name: found.frame[target].dropna().index[-1].to_pydatetime() for name, found in readings.items()}
        newest = newest_of(place, target, last)
    except DataError:  # too much for one answer: each is asked for by itself
        return {}
    return {name: replace(found, newest_at=newest[name]) for name, found in readings.items() if name in newest}


def _tables(place: MetricPlace, column: str, names: Sequence[str]) -> dict[str, Table | None]:
    """By queue; None = several series are of it."""
    query, found = place.query, dict[str, dict[str, Floats] | None]()
    count = query.grid.steps_between(query.start, query.end)
    for function in dict.fromkeys((FUNCTIONS[query.aggregation], MEAN, COUNT, LOW, HIGH)):
        for steps in place.metrics.steps(function, of_queues(place, column, names), query.start, query.step_seconds, count):
            name = name_in(query, steps.labels)
            table = found.setdefault(str(name), {})
            if table is None or function in table:
                found[str(name)] = None
            else:
                table[function] = steps.values
    return dict(found)


def _reading(query: Query, columns: Mapping[str, Mapping[str, Table | None]], name: str) -> Reading | None:
    """None = a look at the samples is needed."""
    count = query.grid.steps_between(query.start, query.end)
    tables = {column: found[name] for column, found in columns.items() if name in found}
    first = tables.get(query.target or next(iter(columns)))
    if not first or not all(table and _is_usual(table, query, column) for column, table in tables.items()):
        return None
    times = step_times(query.grid, query.start, count)
    kept = [column for column in columns if column in tables or column in query.required]
    values = {column: (tables.get(column) or {}).get(FUNCTIONS[query.aggregation], np.full(count, np.nan)) for column in kept}
    return Reading(frame=pd.DataFrame(values, index=times).dropna(how="all"), rows=int(np.nansum(first[COUNT])))


def _is_usual(table: Table, query: Query, column: str) -> bool:
    """Whether every number counts: none that is infinite, stands for no value or no limit, or lies outside the physical range."""
    has = np.nan_to_num(table.get(COUNT, np.empty(0))) > 0
    if not has.any() or any(np.isnan(table.get(function, np.nan))[has].any() for function in (MEAN, LOW, HIGH)):
        return False
    low, high = table[LOW][has], table[HIGH][has]
    least, most = query.physical_range if column == query.target else (None, None)
    is_inside = (least is None or low.min() >= least) and (most is None or high.max() <= most)
    odd = (number for number in (*NO_LIMIT, *query.missing_values) if ((low <= number) & (number <= high)).any())
    return bool(is_inside and max(-low.min(), high.max()) < MAX_NUMBER and next(odd, None) is None)

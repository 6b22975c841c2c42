"""Points of one queue read one by one: InfluxQL weights by lines between points, never by how long a value held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from shared.errors import UnreadableData
from worker.sources._resampling import resample
from worker.sources.base import MAX_SAMPLES, Query
from worker.sources.influx.answers import refuse_unasked, tables_of
from worker.sources.influx.database import InfluxDatabase
from worker.sources.influx.statements import Kinds, Points, number, possible, within, without_missing


def held_steps(database: InfluxDatabase, query: Query, points: Points, columns: Sequence[str], kinds: Kinds) -> pd.DataFrame:
    """Whole steps as a server makes them, `v0` and `n0` …, of values that hold until the next one.

    Raises:
        UnreadableData: several series are several things, or there are too many points.
    """
    steps: dict[str, pd.Series] = {}
    for place, name in enumerate(columns):
        samples = _samples(database, query, points, (place, name), kinds)
        inside = samples[samples.index >= pd.Timestamp(query.start)]
        counts = inside.resample(f"{query.step_seconds}s", origin="epoch").size()
        means = resample(
            samples.to_frame(),
            start=query.start,
            end=query.end,
            step_seconds=query.step_seconds,
            aggregation=query.aggregation,
        )
        steps |= {f"v{place}": means[samples.name], f"n{place}": counts}
    return pd.DataFrame(steps)


def _samples(database: InfluxDatabase, query: Query, points: Points, column: tuple[int, str], kinds: Kinds) -> pd.Series:
    """The usable numbers of one field, by time."""
    place, name = column
    further = [within(replace(query, start=query.known_from))]
    further += [without_missing(query, name, kinds)] if query.missing_values else []
    further += [possible(query, name, kinds)[0]]
    statement = points.select(f'{number(name, kinds)} AS "v{place}"', *further, group_by="*", tail=f" LIMIT {MAX_SAMPLES + 1}")
    answer = database.ask(statement, query.place, points.values)
    tables = tables_of(answer)
    if sum(map(len, tables.values())) > MAX_SAMPLES:
        raise UnreadableData(f"found more than the accepted {MAX_SAMPLES:,} points in the history", queue=query.queue)
    if len(tables) > 1 and name in query.judged([name]):
        by_step = {
            tags: table.groupby(pd.DatetimeIndex(table.index).floor(f"{query.step_seconds}s")).mean()
            for tags, table in tables.items()
        }
        refuse_unasked(query, by_step, f"v{place}", answer)
    if not tables:
        return pd.Series(dtype=float, index=pd.DatetimeIndex([], tz="UTC"), name=f"v{place}")
    samples = pd.concat(list(tables.values()))[f"v{place}"].dropna().sort_index(kind="stable")
    return samples[~samples.index.duplicated(keep="last")]

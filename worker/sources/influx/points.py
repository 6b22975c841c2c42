"""Points of one queue read one by one: InfluxQL weights by lines between points, never by how long a value held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from shared.drivers.influx import quoted_field
from shared.errors import UnreadableData
from worker.prepare.step_times import starts_of
from worker.sources._interleaved import has_company, refuse_interleaved
from worker.sources._moments import MICROSECONDS
from worker.sources._resampling import resample
from worker.sources._several import refuse_unasked
from worker.sources.base import MAX_SAMPLES, MAX_UNNAMED, Query
from worker.sources.influx.answers import tables_of
from worker.sources.influx.database import InfluxDatabase
from worker.sources.influx.statements import Kinds, Points, number, possible, within, without_missing

LOOKED_AT_IN_TURN = 2_000  # points


def held_steps(database: InfluxDatabase, query: Query, points: Points, columns: Sequence[str], kinds: Kinds) -> pd.DataFrame:
    """Whole steps as a server makes them, `v0` and `n0` …, of values that hold until the next one.

    Raises:
        UnreadableData: several series are several things, or there are too many points.
    """
    steps: dict[str, pd.Series] = {}
    for place, name in enumerate(columns):
        samples = _samples(database, query, points, (place, name), kinds)
        inside = samples[samples.index >= pd.Timestamp(query.start)]
        counts = inside.groupby(starts_of(query.grid, pd.DatetimeIndex(inside.index))).size()
        means = resample(
            samples.to_frame(),
            start=query.start,
            end=query.end,
            grid=query.grid,
            aggregation=query.aggregation,
        )
        steps |= {f"v{place}": means[samples.name], f"n{place}": counts}
    return pd.DataFrame(steps)


def refuse_turns(database: InfluxDatabase, query: Query, points: Points, kinds: Kinds) -> None:
    """Raises UnreadableData when a field of text tells that points seconds apart are of several things; looks at the newest."""
    texts = [name for name, types in kinds.items() if "string" in types and name not in {*query.required, *query.where}]
    if not query.target or not texts:
        return
    fields = [number(query.target, kinds), *(f"{quoted_field(name)}::string" for name in texts[:MAX_UNNAMED])]
    columns = ", ".join(f'{field} AS "f{place}"' for place, field in enumerate(fields))
    kept = [within(query), possible(query, query.target, kinds)[0]]
    found = database.rows(
        points.select(columns, *kept, tail=f" ORDER BY time DESC LIMIT {LOOKED_AT_IN_TURN}"), query.place, points.values
    )
    table = pd.DataFrame(found, columns=["at", "value", *texts[:MAX_UNNAMED]]).dropna(subset=["value"])
    rows = table[["at", "value"]].astype(np.float64).assign(at=(table["at"].astype(np.float64) * MICROSECONDS).astype(np.int64))
    if has_company(rows, query):
        refuse_interleaved(rows, {name: table[name] for name in texts[:MAX_UNNAMED]}, query, may_name=False)


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
            tags: table.groupby(starts_of(query.grid, pd.DatetimeIndex(table.index))).mean() for tags, table in tables.items()
        }
        refuse_unasked(query, by_step, f"v{place}", answer)
    if not tables:
        return pd.Series(dtype=float, index=pd.DatetimeIndex([], tz="UTC"), name=f"v{place}")
    samples = pd.concat(list(tables.values()))[f"v{place}"].dropna().sort_index(kind="stable")
    return samples[~samples.index.duplicated(keep="last")]

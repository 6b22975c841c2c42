"""What InfluxDB answers, as frames: whole steps by series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from shared.drivers.influx import Series
from worker.sources._several import Tables, Tags


def tables_of(answer: Sequence[Series]) -> dict[Tags, pd.DataFrame]:
    """The rows of every series by time, the columns of several statements side by side."""
    tables: dict[Tags, pd.DataFrame] = {}
    for series in answer:
        tags = tuple(sorted(series.tags.items()))
        index = pd.to_datetime(np.array([row[0] for row in series.rows], dtype=np.int64), unit="s", utc=True)
        columns = {name: [row[place] for row in series.rows] for place, name in enumerate(series.columns) if name != "time"}
        table = pd.DataFrame(columns, index=index, dtype=np.float64)
        tables[tags] = tables[tags].join(table, how="outer") if tags in tables else table
    return tables


def only(tables: Tables, columns: int) -> pd.DataFrame:
    """The one table that there is, with all columns that were asked for."""
    names = [f"{kind}{place}" for place in range(columns) for kind in ("v", "n", "low", "high")]
    table = next(iter(tables.values()), pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC")))
    return table.reindex(columns=names, fill_value=np.nan).astype(np.float64)

"""Timestamps of any form, as UTC: typed ones, ISO 8601 texts with or without a zone, numbers since 1970."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import UnreadableData

if TYPE_CHECKING:
    import pyarrow as pa

ACCEPTED_TIMES = "ISO 8601 (2026-01-05T13:00:00Z), timestamp columns, or whole seconds or milliseconds since 1970"
_ZONE = r"[T ]\d{2}\S*\s?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"  # after a time of day: the -05 of 2026-01-05 is no zone
_EPOCH = r"^\d{9,}(?:\.\d*)?$"
_EPOCH_UNITS = ((1e11, "seconds", 1e6), (1e14, "milliseconds", 1e3), (1e17, "microseconds", 1.0), (np.inf, "nanoseconds", 1e-3))
_MIN_EPOCH = 1e8  # 1973 in seconds: smaller numbers count rows, not time
_MAX_MICROSECONDS = 9.2e15  # the year 2261, near the end of pandas' time


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """moments: UTC, NaT where a cell could not be read. note: what was assumed, None when nothing was."""

    moments: pd.DatetimeIndex
    is_aware: bool
    note: str | None = None


def read_times(cells: pa.ChunkedArray, /, **ids: str) -> Times:
    """Read a column of timestamps; single cells may fail, all of them may not.

    Args:
        cells: at least one.
        ids: where the column lies, for the message.

    Raises:
        UnreadableData: no cell is a timestamp, or some carry a time zone and some do not.
    """
    import pyarrow.types as kind

    if kind.is_timestamp(cells.type) or kind.is_date(cells.type):
        times = _from_typed(cells)
    elif kind.is_integer(cells.type) or kind.is_floating(cells.type):
        times = _from_numbers(cells.to_pandas().to_numpy(dtype=np.float64), ids)
    elif kind.is_string(cells.type) or kind.is_large_string(cells.type):
        times = _from_texts(cells, ids)
    else:
        raise UnreadableData(f"found type {cells.type}, accepted are {ACCEPTED_TIMES}", **ids)
    if times.moments.dropna().empty:
        raise UnreadableData(f"found no timestamp in {len(cells):,} rows, {_sample(cells)}; accepted are {ACCEPTED_TIMES}", **ids)
    return times


def _sample(column: pa.ChunkedArray) -> str:
    filled = column.drop_null()
    return f"but for example {str(filled[0].as_py())[:40]!r}" if len(filled) else "all are empty"


def _from_typed(column: pa.ChunkedArray) -> Times:
    import pyarrow as pa

    zone = getattr(column.type, "tz", None)
    microseconds = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
    return _times(_moments(microseconds.to_pandas().to_numpy(dtype=np.float64)), is_aware=zone is not None)


def _from_numbers(numbers: NDArray[np.float64], ids: dict[str, str]) -> Times:
    typical = float(np.median(np.abs(numbers[np.isfinite(numbers)]))) if np.isfinite(numbers).any() else np.nan
    if typical < _MIN_EPOCH:
        raise UnreadableData(f"found numbers such as {typical:g}, which are no time; accepted are {ACCEPTED_TIMES}", **ids)
    unit, factor = next(((unit, factor) for limit, unit, factor in _EPOCH_UNITS if typical < limit), ("seconds", 1e6))
    note = f"timestamps are numbers and were read as {unit} since 1970"
    return Times(moments=_moments(np.round(numbers * factor)), is_aware=True, note=note)


def _from_texts(cells: pa.ChunkedArray, ids: dict[str, str]) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.replace_substring_regex(cells, pattern=r"\s*UTC$", replacement="Z")
    for zone in ("UTC", None):  # Arrow is fast and strict: every cell has a zone, or none has
        with suppress(pa.ArrowInvalid):
            return _from_typed(texts.cast(pa.timestamp("us", tz=zone)))
    if (pc.mean(pc.match_substring_regex(texts, _EPOCH)).as_py() or 0) > 0.5:
        return _from_numbers(pd.to_numeric(texts.to_pandas(), errors="coerce").to_numpy(dtype=np.float64), ids)
    moments = pd.DatetimeIndex(pd.to_datetime(texts.to_pandas(), utc=True, format="ISO8601", errors="coerce"))
    aware = pc.match_substring_regex(texts, _ZONE).to_numpy(zero_copy_only=False)[moments.notna()].astype(bool)
    if aware.any() and not aware.all():
        found = f"found {aware.sum():,} timestamps with a time zone and {(~aware).sum():,} without"
        raise UnreadableData(f"{found}; accepted is one of both, in every row", **ids)
    return _times(moments, is_aware=bool(aware.any()))


def _times(moments: pd.DatetimeIndex, *, is_aware: bool) -> Times:
    return Times(
        moments=moments, is_aware=is_aware, note=None if is_aware else "timestamps carry no time zone and were taken as UTC"
    )


def _moments(microseconds: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Microseconds since 1970 as UTC, NaT for what is not finite or outside pandas' time; a float64 holds them up to 2255."""
    usable = np.abs(microseconds) < _MAX_MICROSECONDS
    whole = np.where(usable, microseconds, 0).astype(np.int64).view("datetime64[us]")
    whole[~usable] = np.datetime64("NaT")
    return pd.DatetimeIndex(whole).as_unit("ns").tz_localize("UTC")

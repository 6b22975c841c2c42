"""Timestamps of any form, cell by cell: typed ones, ISO 8601 texts with or without a zone, numbers since 1970."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import UnreadableData

if TYPE_CHECKING:
    import pyarrow as pa

ACCEPTED_TIMES = "ISO 8601 (2026-01-05T13:00:00Z), typed dates and timestamps, or whole seconds or milliseconds since 1970"
HOUR = 3_600_000_000  # in microseconds
_ZONE = r"[T ]\d{2}\S*\s?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"  # after a time of day: the -05 of 2026-01-05 is no zone
_YEAR = r"^\d{4}"  # pandas takes "today" and "now" for times
_EPOCH = r"^\d{9,}(?:\.\d*)?$"
_MIN_EPOCH = 1e8  # 1973 in seconds: smaller numbers count rows, not time
_MAX_MICROSECONDS = 9.2e15  # the year 2261, near the end of pandas' time


class Kind(IntEnum):
    """How a timestamp is written; numbers are told by their magnitude."""

    UNREADABLE = 0
    ZONED = 1
    LOCAL = 2
    SECONDS = 3
    MILLISECONDS = 4
    MICROSECONDS = 5
    NANOSECONDS = 6

    @property
    def words(self) -> str:
        """As messages say it, in the plural."""
        if self <= Kind.LOCAL:
            return "timestamps " + ("with a time zone" if self is Kind.ZONED else "without a time zone")
        return f"numbers of {self.name.lower()} since 1970"


_UNITS = (
    (1e11, Kind.SECONDS, 1e6),
    (1e14, Kind.MILLISECONDS, 1e3),
    (1e17, Kind.MICROSECONDS, 1.0),
    (np.inf, Kind.NANOSECONDS, 1e-3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Timestamps as they came.

    moments: microseconds since 1970, of UTC, or of the clock on the wall where the kind is LOCAL. kinds: `Kind` of each.
    """

    moments: NDArray[np.int64]
    kinds: NDArray[np.uint8]


def read_times(cells: pa.Array, /, **ids: str) -> Times:
    """Read timestamps, each by itself; what cannot be read is of the kind UNREADABLE.

    Args:
        ids: where the column lies, for the message.

    Raises:
        UnreadableData: the column is of a type that holds no time.
    """
    import pyarrow.types as kind

    if kind.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if kind.is_timestamp(cells.type) or kind.is_date(cells.type):
        return _from_typed(cells)
    if kind.is_integer(cells.type) or kind.is_floating(cells.type) or kind.is_null(cells.type):
        return _from_numbers(cells.to_numpy(zero_copy_only=False).astype(np.float64))
    if kind.is_string(cells.type) or kind.is_large_string(cells.type):
        return _from_texts(cells)
    raise UnreadableData(f"found type {cells.type}, accepted are {ACCEPTED_TIMES}", **ids)


def to_utc(moments: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Times of a clock on the wall in a zone, in the order in which they were written, as UTC.

    Of the hour that comes twice the second is an hour after the first, as the order says; what stands in the hour that is left
    out is an hour later.
    """
    walls = pd.DatetimeIndex(moments.view("datetime64[us]"))
    doubled = np.asarray(pd.isna(walls.tz_localize(zone, ambiguous="NaT", nonexistent=pd.Timedelta(hours=1))))
    is_first = np.ones(len(walls), dtype=bool)
    if doubled.any():
        is_first[doubled] = _is_first(moments[doubled], is_falling=len(moments) > 1 and bool(moments[0] > moments[-1]))
    placed = walls.tz_localize(zone, ambiguous=is_first, nonexistent=pd.Timedelta(hours=1))
    return _microseconds(placed.tz_convert("UTC"))


def _is_first(moments: NDArray[np.int64], *, is_falling: bool) -> NDArray[np.bool_]:
    """Of times in hours that come twice whether each is the earlier one: until the clock goes back."""
    ordered = moments[::-1] if is_falling else moments
    is_first = np.ones(len(ordered), dtype=bool)
    for place in range(1, len(ordered)):
        is_same_night = abs(int(ordered[place]) - int(ordered[place - 1])) < 24 * HOUR
        if is_same_night:
            is_first[place] = is_first[place - 1] and ordered[place] > ordered[place - 1]
    return is_first[::-1] if is_falling else is_first


def _from_typed(cells: pa.Array) -> Times:
    import pyarrow as pa

    zone = getattr(cells.type, "tz", None)
    whole = cells.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
    is_there = ~whole.is_null().to_numpy(zero_copy_only=False)
    moments = whole.fill_null(0).to_numpy(zero_copy_only=False)
    return _usable(moments, np.where(is_there, Kind.LOCAL if zone is None else Kind.ZONED, Kind.UNREADABLE))


def _from_numbers(numbers: NDArray[np.float64]) -> Times:
    moments, kinds = np.zeros(len(numbers)), np.zeros(len(numbers), dtype=np.uint8)
    least = _MIN_EPOCH
    for most, kind, factor in _UNITS:
        chosen = (numbers >= least) & (numbers < most)
        moments[chosen], kinds[chosen], least = np.round(numbers[chosen] * factor), kind, most
    return _usable(moments, kinds)


def _from_texts(cells: pa.Array) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(cells.cast(pa.string())), pattern=r"\s*UTC$", replacement="Z")
    for zone in ("UTC", None):  # Arrow is fast and strict: every cell has a zone, or none has
        with suppress(pa.ArrowInvalid):
            return _from_typed(texts.cast(pa.timestamp("us", tz=zone)))
    strings = texts.to_pandas()
    is_number = pc.fill_null(pc.match_substring_regex(texts, _EPOCH), fill_value=False).to_numpy(zero_copy_only=False)
    if is_number.all():
        return _from_numbers(pd.to_numeric(strings).to_numpy(dtype=np.float64))
    numbers = _from_numbers(pd.to_numeric(strings.where(is_number), errors="coerce").to_numpy(dtype=np.float64))
    is_date = pc.fill_null(pc.match_substring_regex(texts, _YEAR), fill_value=False).to_numpy(zero_copy_only=False) & ~is_number
    read = pd.DatetimeIndex(pd.to_datetime(strings.where(is_date), utc=True, format="ISO8601", errors="coerce"))
    is_zoned = pc.fill_null(pc.match_substring_regex(texts, _ZONE), fill_value=False).to_numpy(zero_copy_only=False)
    kinds = np.where(read.notna(), np.where(is_zoned, Kind.ZONED, Kind.LOCAL), numbers.kinds)
    return _usable(np.where(read.notna(), _microseconds(read), numbers.moments), kinds)


def _microseconds(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Since 1970."""
    return index.tz_localize(None).to_numpy(dtype="datetime64[us]").view(np.int64)


def _usable(moments: NDArray[np.float64] | NDArray[np.int64], kinds: NDArray[np.integer]) -> Times:
    """Without what is outside pandas' time, and without the beginning of all clocks, where a time was not known."""
    is_usable = (moments >= _MIN_EPOCH * 1e6) & (moments < _MAX_MICROSECONDS) & (kinds != Kind.UNREADABLE)
    return Times(
        moments=np.where(is_usable, moments, 0).astype(np.int64),
        kinds=np.where(is_usable, kinds, Kind.UNREADABLE).astype(np.uint8),
    )

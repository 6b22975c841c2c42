"""What may come instead of the one value that is forecast, as it is kept and delivered."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain

from shared.domain.cuts import KeptRows
from shared.domain.remembered import Remembered

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  # those that every forecast has
LOWEST, HIGHEST = 0.01, 0.99  # levels that may be asked for
FINEST = 65_535  # of paths: their values are whole steps from the lowest to the highest, in two bytes each
DIGITS = 6  # of a level
TINY = 1e-300
Rows = Sequence[Sequence[float]]  # paths, one value for each step
ROOM = 500_000  # values of paths, 16 MB: 64 paths of 72 steps of a hundred queues, for whoever moves a slider


class Origin(StrEnum):
    """What a path was made from: the misses of a fold of the backtest, or a recent day as it was."""

    MISSES = "misses"
    DAY = "day"


def block_name(origin: Origin, at: datetime) -> str:
    """The same for all queues, and of each block another one.

    Args:
        at: cutoff of the fold, or the moment of that day at which the forecast begins.

    >>> block_name(Origin.MISSES, datetime(2026, 1, 5, tzinfo=UTC))
    'misses 2026-01-05T00:00'
    """
    return f"{origin} {at.astimezone(UTC):%Y-%m-%dT%H:%M}"


def levels_of(interval: float, asked: Sequence[float]) -> tuple[float, ...]:
    """The levels of the quantiles of a forecast: those that all have, those of its bounds, and those that were asked for."""
    return tuple(sorted({round(level, DIGITS) for level in (*LEVELS, *bounds_of(interval), *asked)}))


def bounds_of(interval: float) -> tuple[float, float]:
    """The levels of the lower and the upper bound of an interval, which has as much below as above it."""
    return (1 - interval) / 2, (1 + interval) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """For each level, which rises, a value for each step or day: with the probability `level` it is no more than that.

    Of a forecast of an earlier release there are none.
    """

    levels: tuple[float, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.levels)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its levels, as tables have them for columns and answers for keys: `q0.05`."""
        return tuple(f"q{level:g}" for level in self.levels)

    def by_step(self, steps: int) -> list[dict[str, float] | None]:
        """The values of each of so many steps by the names of their levels; None where there are none."""
        columns = zip(*self.values, strict=True) if self.levels else ()
        return [dict(zip(self.names, each, strict=True)) for each in columns] or [None] * steps

    def at(self, level: float) -> tuple[float, ...]:
        """The values at this level, straight between the two next to it; beyond the outermost those of that one."""
        place = bisect_left(self.levels, round(level, DIGITS))
        if place == len(self.levels) or place == 0 or self.levels[place] == round(level, DIGITS):
            return self.values[min(place, len(self.levels) - 1)]
        below, above = self.levels[place - 1], self.levels[place]
        part = (level - below) / (above - below)
        return tuple(low + part * (high - low) for low, high in zip(self.values[place - 1], self.values[place], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Equally likely ways that the whole horizon may go, packed: base64 of zlib of 16-bit steps from `low` to `high`.

    blocks, windows: folds of the backtest and recent days that they were made from; 0 = nobody knows.
    drawn_from: name of the block that each came from, by which those of several queues are joined; () = nobody knows.
    is_calibrated: whether chances that were counted on paths have held lately; set as they are read, never kept.
    """

    count: int
    low: float
    high: float
    packed: str
    blocks: int = 0
    windows: int = 0
    drawn_from: tuple[str, ...] = ()
    is_calibrated: bool = True

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], *, blocks: int = 0, windows: int = 0, drawn_from: Sequence[str] = ()) -> Paths:
        """At least one path, all of one length of at least 1."""
        values = [*chain.from_iterable(rows)]
        low, high = min(values), max(values)
        step = (high - low) / FINEST if high - low > TINY else 1.0  # of less a quotient may be far off
        steps = [round((value - low) / step) for value in values]
        packed = zlib.compress(struct.pack(f"<{len(steps)}H", *steps))
        text, names = b64encode(packed).decode(), tuple(drawn_from)
        return cls(count=len(rows), low=low, high=high, packed=text, blocks=blocks, windows=windows, drawn_from=names)

    @property
    def made_from(self) -> int:
        """How many folds and days they tell of."""
        return self.blocks + self.windows

    def rows(self) -> Rows:
        """The paths, one value for each step."""
        key = (self.packed, self.count, self.low, self.high)
        return UNPACKED.get(key, lambda: _unpacked(*key), values_of)


def values_of(rows: Rows) -> int:
    """How many they are."""
    return sum(map(len, rows))


UNPACKED = Remembered[KeptRows](ROOM)


def _unpacked(packed: str, count: int, low: float, high: float) -> KeptRows:
    content = zlib.decompress(b64decode(packed))
    steps = struct.unpack(f"<{len(content) // 2}H", content)
    width = (high - low) / FINEST
    values = tuple([low + step * width for step in steps])
    if low + FINEST * width > high:  # by rounding
        values = tuple([value if value < high else high for value in values])  # noqa: FURB136 - min takes seven times as long
    length = len(values) // count
    return KeptRows([values[start : start + length] for start in range(0, len(values), length)])

"""Paths of several queues drawn together: one draw takes the same block of each, so that they are of what may come at once.

    etl     misses 5 Jan ▂▅▂   misses 6 Jan ▁▂▁   day 7 Jan ▃▇▃        a block that one of them lacks is left out, and where
    adhoc   misses 5 Jan ▁▁▁   misses 6 Jan ▂▂▂                        one has several paths of a block and another fewer,
    both    misses 5 Jan ▃▆▃   misses 6 Jan ▃▄▃                        those of the fewer are taken again

Hours in which all are high together stay so; siblings drawn each by itself would seldom be high at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.domain.cuts import KeptRows
from shared.domain.distribution import Origin, Paths, Rows, values_of
from shared.domain.forecasts import Forecast
from shared.domain.outlook import FEWEST
from shared.domain.remembered import Remembered

NOTHING: Mapping[str, float] = {}
_SUMS = Remembered[KeptRows](100_000)  # values: 20 sums of 64 paths of 72 steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Which path of each queue is taken together with which of the others.

    places: of each draw the places of its paths, one for each queue.
    is_alike: whether all queues have the same blocks in the same order, so that each draw takes the paths of one place.
    blocks, windows: folds of the backtest and recent days that all of them have, as `Paths` counts them.
    """

    places: tuple[tuple[int, ...], ...]
    blocks: int
    windows: int
    is_calibrated: bool = True
    is_alike: bool = False

    def of(self, queue: int, rows: Rows) -> Rows:
        """The paths of one of the queues, one for each draw."""
        if self.is_alike:
            return rows
        return [rows[places[queue]] for places in self.places]


def drawn_together(each: Sequence[Paths]) -> Draws:
    """The draws of queues that were forecast at the same time; none, where they have no block in common.

    Args:
        each: the paths of at least one queue.
    """
    names = each[0].drawn_from
    is_alike = bool(names) and all(paths.drawn_from == names for paths in each)
    by_block = [_by_block(paths) for paths in (each[:1] if is_alike else each)]
    common = [name for name in by_block[0] if all(name in places for places in by_block)]
    misses = sum(name.startswith(Origin.MISSES) for name in common)
    drawn = (draw for name in common for draw in _drawn([places[name] for places in by_block]))
    return Draws(
        places=tuple((place,) * len(each) for place in range(len(names))) if is_alike else tuple(drawn),
        blocks=min(misses, *(paths.blocks for paths in each)),
        windows=len(common) - misses,
        is_calibrated=all(paths.is_calibrated for paths in each),
        is_alike=is_alike,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Queues that one run has forecast, with their paths drawn together; rows: of each queue, one for each draw."""

    forecasts: tuple[Forecast, ...]
    rows: tuple[Rows, ...]
    draws: Draws

    @classmethod
    def of(cls, forecasts: Sequence[Forecast]) -> Joint:
        """Of forecasts that have paths, at least one."""
        each = [forecast.paths for forecast in forecasts if forecast.paths is not None]
        draws = drawn_together(each)
        rows = tuple(draws.of(number, paths.rows()) for number, paths in enumerate(each))
        return cls(forecasts=tuple(forecasts), rows=rows, draws=draws)

    @property
    def why_untold(self) -> str | None:
        """Why nothing can be counted on the draws; None = it can."""
        if (known := self.draws.blocks) >= FEWEST:
            return None
        return (
            f"too little is known of how forecasts of all of them miss: {known} windows in common, of which {FEWEST} are needed"
        )

    def rows_of(self, queue: str) -> Rows:
        """The paths of one of them."""
        return next(rows for each, rows in zip(self.forecasts, self.rows, strict=True) if each.queue == queue)

    def total(self, without: str | None = None, scaled: Mapping[str, float] = NOTHING) -> Rows:
        """The sum of all of them, or of all but one; zeros where none is left.

        Args:
            scaled: queue → how many times its paths count; they are added last, and what is before them is remembered.
        """
        queues = {each.queue: number for number, each in enumerate(self.forecasts) if each.queue != without}
        own = [times(self.rows[queues.pop(queue)], factor) for queue, factor in scaled.items() if factor != 1]
        rest = [self._sum([*queues.values()])] if queues or not own else []
        return added([*rest, *own]) if own else rest[0]

    def _sum(self, numbers: Sequence[int]) -> Rows:
        """Of the queues of these numbers."""
        if not numbers:
            return [[0.0] * len(row) for row in self.rows[0]]
        each = tuple((paths.packed, paths.low, paths.high) for number in numbers if (paths := self.forecasts[number].paths))
        drawn = None if self.draws.is_alike else tuple(tuple(draw[number] for number in numbers) for draw in self.draws.places)
        return _SUMS.get((each, drawn), lambda: KeptRows(map(tuple, added([self.rows[number] for number in numbers]))), values_of)

    def counted(self, forecast: Forecast) -> Forecast:
        """A forecast whose chances are counted on these draws; its own paths go."""
        draws = self.draws
        nothing = Paths(count=len(draws.places), low=0.0, high=0.0, packed="", blocks=draws.blocks, windows=draws.windows)
        return replace(forecast, paths=replace(nothing, is_calibrated=draws.is_calibrated))


def times(rows: Rows, factor: float) -> Rows:
    """Each value of each path so many times."""
    return rows if factor == 1 else [[value * factor for value in row] for row in rows]


def added(each: Iterable[Rows]) -> Rows:
    """The sum of paths of several queues, draw by draw and step by step."""
    return [[*map(sum, zip(*paths, strict=True))] for paths in zip(*each, strict=True)]


def _by_block(paths: Paths) -> dict[str, list[int]]:
    """The places of the paths of each block."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(paths.drawn_from):
        places.setdefault(name, []).append(place)
    return places


def _drawn(places: Sequence[Sequence[int]]) -> Iterable[tuple[int, ...]]:
    """As many draws of one block as the queue with the most paths of it has."""
    count = max(map(len, places))
    return zip(*([mine[turn * len(mine) // count] for turn in range(count)] for mine in places), strict=True)

"""Paths cut into days: sums, highest values, and what is above a level; of paths that stay it is counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_CUTS, MAX_LEVELS = 16, 32  # that are kept of the same paths: whoever moves a slider asks for many, and seldom again


class Above(NamedTuple):
    """What of paths is above a level: the first step of each (None = it has none), all steps, and values beyond the level."""

    firsts: Sequence[int | None]
    steps: int
    over: float

    @staticmethod
    def joined(days: Sequence[Above]) -> Above:
        """Of several days that follow each other."""
        each = zip(*(day.firsts for day in days), strict=True)
        firsts = [next((first for first in firsts if first is not None), None) for firsts in each]
        return Above(firsts, sum(day.steps for day in days), sum(day.over for day in days))


@dataclass(frozen=True, slots=True)
class Cut:
    """The steps of a day, cut out of all paths, with the sum of each path there and its highest value."""

    steps: range
    paths: Sequence[Sequence[float]]
    sums: Sequence[float]
    highest: Sequence[float]
    _counted: dict[tuple[float, float], Above] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, rows: Sequence[Sequence[float]], day: range) -> Cut:
        """Of a day of at least one step."""
        paths = [row[day.start : day.stop] for row in rows]
        return cls(day, paths, [*map(sum, paths)], [*map(max, paths)])

    def above(self, level: float, bar: float) -> Above:
        """The steps above a bar, which is the level or right below it, and what is beyond the level."""
        if len(self._counted) >= MAX_LEVELS:
            self._counted.clear()
        if (found := self._counted.get((level, bar))) is None:
            found = self._counted[level, bar] = self._above(level, bar)
        return found

    def _above(self, level: float, bar: float) -> Above:
        firsts: list[int | None] = []
        steps, over, start = 0, 0.0, self.steps.start
        for path, highest in zip(self.paths, self.highest, strict=True):
            if highest <= bar:
                firsts.append(None)
                continue
            above = [value for value in path if value > bar]
            firsts.append(start + path.index(above[0]))
            steps += len(above)
            over += sum(above) - level * len(above) if bar >= level else sum([value - level for value in above if value > level])
        return Above(firsts, steps, over)


class KeptRows(tuple[Sequence[float], ...]):  # noqa: SLOT001 - with slots there is no room for what was counted
    """Paths that stay for a while and that nobody changes: what was counted on them goes with them."""

    def cut(self, day: range) -> Cut:
        """The steps of a day; the same object for whoever asks again."""
        kept: dict[range, Cut] = self.__dict__.setdefault("cuts", {})
        if len(kept) >= MAX_CUTS:
            kept.clear()
        if (found := kept.get(day)) is None:
            found = kept[day] = Cut.of(self, day)
        return found


def cuts_of(rows: Sequence[Sequence[float]], days: Sequence[range]) -> list[Cut]:
    """The paths of each day."""
    return [rows.cut(day) if isinstance(rows, KeptRows) else Cut.of(rows, day) for day in days]

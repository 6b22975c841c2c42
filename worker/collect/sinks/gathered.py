"""Columns of queues over time, gathered row by row as a sink finds them, in a hundredth of the memory that rows take."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from math import nan

from shared.domain.collected import Series


class Gathered:
    """Values of these columns by queue and partition."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self._found: dict[tuple[str, str], tuple[array[int], list[array[float]]]] = {}

    def put(self, queue: str, partition: str, at: int, values: Sequence[object]) -> None:
        """One row; of several of one moment the last counts. None = not told."""
        times, columns = self._of(queue, partition)
        times.append(at)
        for column, value in zip(columns, values, strict=True):
            column.append(float(value) if isinstance(value, int | float) else nan)

    def extend(self, queue: str, partition: str, at: array[int], values: Sequence[array[float]]) -> None:
        """Many rows of one queue; NaN = not told."""
        times, columns = self._of(queue, partition)
        times.extend(at)
        for column, own in zip(columns, values, strict=True):
            column.extend(own)

    def series(self) -> list[Series]:
        """What was put, by queue and partition, each in the order of time; it is let go of here."""
        return [self._series(*key, *self._found.pop(key)) for key in sorted(self._found)]

    def _of(self, queue: str, partition: str) -> tuple[array[int], list[array[float]]]:
        key = (queue, partition)
        if key not in self._found:
            self._found[key] = array("q"), [array("d") for _ in self.columns]
        return self._found[key]

    def _series(self, queue: str, partition: str, times: array[int], columns: list[array[float]]) -> Series:
        if any(at >= later for at, later in pairwise(times)):  # seldom, and a copy: memory
            last = {at: place for place, at in enumerate(times)}
            places = [last[at] for at in sorted(last)]
            times = array("q", [times[place] for place in places])
            columns = [array("d", [column[place] for place in places]) for column in columns]
        return Series(queue=queue, partition=partition, at=times, columns=dict(zip(self.columns, columns, strict=True)))

"""What a forecast is made of: components that add up to it in each step, whichever model won.

    forecast    48 ▂▅▇▅ ▂▅▇▅ ▁▂▃▂ ▂▅▇▅
    level       48                            the usual level
    shift       +6                            by how much that has changed in the last days
    day            ▁▃▅▃ ▁▃▅▃ ▁▃▅▃ ▁▃▅▃        time of the day
    week           ·    ·    ▼▼▼▼ ·           day of the week
    regressors     ·  ▴ ·  ▴ ·    ·           columns that are known ahead
    occasions      ·    ·    ·    ·           holidays and events
    remainder      ·  ▴ ·    ·    ▾           what else the model sees: a trend, the last hours, the physical range

Level and seasons are described by medians of the history (after Cleveland et al., STL, Journal of Official Statistics 6,
1990, what is left is called the remainder); they explain the forecast and did not make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Steps = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Those that do not follow from the others, in the unit of the forecast. Of an earlier release's forecast there are none.

    level: median of the history as it was. shift: what is added since the level has changed.
    day, week, regressors, occasions: one value for each step; empty = the history shows none.
    kinds: names of the occasions ahead that have an effect.
    """

    level: float | None = None
    shift: float = 0.0
    day: Steps = ()
    week: Steps = ()
    regressors: Steps = ()
    occasions: Steps = ()
    kinds: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.level is not None

    def of(self, prediction: Sequence[float]) -> Mapping[str, Steps]:
        """By name, one value for each step of the prediction, which they add up to; those that say nothing are left out."""
        if self.level is None:
            return {}
        same = {"level": (self.level,) * len(prediction), "shift": (self.shift,) * len(prediction)}
        told = {**same, "day": self.day, "week": self.week, "regressors": self.regressors, "occasions": self.occasions}
        parts = {name: steps for name, steps in told.items() if name == "level" or any(steps)}
        sums = [sum(values) for values in zip(*parts.values(), strict=True)]
        return {**parts, "remainder": tuple(value - known for value, known in zip(prediction, sums, strict=True))}

    def by_step(self, prediction: Sequence[float]) -> Sequence[Mapping[str, float] | None]:
        """The same of each step by name; None where there are none."""
        parts = self.of(prediction)
        return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)] or [None] * len(prediction)

"""What values with steps have in common: where these begin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.timegrid import TimeGrid


class HasSteps(Protocol):
    """What says how long steps are, and whose days those of whole days are."""

    @property
    def step_seconds(self) -> int: ...  # noqa: D102

    @property
    def timezone(self) -> str: ...  # noqa: D102


class Stepped:
    """Values in steps."""

    __slots__ = ()

    @property
    def grid(self: HasSteps) -> TimeGrid:
        """Where the steps begin."""
        return TimeGrid(self.step_seconds, self.timezone)

    @property
    def day_timezone(self: HasSteps) -> str:
        """Whose days the steps are; "" = they are steps of UTC."""
        return TimeGrid(self.step_seconds, self.timezone).day_timezone


class Issued(Stepped):
    """Steps ahead of a moment, and a prediction for each.

    day_starts: where steps begin that are days of a time zone, as it was delivered, whatever becomes of the rules of that zone.
    """

    __slots__ = ()
    step_seconds: int
    timezone: str
    issued_at: datetime
    day_starts: Sequence[datetime]
    prediction: Sequence[float]

    @property
    def horizon_steps(self) -> int:
        """Number of steps."""
        return len(self.prediction)

    @property
    def timestamps(self) -> list[datetime]:
        """Start of each step, UTC."""
        return [*self.day_starts] or self.grid.step_starts(self.issued_at, self.horizon_steps)

    @property
    def end_at(self) -> datetime:
        """End of the last step, UTC."""
        return self.start_of(self.horizon_steps + 1)

    def start_of(self, step: int) -> datetime:
        """Start of step `step` (1, 2, …), UTC; also of one before the first or after the last."""
        is_kept = 0 < step <= len(self.day_starts)
        return self.day_starts[step - 1] if is_kept else self.grid.step_start(self.issued_at, step)

    def starts_of(self, steps: Sequence[int]) -> tuple[datetime, ...]:
        """`start_of` of each of them; of many at little cost, where all steps are equally long."""
        if not steps or self.day_starts or self.grid.zone is not None:
            return tuple(map(self.start_of, steps))
        first, length = self.start_of(1), timedelta(seconds=self.step_seconds)
        return tuple(first + (step - 1) * length for step in steps)

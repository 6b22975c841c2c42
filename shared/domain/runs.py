"""What a job does for its queues: the three kinds of runs that a schedule makes, each at its own cadence."""

from __future__ import annotations

from enum import StrEnum


class Run(StrEnum):
    """The fuller one first: each does what those after it do, too."""

    SEARCH = "search"  # all candidates compete, the winner forecasts
    REFIT = "refit"  # the winner of the last search is fitted again, and forecasts
    ACTUALS = "actuals"  # new actual values are read, and nothing is forecast

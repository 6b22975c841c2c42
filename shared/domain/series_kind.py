"""What kind of series a queue's usage is: told to people, and what decides which models are worth trying."""

from __future__ import annotations

from enum import StrEnum


class SeriesKind(StrEnum):
    """From the past alone, before anything is forecast."""

    STEADY = "steady"
    SEASONAL = "seasonal"
    INTERMITTENT = "intermittent"
    IDLE = "idle"
    NOT_FORECASTABLE = "not_forecastable"

    @property
    def words(self) -> str:
        """What that means, in a sentence without its end."""
        return {
            SeriesKind.STEADY: "steady: a level that moves, without a day or week that repeats",
            SeriesKind.SEASONAL: "seasonal: most of what varies repeats from day to day or week to week",
            SeriesKind.INTERMITTENT: "intermittent: long times of next to nothing between the times that it is used",
            SeriesKind.IDLE: "idle: used less than once a day",
            SeriesKind.NOT_FORECASTABLE: "not forecastable: it varies widely, and its past says nothing of what comes next",
        }[self]

"""What a candidate may die of."""

from __future__ import annotations

from shared.errors.base import QueuecastError


class ModelError(QueuecastError):
    """The model could not forecast."""


class NeedsMoreHistory(ModelError):
    """The model needs more history than there is."""


class BadForecast(ModelError):
    """The model's forecast is not finite or not of the right length."""


class UnstableFit(ModelError):
    """The fitted model would explode or is not defined on this data."""


class TimeLimitReached(ModelError):
    """The candidate ran into its time limit."""


class OutOfMemory(ModelError):
    """The candidate ran out of memory."""


class ProcessLost(ModelError):
    """The candidate's process was lost three times."""


class MessageLost(ModelError):
    """The candidate's message was lost three times."""

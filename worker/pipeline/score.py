"""One candidate on all folds → Score, or a Failure with its reason: a failed candidate is data and stops no other."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable, Sequence
from math import isnan
from typing import TypeVar

from shared.domain.forecasts import Candidate, Failure, ForecastSpec, Measures, Score, WindowForecast
from shared.errors import OutOfMemory, QueuecastError, TimeLimitReached, reason_of
from worker.models.base import FloatArray
from worker.pipeline.backtest import Fold
from worker.pipeline.history import build, predictions
from worker.pipeline.measures import measure

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def score(candidate: Candidate, folds: Sequence[Fold], spec: ForecastSpec) -> Score:
    """Forecast every fold and measure it; raises a ModelError, UnknownModel, or whatever the library raises."""
    started = cpu_seconds()
    model = build(candidate)
    forecasts = predictions(model, [fold.known for fold in folds], spec.bounds)
    seconds = cpu_seconds() - started
    shown = tuple(map(_window_forecast, folds, forecasts))
    return Score(candidate=candidate, measures=_measures(folds, forecasts), windows=shown, seconds=seconds)


def guarded(
    candidate: Candidate, work: Callable[[], Result], *, time_limit: tuple[type[Exception], ...] = ()
) -> Result | Failure:
    """What the work for a candidate gives, or its Failure.

    Args:
        time_limit: what is raised when the task's time is up; it comes from outside, whatever the candidate is doing.
    """
    error: Exception
    started = cpu_seconds()
    try:
        return work()
    except time_limit:
        error = TimeLimitReached()
    except MemoryError:  # leaving a task's body it would take the whole worker down
        error = OutOfMemory()
    except QueuecastError as raised:
        error = raised
    except Exception as raised:  # the one place for it: whatever a library raises ends this candidate and nothing else
        logger.warning("%s failed", candidate.label, exc_info=True)
        error = raised
    return failure(candidate, error, seconds=cpu_seconds() - started)


def failure(candidate: Candidate, error: Exception, *, seconds: float = 0.0) -> Failure:
    """A failure as it stands on the leaderboard: the class of the error, and its message.

    Args:
        seconds: CPU seconds that it has cost.
    """
    return Failure(candidate=candidate, error=type(error).__name__, reason=reason_of(error), seconds=seconds)


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for: Prophet's Stan is one."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _window_forecast(fold: Fold, prediction: FloatArray) -> WindowForecast:
    return WindowForecast(
        origin_at=fold.cutoff_at,
        actual=tuple(None if isnan(value) else value for value in fold.actual.tolist()),
        prediction=tuple(prediction.tolist()),
        measures=_measures([fold], [prediction]),
    )


def _measures(folds: Sequence[Fold], forecasts: Sequence[FloatArray]) -> Measures:
    pairs = zip(folds, forecasts, strict=True)
    return measure((fold.actual, prediction, fold.reference, fold.scale) for fold, prediction in pairs)

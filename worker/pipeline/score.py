"""One candidate on all windows → Score, or the Failure that it is otherwise: a failed candidate is data and stops no other."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from shared.domain.forecasts import Candidate, Failure, ForecastSpec, Measures, Score, WindowForecast
from shared.errors import OutOfMemory, QueuecastError, TimeLimitReached, reason_of
from worker.models.base import FloatArray
from worker.pipeline.backtest import Window
from worker.pipeline.history import build, predict
from worker.pipeline.measures import measure

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def score(candidate: Candidate, windows: Sequence[Window], spec: ForecastSpec) -> Score:
    """Forecast every window and measure it; raises a ModelError, UnknownModel, or whatever the library raises."""
    started = cpu_seconds()
    model = build(candidate)
    forecasts = [predict(model, window.history, spec.window_steps, spec.bounds) for window in windows]
    seconds = cpu_seconds() - started
    shown = tuple(map(_window_forecast, windows, forecasts))
    return Score(candidate=candidate, measures=_measures(windows, forecasts), windows=shown, seconds=seconds)


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


def _window_forecast(window: Window, prediction: FloatArray) -> WindowForecast:
    return WindowForecast(
        origin_at=window.origin_at,
        actual=tuple(None if np.isnan(value) else value for value in window.actual.tolist()),
        prediction=tuple(prediction.tolist()),
        measures=_measures([window], [prediction]),
    )


def _measures(windows: Sequence[Window], forecasts: Sequence[FloatArray]) -> Measures:
    """Over all scored steps of these windows."""
    return measure(
        np.concatenate([window.actual for window in windows]),
        np.concatenate(forecasts),
        naive=np.concatenate([window.naive for window in windows]),
        scale=np.concatenate([np.full(len(window.actual), window.scale) for window in windows]),
    )

"""One candidate on all windows → Score | Failure: a failed candidate is data and does not stop the others."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Sequence

import numpy as np

from shared.errors import QueuecastError
from shared.forecasts import Candidate, Failure, ForecastSpec, Measures, Outcome, Score, WindowForecast
from worker.models import models
from worker.models.base import FloatArray
from worker.pipeline.backtest import Window
from worker.pipeline.history import Offered, build, predict
from worker.pipeline.measures import measure

logger = logging.getLogger(__name__)

LONGEST_REASON = 300


def score(
    candidate: Candidate,
    windows: Sequence[Window],
    spec: ForecastSpec,
    *,
    passing: tuple[type[Exception], ...] = (),
    offered: Offered = models,
) -> Outcome:
    """Forecast every window and measure it.

    Args:
        passing: exceptions that come from outside the model, such as a task's time limit; like MemoryError they are not caught.
        offered: the models of this worker.
    """
    outside: tuple[type[Exception], ...] = (MemoryError, *passing)
    started = cpu_seconds()
    try:
        model = build(candidate, offered)
        forecasts = [predict(model, window.history, spec.window_steps, spec.bounds) for window in windows]
    except outside:
        raise
    except QueuecastError as error:
        return _failure(candidate, error, str(error), started)
    except Exception as error:  # the one place for it: whatever a library raises ends this candidate and nothing else
        logger.warning("%s failed", candidate.label, exc_info=True)
        return _failure(candidate, error, f"{type(error).__name__}: {error}", started)
    seconds = cpu_seconds() - started
    shown = tuple(map(_window_forecast, windows, forecasts))
    return Score(candidate=candidate, measures=_measures(windows, forecasts), windows=shown, seconds=seconds)


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for: Prophet's Stan is one."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _failure(candidate: Candidate, error: Exception, reason: str, started: float) -> Failure:
    plain = " ".join(reason.split())[:LONGEST_REASON]
    return Failure(candidate=candidate, error=type(error).__name__, reason=plain, seconds=cpu_seconds() - started)


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

"""Winner + snapshot → Forecast: fitted again on the whole history, with bounds from its backtest, clipped."""

from __future__ import annotations

from datetime import datetime

from shared.forecasts import Forecast, ForecastSpec, Score
from shared.jobs import JobRequest
from worker.models import models
from worker.pipeline.history import Offered, build, history_at, predict
from worker.pipeline.intervals import bounds_around
from worker.pipeline.score import cpu_seconds
from worker.pipeline.snapshot import Snapshot


def forecast_queue(
    winner: Score,
    snapshot: Snapshot,
    spec: ForecastSpec,
    *,
    request: JobRequest,
    job_id: str,
    issued_at: datetime,
    created_at: datetime,
    spent_seconds: float = 0.0,
    offered: Offered = models,
) -> Forecast:
    """The forecast that is delivered; step 1 begins at `issued_at`, the end of the snapshot.

    Args:
        spent_seconds: CPU seconds that the queue has cost so far; those of the refit are added.

    Raises:
        ModelError, or whatever the library raises: the winner could not be fitted again; the caller chooses among the others.
    """
    started = cpu_seconds()
    history = history_at(snapshot, len(snapshot.frame), spec.horizon_steps, spec)
    prediction = predict(build(winner.candidate, offered), history, spec.horizon_steps, spec.bounds)
    lower, upper = bounds_around(prediction, winner.windows, coverage=spec.interval, bounds=spec.bounds)
    return Forecast(
        queue=snapshot.queue,
        metric=spec.target,
        job=request.job_name,
        job_id=job_id,
        issued_at=issued_at,
        created_at=created_at,
        step_seconds=spec.step_seconds,
        model=winner.candidate.model,
        hyperparameters=winner.candidate.hyperparameters,
        mape=winner.measures.mape,
        skill=winner.measures.skill,
        seconds=spent_seconds + cpu_seconds() - started,
        prediction=tuple(prediction.tolist()),
        lower_bound=tuple(lower.tolist()),
        upper_bound=tuple(upper.tolist()),
    )

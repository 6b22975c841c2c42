"""Winner + snapshot → Forecast: fitted again on the whole history, with bounds from its backtest, clipped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.forecasts import Forecast, ForecastSpec, Score
from shared.jobs import Job
from worker.models import models
from worker.models.base import FloatArray
from worker.pipeline.ensembles import Member, blended
from worker.pipeline.history import Offered, build, history_at, predict
from worker.pipeline.intervals import bounds_around
from worker.pipeline.score import cpu_seconds
from worker.pipeline.snapshot import Snapshot

Members = Sequence[Member]  # of a blend, what it is made of; none where the winner is no blend
Band = tuple[FloatArray, FloatArray, FloatArray]  # prediction, lower and upper bound, shape (horizon,) each


def refit(winner: Score, snapshot: Snapshot, spec: ForecastSpec, offered: Offered = models, *, members: Members = ()) -> Band:
    """Fit the winner (all the members of a blend) on the whole history and predict the horizon, within its bounds.

    Raises a ModelError, or whatever the library raises, when the winner could not be fitted again: the caller takes another.
    """
    history = history_at(snapshot, len(snapshot.frame), spec.horizon_steps, spec)
    made_of = members or (Member(candidate=winner.candidate),)
    fitted = [build(member.candidate, offered) for member in made_of]
    forecasts = [predict(model, history, spec.horizon_steps, spec.bounds) for model in fitted]
    prediction = blended(forecasts, [member.weight for member in made_of])
    return prediction, *bounds_around(prediction, winner.windows, coverage=spec.interval, bounds=spec.bounds)


def forecast_queue(
    winner: Score, snapshot: Snapshot, spec: ForecastSpec, *, job: Job, members: Members = (), spent_seconds: float = 0.0
) -> Forecast:
    """The forecast that is delivered, issued at the end of the snapshot; raises what `refit` raises.

    Args:
        spent_seconds: CPU seconds that the queue has cost so far; those of the refit are added.
    """
    started = cpu_seconds()
    prediction, lower, upper = refit(winner, snapshot, spec, members=members)
    return Forecast(
        queue=snapshot.queue,
        metric=spec.target,
        job=job.request.job_name,
        job_id=job.job_id,
        issued_at=snapshot.end_at,
        created_at=datetime.now(UTC),
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

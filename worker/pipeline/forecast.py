"""Selection + snapshot → Forecast: the winner fitted again on the whole history, with the interval from its backtest, clipped."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from shared.domain.forecasts import Forecast, ForecastSpec
from shared.domain.jobs import Job
from worker.models.base import FloatArray
from worker.pipeline.doubts import level_since
from worker.pipeline.ensembles.recipe import candidates_in, combined
from worker.pipeline.history import build, known_at_issue, predict
from worker.pipeline.intervals import of_this_level, prediction_interval, widened
from worker.pipeline.score import cpu_seconds
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import ordinary_folds
from worker.pipeline.unmeasured import unmeasured_steps

Band = tuple[FloatArray, FloatArray, FloatArray]  # prediction, lower and upper bound, shape (horizon,) each


def refit(selection: Selection, snapshot: Snapshot, spec: ForecastSpec) -> Band:
    """Fit the winner (all that it is made of) on the whole history and predict the horizon, with an interval around it.

    Raises a ModelError, or whatever the library raises, when the winner could not be fitted again: the caller takes another.
    """
    known, ahead = known_at_issue(snapshot, spec)
    forecasts = {each.label: predict(build(each), known, spec.bounds) for each in candidates_in(selection.recipe)}
    prediction = combined(selection.recipe, lambda candidate: forecasts[candidate.label])
    since = known.shift_at or level_since(snapshot.without(spec.exclude))
    folds = ordinary_folds(of_this_level(selection.winner.windows, since, spec.step_seconds), snapshot, spec)
    bounds = prediction_interval(
        prediction, folds, level=spec.interval, physical_range=spec.bounds, step_seconds=spec.step_seconds
    )
    lower, upper = widened(prediction, bounds, known.ahead_in_utc(), level=spec.interval, physical_range=spec.bounds)
    return prediction[ahead:], lower[ahead:], upper[ahead:]


def forecast_queue(selection: Selection, snapshot: Snapshot, spec: ForecastSpec, *, job: Job, created_at: datetime) -> Forecast:
    """The forecast that is delivered, issued at the end of the snapshot; raises what `refit` raises.

    Its `seconds` are all that the queue has cost: those of the leaderboard, and those of the refit.
    """
    started, winner = cpu_seconds(), selection.winner
    prediction, lower, upper = refit(selection, snapshot, spec)
    series = job.request.series(snapshot.queue)
    of_series = {each.name: getattr(series, each.name) for each in fields(series)}
    of_spec = {name: getattr(spec, name) for name in ("interval", "unit", "guaranteed", "maximum")}
    return Forecast(
        job=job.request.job_name,
        job_id=job.job_id,
        issued_at=snapshot.end_at,
        created_at=created_at,
        model=winner.candidate.model,
        hyperparameters=winner.candidate.hyperparameters,
        mape=winner.measures.mape,
        wape=winner.typical_wape,
        skill=winner.measures.skill,
        ranked_by=selection.ranked_by,
        seconds=sum(outcome.seconds for outcome in selection.leaderboard) + cpu_seconds() - started,
        prediction=tuple(prediction.tolist()),
        lower_bound=tuple(lower.tolist()),
        upper_bound=tuple(upper.tolist()),
        made_up=unmeasured_steps(snapshot, spec),
        **of_series,
        **of_spec,
    )

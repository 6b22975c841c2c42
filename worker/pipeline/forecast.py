"""Selection + snapshot → Forecast: the winner fitted again on the whole history, and by its backtest what may come instead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import NamedTuple, TypedDict

from shared.domain.claims import claims_of
from shared.domain.components import Components
from shared.domain.distribution import Paths, Quantiles, bounds_of, levels_of
from shared.domain.forecasts import Forecast, ForecastSpec, WindowForecast
from shared.domain.jobs import Job
from shared.domain.recipes import Recipe
from shared.errors import BadForecast, NeedsMoreHistory, UnstableFit
from worker.models.base import FloatArray
from worker.pipeline.components import components
from worker.pipeline.distribution.pool import at_levels
from worker.pipeline.distribution.this_level import of_this_level
from worker.pipeline.distribution.whole import Distribution, Made, distribution
from worker.pipeline.doubts import level_since
from worker.pipeline.ensembles.recipe import candidates_in, combined
from worker.pipeline.history import Known, build, known_at_issue, predict
from worker.pipeline.ordinary import as_ordinary
from worker.pipeline.score import cpu_seconds
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot
from worker.pipeline.special import ordinary_folds
from worker.pipeline.unmeasured import unmeasured_steps


class Refitted(NamedTuple):
    """What the winner says: of each step its prediction, what may come instead, and what the prediction is made of."""

    prediction: FloatArray
    whole: Distribution
    components: Components


class Fitted(NamedTuple):
    """The winner fitted again on all that is known, and what tells how far off it may be.

    folds: its backtest, as far as it says something of ordinary steps at the present level. end_at: of what is known.
    ahead: how many of its steps lie before the first one that is delivered.
    """

    made: Made
    folds: Sequence[WindowForecast]
    known: Known
    end_at: datetime
    ahead: int
    components: Components


def refit(selection: Selection, snapshot: Snapshot, spec: ForecastSpec) -> Refitted:
    """Fit the winner (all that it is made of) on the whole history; raises what `fitted` raises."""
    made, folds, known, end_at, ahead, parts = fitted(selection, snapshot, spec)
    whole = distribution(made, folds, known, spec, end_at=end_at, first=ahead)
    return Refitted(made.prediction[ahead:], whole, parts)


def fitted(selection: Selection, snapshot: Snapshot, spec: ForecastSpec) -> Fitted:
    """All that the distribution of the winner's forecast is made from.

    Raises a ModelError, or whatever the library raises, when the winner could not be fitted again: the caller takes another.
    """
    known, ahead = known_at_issue(snapshot, spec)
    forecasts = {each.label: predict(build(each), known, spec.bounds) for each in candidates_in(selection.recipe)}
    prediction = combined(selection.recipe, lambda candidate: forecasts[candidate.label])
    parts = components(prediction, known, spec, ahead)
    company = _company(selection.company, known, spec)
    end_at = snapshot.grid.step_start(snapshot.end_at, 1 - ahead)
    since = known.shift_at or level_since(as_ordinary(snapshot, spec))
    if since and not known.shift_at:  # else what came before was moved to the present level
        known = known.of_last(spec.grid.steps_between(since, end_at))
    folds = ordinary_folds(of_this_level(selection.folds or selection.winner.windows, since, spec.grid), snapshot, spec)
    made = Made(prediction=prediction, recipe=selection.company or selection.recipe, forecasts=company or forecasts)
    return Fitted(made, folds, known, end_at, ahead, parts)


def _company(recipe: Recipe, known: Known, spec: ForecastSpec) -> dict[str, FloatArray]:
    """What its candidates say, by label; one that cannot be fitted again says nothing, and the winner does without."""
    said = dict[str, FloatArray]()
    for each in candidates_in(recipe):
        with suppress(NeedsMoreHistory, BadForecast, UnstableFit):
            said[each.label] = predict(build(each), known, spec.bounds)
    return said


def forecast_queue(selection: Selection, snapshot: Snapshot, spec: ForecastSpec, *, job: Job, created_at: datetime) -> Forecast:
    """The forecast that is delivered, issued at the end of the snapshot; raises what `refit` raises.

    Its `seconds` are all that the queue has cost: those of the leaderboard, and those of the refit.
    """
    started, winner = cpu_seconds(), selection.winner
    prediction, whole, parts = refit(selection, snapshot, spec)
    series = job.request.series(snapshot.queue)
    forecast = Forecast(
        job=job.request.job_name,
        job_id=job.job_id,
        issued_at=snapshot.end_at,
        day_starts=tuple(snapshot.grid.step_starts(snapshot.end_at, len(prediction))) if series.day_timezone else (),
        created_at=created_at,
        **{name: getattr(winner.candidate, name) for name in ("model", "hyperparameters")},
        **{name: getattr(winner.measures, name) for name in ("mape", "skill")},
        wape=winner.typical_wape,
        **{name: getattr(selection, name) for name in ("ranked_by", "searched_at")},
        seconds=sum(outcome.seconds for outcome in selection.leaderboard) + cpu_seconds() - started,
        prediction=tuple(prediction.tolist()),
        components=parts,
        made_up=unmeasured_steps(snapshot, spec),
        **{each.name: getattr(series, each.name) for each in fields(series) if each.name != "day_timezone"},
        **{name: getattr(spec, name) for name in ("timezone", "interval", "unit", "guaranteed", "maximum", "basis")},
        **_told(whole, spec),
    )
    return replace(forecast, claims=claims_of(forecast))


class Told(TypedDict):
    """The fields of a forecast that tell of its distribution."""

    lower_bound: tuple[float, ...]
    upper_bound: tuple[float, ...]
    quantiles: Quantiles
    peaks: Quantiles
    paths: Paths | None


def _told(whole: Distribution, spec: ForecastSpec) -> Told:
    levels = levels_of(spec.interval, spec.quantiles)
    steps, peaks = (_quantiles(each, levels) for each in (whole.steps, whole.peaks))
    lower, upper = map(steps.at, bounds_of(spec.interval))
    made_from = {"blocks": whole.blocks, "windows": whole.windows}
    paths = Paths.of(whole.paths.tolist(), drawn_from=whole.drawn_from, **made_from) if len(whole.paths) else None
    return {"lower_bound": lower, "upper_bound": upper, "quantiles": steps, "peaks": peaks, "paths": paths}


def _quantiles(fine: FloatArray, levels: Sequence[float]) -> Quantiles:
    values = at_levels(fine, levels)
    return Quantiles(levels=tuple(levels), values=tuple(tuple(row) for row in values.tolist()))

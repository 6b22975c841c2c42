"""A winner of an earlier search, fitted again: what it is chosen by, and from where its intervals come, without any backtest.

    misses   search's windows ──────┤├── forecasts that it has issued since, as far as their steps have come ──▶ newest_first
             ▂ ▃ ▂ ▂ ▃ ▂             ▃ ▂ ▄

The misses of its backtest stay what they were, and each forecast that was issued since is one more window, a real one: so the
intervals follow what happens between two searches at no price. The score that is shown is that of the search, with its date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.forecasts import Forecast, ForecastSpec, WindowForecast
from shared.domain.jobs import Job
from shared.domain.recipes import Winner, search_of
from shared.domain.timegrid import MINUTE
from worker.pipeline.folds import FEW, MANY
from worker.pipeline.selection.choose import Selection
from worker.pipeline.snapshot import Snapshot


def winner_of(selection: Selection, job: Job, *, queue: str, issued_at: datetime) -> Winner:
    """What is kept of a search."""
    return Winner(
        search=search_of(job.request),
        queue=queue,
        job_id=job.job_id,
        searched_at=issued_at,
        created_at=job.created_at,
        score=selection.winner,
        recipe=selection.recipe,
        company=selection.company,
        ranked_by=selection.ranked_by,
    )


def selection_of(winner: Winner, issued: Sequence[Forecast], snapshot: Snapshot, spec: ForecastSpec) -> Selection:
    """The earlier choice, with the misses that are known by now.

    Args:
        issued: forecasts of the series and job, issued since the search.
    """
    score = replace(winner.score, seconds=0.0)  # they were the search's
    return Selection(
        winner=score,
        recipe=winner.recipe,
        leaderboard=(score,),
        explanation=f"{score.candidate.model} won the search of {winner.searched_at:{MINUTE}} and was fitted again; "
        "its scores are of that search.",
        ranked_by=winner.ranked_by,
        company=winner.company,
        searched_at=winner.searched_at,
        folds=tuple(folds_of(winner, issued, snapshot, spec)),
    )


def folds_of(winner: Winner, issued: Sequence[Forecast], snapshot: Snapshot, spec: ForecastSpec) -> list[WindowForecast]:
    """The newest windows whose misses are known, oldest first: of the search, and of what the winner has issued since.

    Those that begin before the history are left out: of their days nothing is known any more.
    """
    known = snapshot.without(spec.exclude).frame[spec.target].dropna()
    actual = dict(zip(known.index.to_pydatetime(), known.tolist(), strict=True))  # type: ignore[attr-defined]
    windows = {window.origin_at: window for window in winner.score.windows}
    for forecast in issued:
        window = _window(forecast, winner, actual)
        if window is not None:
            windows.setdefault(window.origin_at, window)
    inside = [window for window in windows.values() if window.origin_at >= snapshot.start_at]
    return sorted(inside, key=lambda window: window.origin_at)[-MANY:]


def _window(forecast: Forecast, winner: Winner, actual: Mapping[datetime, float]) -> WindowForecast | None:
    """What has come of a forecast that the winner has issued since its search; None = it is not one, or nothing yet."""
    own, steps = winner.score.candidate, len(winner.score.windows[0].actual)
    is_own = (forecast.model, forecast.hyperparameters) == (own.model, own.hyperparameters)
    happened = tuple(actual.get(at) for at in forecast.timestamps[:steps])
    is_known = any(value is not None for value in happened)
    if not is_own or not is_known or forecast.horizon_steps < steps or forecast.issued_at < winner.searched_at:
        return None
    prediction, measures = forecast.prediction[:steps], winner.score.measures
    return WindowForecast(origin_at=forecast.issued_at, actual=happened, prediction=prediction, measures=measures)


def are_enough(folds: Sequence[WindowForecast], winner: Winner) -> bool:
    """Whether so many windows tell how far off the winner may be; of a short history there was one to begin with."""
    return len(folds) >= min(FEW, len(winner.score.windows))

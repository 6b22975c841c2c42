"""What an issued forecast has claimed of its first day, against what happened."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

import pandas as pd

from shared.domain.calibration import PEAK, PIT_BINS, ClaimSums, OutlookScore, cell
from shared.domain.claims import bars, first_day
from shared.domain.excess import SECONDS_PER_HOUR
from shared.domain.forecasts import Forecast
from shared.domain.occasions import Excluded
from shared.domain.timegrid import from_epoch, to_epoch
from worker.pipeline.accuracy import Actuals
from worker.prepare.occasions import excluded_steps

MIN_KNOWN = 0.9  # of the steps of the day


def score_claims(forecast: Forecast, actuals: Actuals, exclude: Sequence[Excluded] = ()) -> list[OutlookScore]:
    """One score for each claim and one for the peak, once the day is over; none of a day of which too little is known.

    A day that any excluded time lies in counts as none, also where it was scored before.

    Args:
        actuals: at least one, of the forecast's series.
    """
    day = first_day(forecast)
    if not forecast.claims or forecast.start_of(day + 1) > forecast.grid.step_start(from_epoch(max(actuals)), 2):
        return []
    starts = [forecast.start_of(step) for step in range(1, day + 1)]
    known = [actuals[to_epoch(at)] for at in starts if to_epoch(at) in actuals]
    is_bad = bool(excluded_steps(pd.to_datetime(starts, utc=True), forecast.grid, exclude).any())
    if not is_bad and len(known) < MIN_KNOWN * day:
        return []
    scores = _scores(forecast, known, day)
    return [_score(forecast, about, place, ClaimSums() if is_bad else sums) for about, place, sums in scores]


def _scores(forecast: Forecast, known: Sequence[float], day: int) -> Iterator[tuple[str, str, ClaimSums]]:
    """What is scored, its cell, and its sums."""
    levels = {bar.about: bar.value for bar in bars(forecast)}
    for claim in forecast.claims:
        above = sum(value > levels[claim.about] for value in known)
        sums = ClaimSums(
            days=1,
            probability=claim.probability,
            happened=int(above > 0),
            squared=(claim.probability - (above > 0)) ** 2,
            expected_hours=claim.hours * len(known) / day,
            real_hours=above * forecast.step_seconds / SECONDS_PER_HOUR,
        )
        yield claim.about, cell(claim.about, claim.probability), sums
    if forecast.peaks and known:
        yield PEAK, cell(PEAK, _place(forecast, max(known)), PIT_BINS), ClaimSums(days=1)


def _place(forecast: Forecast, peak: float) -> float:
    """Where a day's peak lies in what was forecast of it, 0–1; of several levels with that very value in their middle."""
    levels, values = forecast.peaks.levels, [each[0] for each in forecast.peaks.values]
    first, last = bisect_left(values, peak), bisect_right(values, peak)
    if first < last:
        return (levels[first] + levels[last - 1]) / 2
    if first in {0, len(values)}:
        return 0.0 if first == 0 else 1.0
    part = (peak - values[first - 1]) / (values[first] - values[first - 1])
    return levels[first - 1] + part * (levels[first] - levels[first - 1])


def _score(forecast: Forecast, about: str, place: str, sums: ClaimSums) -> OutlookScore:
    return OutlookScore(
        series_id=forecast.series_id,
        job=forecast.job,
        day=datetime.combine(forecast.issued_at.astimezone(UTC).date(), time(), UTC),
        about=about,
        project=forecast.project,
        issued_at=forecast.issued_at,
        created_at=forecast.created_at,
        cell=place,
        sums=sums,
    )

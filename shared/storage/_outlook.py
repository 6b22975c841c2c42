"""What every store derives in the same way."""

from __future__ import annotations

from shared.forecasts import Forecast
from shared.reports import QueueOutlook, above_full


def outlook(forecast: Forecast) -> QueueOutlook:
    """What a queue's owner sees first of a forecast."""
    peak, above = forecast.peak_step - 1, above_full(forecast)
    return QueueOutlook(
        queue=forecast.queue,
        metric=forecast.metric,
        job=forecast.job,
        job_id=forecast.job_id,
        issued_at=forecast.issued_at,
        created_at=forecast.created_at,
        step_seconds=forecast.step_seconds,
        horizon_steps=forecast.horizon_steps,
        model=forecast.model,
        mape=forecast.mape,
        skill=forecast.skill,
        peak_at=forecast.timestamps[peak],
        peak=forecast.prediction[peak],
        peak_lower_bound=forecast.lower_bound[peak],
        peak_upper_bound=forecast.upper_bound[peak],
        above_100_at=min((*above.likely, *above.possible), default=None) if above else None,
        likely_above_100=len(above.likely) if above else 0,
        possible_above_100=len(above.possible) if above else 0,
    )

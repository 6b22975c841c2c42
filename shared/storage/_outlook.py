"""What every store derives in the same way."""

from __future__ import annotations

from shared.forecasts import Forecast
from shared.reports import QueueOutlook


def outlook(forecast: Forecast) -> QueueOutlook:
    """What a queue's owner sees first of a forecast."""
    peak_at, peak = forecast.peak
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
        peak_at=peak_at,
        peak=peak,
        peak_upper_bound=forecast.upper_bound[forecast.prediction.index(peak)],
    )

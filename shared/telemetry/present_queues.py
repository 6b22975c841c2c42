"""Gauges of the newest forecast of each series: how good it is, and what it exceeds from now on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from shared.domain.accuracy import ErrorSums
from shared.domain.exceedance import Exceedance, beyond_share, over_limit, steps_over
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import label
from shared.domain.outlook import breach_ahead

Labels = tuple[str, ...]

OF_A_SERIES = ("project", "cluster", "queue", "metric", "job")
OF_QUEUES = {
    "queuecast_queue_mape": "Backtest MAPE in percent of the newest forecast; NaN where it is not defined.",
    "queuecast_queue_real_wape": "WAPE in percent of the forecasts of the last 30 days, against what happened; NaN likewise.",
    "queuecast_queue_real_coverage": "Percent of what happened in the last 30 days that lay within the forecasts' bounds.",
}
OF_LIMITS: dict[Callable[[Forecast, datetime], Exceedance | None], str] = {
    over_limit: "at the queue's limit (its maximum, else what it is guaranteed) or above it: likely, and possible besides.",
    beyond_share: "above what the queue is guaranteed, likewise.",
}
OF_BREACHES = {
    "queuecast_queue_breach_probability": "Chance that it reaches its limit in what is ahead; 0.05 = less, 0.95 = more.",
    "queuecast_queue_breach_hours": "Hours at the limit that are expected.",
    "queuecast_queue_breach_first_timestamp_seconds": "When first, by the middle of the paths that reach it.",
}


def queues_now(newest: Iterable[tuple[Forecast, ErrorSums | None]], now: datetime) -> list[Metric]:
    """Of each series' newest forecast its MAPE, and how those of the last month compare with what happened; NaN = not defined.
    Of each queue's newest one, whichever job has made it, what it exceeds from `now` on.

    Args:
        newest: the later issued ones last. Series that differ in their step or aggregation alone have the same labels: the last
            one is shown.
        now: steps that are over by then do not count.
    """
    by_labels = {_labels(forecast): (forecast, sums) for forecast, sums in newest}
    by_queue = {labels[:-1]: labels for labels in sorted(by_labels, key=lambda labels: by_labels[labels][0].issued_at)}
    ahead = {labels: by_labels[labels][0] for labels in by_queue.values()}
    return [*_accuracy(by_labels), *_limits(ahead, now), *_breaches(ahead, now)]


def _accuracy(by_labels: Mapping[Labels, tuple[Forecast, ErrorSums | None]]) -> list[Metric]:
    mape, wape, coverage = (GaugeMetricFamily(name, meaning, labels=OF_A_SERIES) for name, meaning in OF_QUEUES.items())
    for labels, (forecast, sums) in by_labels.items():
        mape.add_metric(labels, _defined(forecast.mape))
        if sums is not None:
            wape.add_metric(labels, _defined(sums.wape))
            coverage.add_metric(labels, _defined(sums.coverage))
    return [mape, wape, coverage]


def _limits(ahead: Mapping[Labels, Forecast], now: datetime) -> Iterable[Metric]:
    """How many steps ahead exceed a limit, and when the first of them begins; nothing where that is not known."""
    for tell, meaning in OF_LIMITS.items():
        name, certain = f"queuecast_queue_{tell.__name__}", [*OF_A_SERIES, "certainty"]
        steps = GaugeMetricFamily(f"{name}_steps", f"Steps ahead {meaning}", labels=certain)
        first = GaugeMetricFamily(f"{name}_first_timestamp_seconds", f"When the first step begins {meaning}", labels=certain)
        for labels, forecast in ahead.items():
            found = tell(forecast, now) if steps_over(forecast, now) < forecast.horizon_steps else None
            if found is not None:
                for certainty, starts in (("likely", found.likely), ("possible", found.possible)):
                    steps.add_metric([*labels, certainty], len(starts))
                    if starts:
                        first.add_metric([*labels, certainty], starts[0].timestamp())
        yield from (steps, first)


def _breaches(ahead: Mapping[Labels, Forecast], now: datetime) -> list[Metric]:
    chance, hours, first = (GaugeMetricFamily(name, meaning, labels=OF_A_SERIES) for name, meaning in OF_BREACHES.items())
    for labels, forecast in ahead.items():
        if (breach := breach_ahead(forecast, now)) is not None:
            if breach.likelihood.share is not None:
                chance.add_metric(labels, breach.likelihood.share)
            hours.add_metric(labels, breach.hours)
            if breach.first_at is not None:
                first.add_metric(labels, breach.first_at.timestamp())
    return [chance, hours, first]


def _labels(forecast: Forecast) -> Labels:
    cluster = f"{forecast.cluster}?{forecast.where}" if forecast.where else forecast.cluster  # as where nobody names one
    texts = (forecast.project, cluster, forecast.queue, forecast.metric, forecast.job)
    return tuple(label(text) for text in texts)


def _defined(value: float | None) -> float:
    return math.nan if value is None else value

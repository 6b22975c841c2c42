"""Earlier forecasts against what happened since: scored when a job has just read the actual values of their queue.

What comes of it is kept by lead time, shown to people, and told to Prometheus. It never decides over the job: whatever goes wrong
here is in the log, and the forecast goes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import add

import structlog

from shared import metrics
from shared.accuracy import AccuracyFilter
from shared.errors import ServiceError
from shared.jobs import JobRequest
from worker.pipeline.accuracy import actuals_of, score_forecast
from worker.resources import resources

REACH = timedelta(days=35)  # of the look back; what is older has been scored, or will never be
DAY = timedelta(days=1)
MOST_FORECASTS = 100  # scored in one go

log = structlog.get_logger(__name__)


def look_back(request: JobRequest, queue: str, issued_at: datetime) -> None:
    """Score the queue's earlier forecasts whose steps have become actual values until `issued_at`."""
    try:
        _score(request, queue, issued_at)
    except ServiceError:
        raise
    except Exception:  # the past must not cost the future
        log.exception("earlier forecasts could not be scored", queue=queue)


def _score(request: JobRequest, queue: str, issued_at: datetime) -> None:
    store, step = resources().store, request.step_seconds
    since = issued_at - REACH
    waiting = store.forecasts.unverified(queue, request.target, step, since=since, before=issued_at, limit=MOST_FORECASTS)
    if not waiting:
        return
    actuals = actuals_of(store.actuals.get(queue, request.target, step, waiting[0].issued_at - DAY, issued_at), step)
    if actuals is None:
        return
    store.accuracy.save([record for forecast in waiting for record in score_forecast(forecast, actuals)])
    last_month = AccuracyFilter.last_month(request.target, step, issued_at, request.job_name)
    leads = store.accuracy.by_lead(queue, last_month)
    if leads:
        metrics.looked_back(queue, reduce(add, leads.values()))

"""What is old goes: once an hour, slice by slice, so that nobody waits for it for long. How old that is, the settings say.

Two that do this at once do no harm, and what a crash leaves is old in the next hour too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from shared.durations import Duration
from worker.resources import resources

PERIOD_SECONDS = 3_600.0
SLICE = 200  # records of one transaction
MOST_SLICES = 500  # of one kind in one go: 100,000 records

log = structlog.get_logger(__name__)


def forget_old(now: datetime) -> dict[str, int]:
    """Let go of everything that is older than the settings want it kept; kind → how many went, where any did."""
    store, settings = resources().store.retention, resources().settings
    gone = {
        "keys": _sliced(store.free_keys, settings.keep_keys, now),
        "jobs": _sliced(store.forget_jobs, settings.keep_jobs, now),
        "forecasts": _sliced(store.forget_forecasts, settings.keep_forecasts, now),
        "accuracy": _sliced(store.forget_accuracy, settings.keep_forecasts, now),
        "actuals": 0,
    }
    if settings.keep_actuals is not None:
        for series in store.series():
            gone["actuals"] += _sliced(partial(store.forget_actuals, series), settings.keep_actuals, now)
    found = {kind: count for kind, count in gone.items() if count}
    if found:
        log.info("old records are gone", **found)
    return found


def _sliced(forget: Callable[[datetime, int], int], kept: Duration | None, now: datetime) -> int:
    if kept is None:
        return 0
    gone, before = 0, kept.before(now)
    for _ in range(MOST_SLICES):
        slice_ = forget(before, SLICE)
        gone += slice_
        if not slice_:
            break
    return gone

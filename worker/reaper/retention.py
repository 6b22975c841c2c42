"""What is old goes: once an hour, slice by slice, so that nobody waits for it for long. How old that is, the settings say.

Two that do this at once do no harm, and what a crash leaves is old in the next hour too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from shared.config.settings import UPLOADS
from shared.domain.durations import Duration
from shared.drivers.uploads_folder import UploadsFolder
from shared.errors import ServiceError
from shared.store.tables import TABLES
from worker.job.resources import Resources

PERIOD_SECONDS = 3_600.0
SLICE = 200  # records of one transaction
MAX_SLICES = 500  # of one kind in one go: 100,000 records

log = structlog.get_logger(__name__)


def forget_old(resources: Resources, now: datetime) -> dict[str, int]:
    """Let go of everything that is older than the settings want it kept; kind → how many went, where any did."""
    store, settings = resources.store.retention, resources.settings
    gone = {"keys": _sliced(store.free_keys, _start(settings.keep_keys, now))}
    for table in TABLES:
        if table.kept.by:
            before = _start(getattr(settings, table.kept.setting), now) if table.kept.setting else now
            parts = store.parts(table) if before else []
            gone[table.name] = sum(_sliced(partial(store.forget, table, part=part), before) for part in parts)
    if before := _start(settings.keep_uploads, now):
        gone["uploads"] = UploadsFolder(settings.data_dir / UPLOADS).forget(before)
    counts = {kind: count for kind, count in gone.items() if count}
    if counts:
        log.info("old records are gone", **counts)
    return counts


def _start(kept: Duration | None, now: datetime) -> datetime | None:
    """Since when records are kept; None = for ever."""
    return kept.before(now) if kept is not None else None


def _sliced(forget: Callable[[datetime, int], int], before: datetime | None) -> int:
    gone = 0
    if before is None:
        return gone
    try:
        for _ in range(MAX_SLICES):
            slice_ = forget(before, SLICE)
            gone += slice_
            if not slice_:
                break
    except ServiceError:
        raise
    except Exception:  # about some record; the other kinds go on, and this one is tried again in an hour
        log.exception("old records could not be dropped")
    return gone

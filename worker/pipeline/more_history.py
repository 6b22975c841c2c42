"""Whether a longer history could be asked for that would let models learn weeks: then one sentence says so."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.forecasts import ForecastSpec
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from worker.models.base import MIN_SEASONS
from worker.pipeline.backtest import known_steps
from worker.pipeline.snapshot import Snapshot
from worker.sources.base import LOOK_BACK, Reading

WEEKS = timedelta(weeks=MIN_SEASONS)  # what a model of weeks has to see before the first window


def more_history(snapshot: Snapshot, reading: Reading, spec: ForecastSpec) -> str | None:
    """What to ask for; None where weeks can be learned, the source has no more, or steps are no part of a day."""
    first_training_part = (known_steps(snapshot) - spec.held_back_steps) * spec.step_seconds
    if spec.step_seconds >= SECONDS_PER_DAY or first_training_part >= WEEKS.total_seconds() or reading.oldest_at is None:
        return None
    if reading.oldest_at > snapshot.start_at - timedelta(days=1) or snapshot.end_at - snapshot.start_at >= LOOK_BACK:
        return None
    return (
        "the history asked for is too short to learn weeks, and the source has more, "
        f"from {reading.oldest_at:{MINUTE}} on at the latest: ask for `data_ingestion_time_period` of {LOOK_BACK.days}d"
    )

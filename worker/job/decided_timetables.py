"""Timetables that a decision tells of: recurring capacities by the hour, where they would have paid on a queue's own past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from shared.domain.forecasts import Forecast
from shared.domain.identifiers import shown
from shared.domain.timetables import in_words
from shared.store.replays import KeptReplay
from worker.job.decided_asked import Asked, Decided

FEW = 5  # queues that are told of


def with_timetables(asked: Asked, decided: Decided) -> Decided:
    """What was decided, with the timetables that are offered for the queues that were replayed for it."""
    by_id = {forecast.series_id: forecast for forecast in decided.forecasts}
    replays = asked.resources.store.replays.of([*by_id], decided.forecasts[0].job)
    lines = (_line(asked, by_id[series_id], kept) for series_id, kept in sorted(replays.items(), key=lambda each: each[1].queue))
    return replace(decided, because=(*decided.because, *islice((line for each in lines for line in each), FEW)))


def _line(asked: Asked, forecast: Forecast, kept: KeptReplay) -> Iterator[str]:
    timetable = None if kept.verdict is None else kept.verdict.timetable
    if timetable is None or not timetable.is_offered or kept.issued_at is None:
        return
    first = replace(forecast, issued_at=kept.issued_at).start_of(1).astimezone(asked.zone)
    starts = [first + number * timedelta(seconds=forecast.step_seconds) for number in range(timetable.segments[-1].end)]
    yield f"{shown(kept.queue)}: {timetable.sentence.rstrip('.')}: {in_words(timetable.segments, starts, forecast.unit)}."

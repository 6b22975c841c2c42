"""What was wrong with a queue's data and what was done about it, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from shared.reports import QualityReport
from worker.pipeline.snapshot import Snapshot
from worker.prepare.clean import clean, is_constant
from worker.prepare.gaps import SECONDS_PER_DAY, fill_gaps, gap_runs

FILLED_SHARE_LIMIT = 0.2
SEASONS_NEEDED = 2  # days: a daily pattern seen once is no pattern


def quality_report(snapshot: Snapshot, *, rows: int, duplicates: int, non_finite: int, notes: tuple[str, ...]) -> QualityReport:
    """The report on one queue; its lines follow the order of the preparation.

    Args:
        rows, duplicates, non_finite: raw rows, as the source counted them; `notes`: what source and snapshot left out.
    """
    gaps = [end - first for first, end in gap_runs(snapshot.frame[snapshot.target].isna().to_numpy())]
    filled, longest = sum(gaps), max(gaps, default=0)
    _, dropped = clean(fill_gaps(snapshot.frame, snapshot.step_seconds), snapshot.target)
    lines = [
        *_counted(duplicates, "row repeats a timestamp", "rows repeat a timestamp", "of each timestamp the last was kept"),
        *_counted(non_finite, "value is empty or not finite", "values are empty or not finite", "left out"),
        *notes,
        *_counted(filled, "step without a value", "steps without a value", f"filled; the longest gap has {longest}"),
        *(f"column {name!r} dropped: {why}" for name, why in dropped.items()),
    ]
    return QualityReport(
        rows=rows,
        steps=snapshot.length,
        duplicates=duplicates,
        non_finite=non_finite,
        filled_steps=filled,
        filled_share=filled / snapshot.length,
        longest_gap_steps=longest,
        start_at=snapshot.start_at,
        end_at=snapshot.end_at,
        dropped_columns=dropped,
        notes=tuple(lines),
        warnings=tuple(_warnings(snapshot, filled / snapshot.length)),
    )


def _counted(count: int, one: str, many: str, done: str) -> list[str]:
    return [f"{count:,} {one if count == 1 else many}: {done}"] if count else []


def _warnings(snapshot: Snapshot, filled_share: float) -> Iterator[str]:
    values = snapshot.frame[snapshot.target]
    if filled_share > FILLED_SHARE_LIMIT:
        yield f"{filled_share:.0%} of the steps had no value and were filled; forecasts learn from the filled values too"
    if not values.any():
        yield "every value is zero: the forecast is zero, nothing else is tried"
    elif is_constant(values):
        yield f"every value is {values.median():g}: the forecast is that constant, nothing else is tried"
    hours = snapshot.length * snapshot.step_seconds / 3_600
    if hours * 3_600 < SEASONS_NEEDED * SECONDS_PER_DAY:
        yield f"only {hours:g} hours of history, less than {SEASONS_NEEDED} days: only baselines are tried"

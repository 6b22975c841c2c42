"""What was wrong with a queue's data and what was done about it, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from shared.domain.forecasts import ForecastSpec
from shared.domain.identifiers import listed
from shared.domain.reports import QualityReport
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.domain.wording import digits
from worker.models.base import MIN_SEASONS
from worker.pipeline.backtest import known_steps
from worker.pipeline.doubts import doubts
from worker.pipeline.snapshot import Snapshot
from worker.prepare.clean import clean, is_constant
from worker.prepare.gaps import Way, fill_gaps, gap_runs, ways_of_filling
from worker.sources.base import Reading

MAX_FILLED_SHARE = 0.2
MAX_COLUMNS_NAMED = 5  # of those that one reason is true of
Notes = tuple[str, ...]

LAST_KEPT = "of each timestamp the last was kept"


def quality_report(
    snapshot: Snapshot, reading: Reading, notes: Notes = (), *, spec: ForecastSpec, shifted: str = ""
) -> QualityReport:
    """The report on what was read of one queue; its lines follow the order of the preparation, `notes` are the snapshot's.

    Args:
        spec: how the queue is forecast; nothing is doubted of times that are known to be bad.
        shifted: what is to be said of a change of level; "" = of none.
    """
    missing, ordinary = np.isnan(snapshot.frame[snapshot.target].to_numpy()), snapshot.without(spec.exclude)
    gaps = [end - first for first, end in gap_runs(missing)]
    known = ordinary.frame.iloc[: known_steps(snapshot)]  # a gap at the end may stay one
    learned, dropped = clean(fill_gaps(known, snapshot.step_seconds, spec.fill), snapshot.target, spec.columns)
    ways = ways_of_filling(missing, snapshot.step_seconds, spec.fill)
    filled, longest = sum(ways.values()), max(gaps, default=0)
    return QualityReport(
        rows=reading.rows,
        steps=snapshot.length,
        duplicates=reading.duplicates,
        non_finite=reading.non_finite,
        filled_steps=filled,
        filled_share=filled / snapshot.length,
        longest_gap_steps=longest,
        start_at=snapshot.start_at,
        end_at=snapshot.end_at,
        dropped_columns=dropped,
        notes=(*_read(reading), *notes, *_made(gaps, ways), *_dropped(dropped)),
        warnings=tuple(_warnings(ordinary, learned, filled / snapshot.length, shifted)),
    )


def _read(reading: Reading) -> Iterator[str]:
    """What the source did and left out."""
    yield from _counted(reading.duplicates, "row repeats a timestamp", "rows repeat a timestamp", LAST_KEPT)
    yield from _counted(reading.non_finite, "value is empty or not finite", "values are empty or not finite", "left out")
    yield from reading.notes


def _made(gaps: Sequence[int], ways: Mapping[Way, int]) -> list[str]:
    """How many steps had no value, and what stands there."""
    done = [f"{count:,} filled with {way}" for way, count in ways.items()]
    if left := sum(gaps) - sum(ways.values()):
        done.append(f"{left:,} left as they are, at the end")
    how = f"{', '.join(done)}; the longest gap has {max(gaps, default=0)}"
    return _counted(sum(gaps), "step without a value", "steps without a value", how)


def _dropped(dropped: Mapping[str, str]) -> Iterator[str]:
    """Each column by its name, but where one reason is true of many."""
    by_reason: dict[str, list[str]] = {}
    for name, why in dropped.items():
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        if len(names) > MAX_COLUMNS_NAMED:
            yield f"{len(names):,} columns dropped: {why}: {listed(names, MAX_COLUMNS_NAMED)}"
        else:
            yield from (f"column {name!r} dropped: {why}" for name in names)


def _counted(count: int, one: str, many: str, done: str) -> list[str]:
    return [f"{count:,} {one if count == 1 else many}: {done}"] if count else []


def _warnings(snapshot: Snapshot, learned: pd.DataFrame, filled_share: float, shifted: str) -> Iterator[str]:
    values = snapshot.frame[snapshot.target]
    if filled_share > MAX_FILLED_SHARE:
        yield f"{filled_share:.0%} of the steps had no value and were filled; forecasts learn from the filled values too"
    if not values.any():
        yield "every value is zero: the forecast is zero, nothing else is tried"
    elif is_constant(values):
        yield f"every value is {digits(values.median())}: the forecast is that constant, nothing else is tried"
    else:
        yield from doubts(snapshot, learned, shifted)
    hours = snapshot.length * snapshot.step_seconds / 3_600
    if hours * 3_600 < MIN_SEASONS * SECONDS_PER_DAY:
        told = f"{digits(hours)} hours" if hours >= 1 else f"{digits(60 * hours)} minutes"
        yield f"only {told} of history, less than {MIN_SEASONS} days: only baselines are tried"

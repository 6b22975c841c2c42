"""What was wrong with a queue's data and what was done about it, in numbers and in plain words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

import pandas as pd

from shared.domain.identifiers import listed
from shared.domain.reports import QualityReport
from shared.domain.samples import Fill
from worker.models.base import MIN_SEASONS
from worker.pipeline.backtest import known_steps
from worker.pipeline.snapshot import Snapshot
from worker.prepare.clean import clean, is_constant
from worker.prepare.gaps import SECONDS_PER_DAY, USUAL, Way, fill_gaps, gap_runs, ways_of_filling
from worker.sources.base import Reading

MAX_FILLED_SHARE = 0.2
MAX_COLUMNS_NAMED = 5  # of those that one reason is true of
LAST_KEPT = "of each timestamp the last was kept"
MIN_DAYS_BEFORE, MAX_DAYS_AFTER = 7, 3  # of a change of level: a whole week with its weekend, and what is still news
MIN_CHANGE = 0.1  # relative


def quality_report(
    snapshot: Snapshot, reading: Reading, notes: tuple[str, ...] = (), *, named: Collection[str] = (), fill: Fill = USUAL
) -> QualityReport:
    """The report on what was read of one queue; its lines follow the order of the preparation, `notes` are the snapshot's.

    Args:
        named: the companions that were asked for by name.
        fill: how gaps are filled.
    """
    gaps = [end - first for first, end in gap_runs(snapshot.frame[snapshot.target].isna().to_numpy())]
    known = snapshot.frame.iloc[: known_steps(snapshot)]  # a gap at the end may stay one
    _, dropped = clean(fill_gaps(known, snapshot.step_seconds, fill), snapshot.target, named)
    ways = ways_of_filling(snapshot.frame[snapshot.target].isna().to_numpy(), snapshot.step_seconds, fill)
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
        warnings=tuple(_warnings(snapshot, filled / snapshot.length)),
    )


def level_change(snapshot: Snapshot) -> str | None:
    """Since when the level of the last days is another one, in plain words; None when it is not, or there are too few days.

    Another one is where every daily mean since lies outside the range of all that came before by more than that range. So it was
    found on 0.8 % of the days of 14 resource pools, on 0.4 % of 11 groups of machines, and on 5 % of 60 single ones.
    """
    per_day = SECONDS_PER_DAY // snapshot.step_seconds
    values = snapshot.frame[snapshot.target].to_numpy()
    if len(values) < (MIN_DAYS_BEFORE + 1) * per_day or per_day < 2:
        return None
    days = pd.DataFrame(values[len(values) % per_day :].reshape(-1, per_day)).mean(axis=1)  # NaN for a day without a value
    for count in range(1, min(MAX_DAYS_AFTER, len(days) - MIN_DAYS_BEFORE) + 1):
        before, after = days.iloc[:-count], days.iloc[-count:]
        low, high = before.min(), before.max()
        margin = max(high - low, MIN_CHANGE * high)
        if after.min() > high + margin or after.max() < low - margin:
            since_at = snapshot.end_at - timedelta(seconds=count * per_day * snapshot.step_seconds)
            return (
                f"the level has changed: since {since_at:%Y-%m-%d %H:%M} UTC the daily mean is {after.mean():.4g}, before it was "
                f"{low:.4g} to {high:.4g}; the backtest's scores tell of both levels"
            )
    return None


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


def _warnings(snapshot: Snapshot, filled_share: float) -> Iterator[str]:
    values = snapshot.frame[snapshot.target]
    if filled_share > MAX_FILLED_SHARE:
        yield f"{filled_share:.0%} of the steps had no value and were filled; forecasts learn from the filled values too"
    if not values.any():
        yield "every value is zero: the forecast is zero, nothing else is tried"
    elif is_constant(values):
        yield f"every value is {values.median():g}: the forecast is that constant, nothing else is tried"
    elif changed := level_change(snapshot):
        yield changed
    hours = snapshot.length * snapshot.step_seconds / 3_600
    if hours * 3_600 < MIN_SEASONS * SECONDS_PER_DAY:
        yield f"only {hours:g} hours of history, less than {MIN_SEASONS} days: only baselines are tried"

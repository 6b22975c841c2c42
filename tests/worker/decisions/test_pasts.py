"""The past of a queue as it is replayed: from what was issued, and from the folds of a search. Nothing after a cutoff counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Measures, WindowForecast
from shared.domain.reports import Point
from tests.factories import MONDAY
from tests.worker.job.decided import MB, STEPS, demand, issued, shape
from worker.decisions.cuts import with_cuts
from worker.decisions.pasts import past_of_folds, past_of_issued
from worker.decisions.terms import Terms
from worker.decisions.verdict import verdict

DAYS, HAS = 21, 120 * MB
NEWEST = issued("root.etl", 100 * MB, MONDAY)
POINTS = [Point(timestamp=MONDAY + timedelta(hours=hour), value=demand(hour, 100 * MB, 1)) for hour in range(-DAYS * STEPS, 0)]
NO_MEASURES = Measures(mape=None, wape=None, smape=None, mase=None, rmse=None, skill=None, steps=0, skipped_steps=0)


def folds(count: int) -> list[WindowForecast]:
    """The last days, each predicted by its shape."""
    found = []
    for day in range(-count, 0):
        actual = tuple(demand(STEPS * day + hour, 100 * MB, 1) for hour in range(STEPS))
        at = MONDAY + timedelta(days=day)
        found.append(WindowForecast(origin_at=at, actual=actual, prediction=shape(100 * MB), measures=NO_MEASURES))
    return found


def test_of_issued_forecasts_each_day_has_what_was_said_of_it_and_what_came() -> None:
    said = [issued("root.etl", 100 * MB, MONDAY - timedelta(days=day)) for day in range(14, 0, -1)]
    past = past_of_issued(said, POINTS, NEWEST, HAS, STEPS)
    assert past is not None
    assert [cutoff.at for cutoff in past.cutoffs] == [STEPS * day for day in range(7, 21)]
    assert past.window(past.cutoffs[-1]).tolist() == [point.value for point in POINTS[-STEPS:]]
    middle = past.cutoffs[0].demand.paths.mean(axis=0)  # type: ignore[union-attr] # there is one
    assert middle == pytest.approx(np.array(shape(100 * MB)), rel=0.02)


def test_windows_never_overlap_and_are_over() -> None:
    said = [issued("root.etl", 100 * MB, MONDAY - timedelta(hours=hours)) for hours in range(72, 0, -1)]
    past = past_of_issued(said, POINTS, NEWEST, HAS, STEPS)
    assert past is not None
    places = [cutoff.at for cutoff in past.cutoffs]
    assert all(later - earlier >= STEPS for earlier, later in pairwise(places))
    assert places[-1] + STEPS <= len(past.values)


def test_what_was_issued_without_quantiles_or_for_too_short_a_time_is_left_out() -> None:
    at = MONDAY - timedelta(days=2)
    plain = replace(issued("root.etl", 100 * MB, at), quantiles=Quantiles())
    short = replace(issued("root.etl", 100 * MB, at), prediction=(1.0,))
    assert past_of_issued([plain, short], POINTS, NEWEST, HAS, STEPS) is None
    assert past_of_issued([], [], NEWEST, HAS, STEPS) is None


def test_of_folds_only_misses_of_those_before_are_known() -> None:
    past = past_of_folds(folds(10), POINTS, NEWEST, HAS, STEPS)
    assert past is not None
    assert len(past.cutoffs) == 9  # of the first nothing could be said
    recent = [int(cutoff.demand.is_recent.sum()) for cutoff in past.cutoffs if cutoff.demand]
    misses = [cutoff.demand.paths.shape[0] - days for cutoff, days in zip(past.cutoffs, recent, strict=True) if cutoff.demand]
    assert misses == list(range(1, 10))
    assert recent == [7] * 9


def test_poisoned_values_after_a_cutoff_change_nothing_of_what_was_said_there() -> None:
    poisoned = [replace(point, value=1e9) if number >= len(POINTS) - STEPS else point for number, point in enumerate(POINTS)]
    for made in (POINTS, poisoned):
        past = past_of_folds(folds(10), made, NEWEST, HAS, STEPS)
        assert past is not None
        last = past.cutoffs[-1].demand
        assert last is not None
        assert last.paths.max() < 1e6


def test_a_queue_with_far_too_much_may_be_cut_though_it_was_never_short() -> None:
    said = [issued("root.etl", 100 * MB, MONDAY - timedelta(days=day)) for day in range(14, 0, -1)]
    past = past_of_issued(said, POINTS, NEWEST, 400 * MB, STEPS)
    assert past is not None
    found = verdict(past, Terms())
    assert not found.is_offered
    after = with_cuts(past, Terms(), found)
    assert after.is_offered
    assert "with one that is set once by its first week" in after.sentence
    enough = past_of_issued(said, POINTS, NEWEST, HAS, STEPS)
    assert enough is not None
    other = verdict(enough, Terms())
    assert with_cuts(enough, Terms(), other) == other

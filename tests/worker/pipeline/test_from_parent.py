"""A forecast that is derived from the parent's: its share, its width, and how it is flagged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.forecasts import FROM_PARENT
from shared.domain.moving import Limits
from shared.domain.outlook import why_untold
from shared.domain.units import Unit
from tests.factories import MONDAY, a_forecast, with_distribution
from worker.pipeline.from_parent import Share, from_parent, share_of

HOUR = timedelta(hours=1)
NOW = MONDAY + timedelta(minutes=3)
NEW: dict[str, Any] = {"queue": "root.a.new", "job_id": "job-2", "created_at": NOW}
PARENT = with_distribution(a_forecast(queue="root.a", unit=Unit.MEGABYTES, prediction=(50.0, 60.0, 55.0)))


def test_the_share_is_the_median_over_the_steps_that_both_have() -> None:
    times = [MONDAY + n * HOUR for n in range(4)]
    parent = dict(zip(times, (100.0, 100.0, 0.0, 100.0), strict=True))
    share = share_of({times[0]: 10.0, times[1]: 30.0, times[2]: 5.0, MONDAY - HOUR: 7.0}, parent, 0.9)
    assert share == Share(value=20 / 100, steps=2)
    assert share.words == "20 % of that, by the 2 steps that both have"


def test_where_nothing_was_there_yet_the_guarantee_tells() -> None:
    assert share_of({}, {}, 0.25) == Share(value=0.25, steps=0)
    assert share_of({}, {}, None) is None
    assert share_of({MONDAY: 5.0}, {}, 0.25) is None  # it has had something, and its parent is not known there


def test_it_is_the_parents_times_the_share_and_says_that_it_is() -> None:
    found = from_parent(PARENT, Share(value=0.1, steps=2), **NEW, limits=Limits(guaranteed=8.0))
    assert found.prediction == pytest.approx((5.0, 6.0, 5.5))
    assert (found.model, found.hyperparameters) == (FROM_PARENT, {"parent": "root.a", "share": 0.1})
    assert (found.mape, found.skill, found.paths, found.claims) == (None, None, None, ())
    assert (found.queue, found.created_at, found.guaranteed, found.maximum) == ("root.a.new", NOW, 8.0, None)
    assert (found.issued_at, found.job, found.step_seconds) == (PARENT.issued_at, PARENT.job, PARENT.step_seconds)
    assert "derived from its parent" in str(why_untold(found, MONDAY))


@given(share=st.floats(0.0, 2.0), maximum=st.one_of(st.none(), st.floats(1.0, 100.0)))
def test_it_is_wide_in_order_and_never_more_than_the_parent_or_the_ceiling(share: float, maximum: float | None) -> None:
    found = from_parent(PARENT, Share(value=share, steps=1), **NEW, limits=Limits(maximum=maximum))
    for own, of_parent in ((found.quantiles, PARENT.quantiles), (found.peaks, PARENT.peaks)):
        for lower, upper in zip(own.values, own.values[1:], strict=False):
            assert all(a <= b for a, b in zip(lower, upper, strict=True))
        for mine, its in zip(own.values, of_parent.values, strict=True):
            assert all(a <= min(b, maximum or b) + 1e-9 for a, b in zip(mine, its, strict=True))
    rows = zip(found.lower_bound, found.prediction, found.upper_bound, strict=True)
    assert all(low <= middle <= high for low, middle, high in rows)
    if 0 < share < 0.3 and maximum is None:
        widths = [(high - low) / (share * (top - bottom)) for low, high, bottom, top in _bounds(found, PARENT)]
        assert min(widths) > 1.2


def _bounds(found: object, parent: object) -> list[tuple[float, float, float, float]]:
    sides = [getattr(each, name) for each in (found, parent) for name in ("lower_bound", "upper_bound")]
    return [*zip(*sides, strict=True)]


def test_of_percentages_of_its_own_guarantee_a_queue_may_have_more_than_its_parent() -> None:
    parent = with_distribution(a_forecast(queue="root.a", prediction=(50.0, 60.0, 55.0)))
    found = from_parent(parent, Share(value=1.5, steps=2), **NEW, limits=Limits())
    assert found.prediction == pytest.approx((75.0, 90.0, 82.5))

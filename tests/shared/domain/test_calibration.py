"""Whether chances have held: the measures against their definitions, and when chances are withdrawn."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial

import pytest

from shared.domain.calibration import MAX_ERROR, MIN_DATES, MIN_DAYS, Calibration, ClaimSums, cell, peak_pit, verified
from shared.domain.calibration import verdict as judged
from shared.domain.likelihood import About
from tests.factories import MONDAY

Days = list[tuple[float, bool]]
verdict = partial(judged, dates=MIN_DATES)


def cells_of(days: Days, about: About = About.LIMIT) -> dict[str, ClaimSums]:
    """The sums of what was said and what came."""
    found: dict[str, ClaimSums] = {}
    for said, came in days:
        key = cell(about, said)
        one = ClaimSums(
            days=1, probability=said, happened=came, squared=(said - came) ** 2, expected_hours=2 * said, real_hours=came
        )
        found[key] = found.get(key, ClaimSums()) + one
    return found


def made_up(count: int, bias: float = 0.0) -> Days:
    dice = random.Random(1)
    said = [dice.random() for _ in range(count)]
    return [(each, dice.random() < max(0.0, each - bias)) for each in said]


def test_measures_are_those_of_their_definitions() -> None:
    days = made_up(400)
    [found] = verified(cells_of(days))
    base = sum(came for _, came in days) / 400
    brier = sum((said - came) ** 2 for said, came in days) / 400
    assert (found.about, found.days, found.happened_days) == (About.LIMIT, 400, round(base * 400))
    assert (found.brier, found.skill) == (pytest.approx(brier), pytest.approx(1 - brier / (base * (1 - base))))
    assert (found.expected_hours, found.real_hours) == (pytest.approx(2 * found.predicted_days), pytest.approx(base * 400))
    error = 0.0
    for number, one in enumerate(found.reliability):
        inside = [(said, came) for said, came in days if number / 5 <= said < (number + 1) / 5]
        assert (one.days, one.lowest) == (len(inside), pytest.approx(number / 5))
        assert one.predicted == pytest.approx(sum(said for said, _ in inside) / len(inside))
        assert one.happened == pytest.approx(sum(came for _, came in inside) / len(inside))
        error += len(inside) / 400 * abs(one.predicted - one.happened)
    assert found.calibration_error == pytest.approx(error)
    assert found.calibration_error < 0.06
    assert verified(cells_of([(1.0, True)]))[0].skill is None  # there is nothing to be better than
    assert verified({}) == ()


def test_chances_are_withdrawn_when_they_are_far_off_on_enough_days_and_come_back() -> None:
    right, wrong, few = (cells_of(days) for days in (made_up(200), made_up(200, bias=0.3), made_up(MIN_DAYS - 1, bias=0.3)))
    fine = verdict(right, None, MONDAY)
    assert (fine.lost_at, fine.days) == (None, 200)
    assert fine.error is not None
    assert fine.error < MAX_ERROR
    assert verdict(few, fine, MONDAY).lost_at is None
    lost = verdict(wrong, fine, MONDAY)
    assert lost.lost_at == MONDAY
    later = MONDAY + timedelta(days=1)
    assert verdict(wrong, lost, later).lost_at == MONDAY
    assert verdict(few, lost, later).lost_at == MONDAY  # a pause proves nothing
    assert verdict(few, lost, MONDAY + timedelta(days=31)).lost_at is None  # nothing of it is left in the last month
    assert verdict(right, lost, later).lost_at is None
    assert verdict({}, None, MONDAY).error is None


def test_one_bad_day_of_many_queues_withdraws_nothing() -> None:
    right, wrong = cells_of(made_up(500)), cells_of(made_up(500, bias=0.3))
    for dates in (1, MIN_DATES - 1):
        assert judged(wrong, None, MONDAY, dates=dates) == Calibration(
            checked_at=MONDAY, days=500, dates=dates, error=verdict(wrong, None, MONDAY).error
        )
    lost = verdict(wrong, None, MONDAY)
    assert judged(right, lost, MONDAY, dates=MIN_DATES - 1).lost_at == MONDAY  # neither does one good day bring it back
    assert verdict(right, lost, MONDAY).lost_at is None


def test_levels_are_pooled_in_the_verdict_and_counted_once_in_days() -> None:
    both = cells_of(made_up(150)) | cells_of(made_up(120), About.GUARANTEED)
    assert verdict(both, None, MONDAY).days == 150
    assert [each.about for each in verified(both)] == [About.GUARANTEED, About.LIMIT]


def test_peaks_are_counted_by_tenths() -> None:
    assert [cell("peak", share, 10) for share in (0.0, 0.55, 1.0)] == ["peak:0", "peak:5", "peak:9"]
    assert peak_pit({"peak:3": ClaimSums(days=4), "peak:9": ClaimSums(days=1)}) == (0, 0, 0, 4, 0, 0, 0, 0, 0, 1)

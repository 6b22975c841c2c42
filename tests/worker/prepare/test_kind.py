"""The kind of a series, from what its past shows."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.series_kind import SeriesKind
from tests.factories import a_load
from worker.prepare.kind import FloatArray, kind_of, strength

HOURS = np.arange(28 * 24)
RNG = np.random.default_rng(7)


def in_use(share: float) -> FloatArray:
    """In use at random: this share of the steps."""
    return np.where(RNG.random(len(HOURS)) < share, 40.0, 0.0)


def wandering() -> FloatArray:
    return np.abs(50 + RNG.normal(size=len(HOURS)).cumsum())


KINDS: dict[str, tuple[FloatArray, SeriesKind | None]] = {
    "nothing at all": (HOURS * 0.0, SeriesKind.IDLE),
    "always the same": (HOURS * 0.0 + 42, SeriesKind.STEADY),
    "a wave of a day with noise": (a_load().to_numpy(), SeriesKind.SEASONAL),
    "once a day, always at nine": (np.where(HOURS % 24 == 9, 40.0, 0.0), SeriesKind.SEASONAL),
    "a day of every week": (np.where(HOURS % 168 < 24, 40.0, 1.0), SeriesKind.SEASONAL),
    "every third hour or so": (in_use(0.3), SeriesKind.INTERMITTENT),
    "every third day or so": (in_use(0.014), SeriesKind.IDLE),
    "a level with noise": (50 + RNG.normal(size=len(HOURS)), SeriesKind.STEADY),
    "a level that wanders": (wandering(), SeriesKind.STEADY),
    "erratic, each hour by itself": (RNG.gamma(1.2, 40, len(HOURS)) + 5, SeriesKind.NOT_FORECASTABLE),
    "too short to tell": (a_load(71).to_numpy(), None),
}


@pytest.mark.parametrize(("values", "kind"), KINDS.values(), ids=KINDS)
def test_each_series_is_of_one_kind(values: FloatArray, kind: SeriesKind | None) -> None:
    assert kind_of(values, 24) is kind


def test_steps_of_days_have_a_week_alone() -> None:
    weeks = np.where(np.arange(70) % 7 < 5, 40.0, 10.0)
    assert kind_of(weeks, 1) is SeriesKind.SEASONAL


def test_the_strength_of_noise_is_small_and_of_a_pure_season_one() -> None:
    assert strength(RNG.normal(size=14 * 24), 24) < 0.2
    assert strength(np.sin(HOURS / 24 * 2 * np.pi), 24) == pytest.approx(1.0)
    assert strength(np.sin(HOURS[:47]), 24) == 0.0

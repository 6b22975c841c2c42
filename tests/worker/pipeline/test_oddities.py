"""Values that are numbers, and cannot well be what they say."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.factories import a_load
from worker.pipeline.oddities import oddities, other_unit

HOUR = 3_600
LOAD = a_load()
RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda load: load.where(load.index < load.index[168], load / 100),
            "since 2025-12-29 00:00 UTC the values are about .* times lower than before",
        ),
        (lambda load: load.where(load.index < load.index[300], load * 1_024), "times higher than before"),
        (lambda load: load.where(np.arange(336) % 2 == 0, load / 100), "168 of 336 values.* times lower than the others"),
        (lambda load: load.where(np.arange(336) % 9 != 4, load * 1_000), "37 of 336 values.* times higher than the others"),
    ],
    ids=["a fraction since", "kilobytes since", "every other a fraction", "some in another unit"],
)
def test_another_unit_in_between_is_told(change: Callable[[pd.Series], pd.Series], said: str) -> None:
    assert re.search(said, str(other_unit(change(LOAD), HOUR)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda load: load.where((np.arange(336) < 100) | (np.arange(336) >= 150), 42.0),
            "exactly 42 in 50 steps from .* stood still",
        ),
        (lambda load: load.where(np.arange(336) % 25 != 0, 9_999.0), r"14 of 336 values are 9999.*`missing_values` to \[9999\]"),
    ],
    ids=["a sensor", "a code"],
)
def test_a_sensor_that_stands_still_and_a_code_for_no_value_are_told(change: Callable[[pd.Series], pd.Series], said: str) -> None:
    [warning] = oddities(change(LOAD), HOUR)
    assert re.search(said, warning)


@pytest.mark.parametrize(
    "values",
    [
        LOAD,
        LOAD.where(np.arange(336) < 288, LOAD * 2.5),  # a change of level
        LOAD.where(np.arange(336) % 24 < 20, 100.0),  # at its limit each evening
        LOAD.where((np.arange(336) < 100) | (np.arange(336) >= 150), LOAD.max()),  # at its limit for days
        LOAD.where(np.arange(336) % 7 != 0, 0.0),  # idle now and then
        pd.Series(np.where(RANDOM.random(336) < 0.3, RANDOM.uniform(20, 100, 336), 0.4), index=LOAD.index),  # bursts
        pd.Series(np.repeat(RANDOM.integers(1, 9, 12), 28) * 1_024.0, index=LOAD.index),  # memory of services that stay
        pd.Series(RANDOM.lognormal(1, 1.5, 336), index=LOAD.index),
        LOAD.iloc[:5],
    ],
    ids=["load", "level", "evenings", "limit", "idle", "bursts", "services", "wild", "short"],
)
def test_what_is_usual_is_not_told(values: pd.Series) -> None:
    assert [*oddities(values, HOUR), other_unit(values, HOUR)] == [None]

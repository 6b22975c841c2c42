from __future__ import annotations

import numpy as np
import pytest

from shared.domain.forecasts import Candidate
from shared.domain.timegrid import TimeGrid
from tests.factories import MONDAY, a_load, a_spec
from worker.pipeline.backtest import backtest
from worker.pipeline.score import score
from worker.pipeline.snapshot import Snapshot, make_snapshot
from worker.prepare.digits import rounded


def test_ten_digits_stay_whatever_the_size() -> None:
    values = np.array([1 / 3, -2e9 / 3, 1e-7 / 3, 0.1 + 0.2, 4.0])
    assert rounded(values).tolist() == [0.3333333333, -666666666.7, 3.333333333e-8, 0.3, 4.0]


def test_what_has_no_digits_stays_as_it_is() -> None:
    odd = np.array([0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7e308])
    assert np.array_equal(rounded(odd), odd, equal_nan=True)


def snapshot_of(nudge: float) -> Snapshot:
    """Five days; each value is moved to its neighbour among the floats."""
    load = a_load(5 * 24)
    frame = load.to_frame().assign(used_capacity=np.nextafter(load.to_numpy(), nudge))
    return make_snapshot(frame, queue="root.etl", target="used_capacity", grid=TimeGrid(3_600), issued_at=MONDAY)[0]


@pytest.mark.parametrize("model", ["prophet", "ets", "lstm"])
def test_samples_that_differ_in_the_last_bit_have_the_same_forecast(model: str) -> None:
    candidate = Candidate(model=model, hyperparameters={"epochs": 5} if model == "lstm" else {})
    spec = a_spec(windows=1)
    low, high = (score(candidate, backtest(snapshot_of(nudge), spec), spec) for nudge in (-np.inf, np.inf))
    assert low.windows == high.windows

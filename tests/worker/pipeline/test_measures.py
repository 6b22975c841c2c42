"""The measures, against worked examples and against utilsforecast.

Where utilsforecast differs on purpose: fractions instead of per cent; its sMAPE has no factor 2 (0–1); its MASE takes the scale
from the training frame itself, with the season given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from utilsforecast import losses

from tests.factories import a_load
from worker.models.base import FloatArray
from worker.pipeline import measures

NAN = float("nan")


def measure(actual: list[float], prediction: list[float], reference: list[float] | None = None, scale: float = 1.0) -> Any:
    return measures.measure([(np.array(actual), prediction, np.array(reference or [NAN] * len(actual)), scale)])


def an_example(seed: int = 3) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Training part, actual values with one zero, and a prediction."""
    load = a_load(10 * 24, seed=seed).to_numpy()
    actual = load[-48:].copy()
    actual[5] = 0.0
    return load[:-48], actual, load[-72:-24] * 1.1


def oracle(name: str, actual: FloatArray, prediction: FloatArray, train: FloatArray, **settings: Any) -> float:
    frame = pd.DataFrame({"unique_id": "q", "ds": range(len(actual)), "y": actual, "f": prediction})
    if name == "mase":
        settings |= {"train_df": pd.DataFrame({"unique_id": "q", "ds": range(len(train)), "y": train})}
    function: Callable[..., pd.DataFrame] = getattr(losses, name)
    return float(function(frame, models=["f"], **settings)["f"].iloc[0])


@pytest.mark.parametrize(("name", "factor"), [("mape", 100), ("smape", 200), ("rmse", 1), ("nd", 100)])
def test_measures_agree_with_utilsforecast(name: str, factor: int) -> None:
    train, actual, prediction = an_example()
    ours = getattr(measures, {"nd": "wape"}.get(name, name))(actual, prediction)
    assert ours == pytest.approx(factor * oracle(name, actual, prediction, train), rel=1e-12)


def test_mase_agrees_with_utilsforecast() -> None:
    train, actual, prediction = an_example()
    ours = measures.mase(actual, prediction, np.full(48, measures.mase_scale(train, 24)))
    assert ours == pytest.approx(oracle("mase", actual, prediction, train, seasonality=24), rel=1e-12)


def test_pinball_loss_agrees_with_utilsforecast() -> None:
    _train, actual, prediction = an_example()
    frame = pd.DataFrame({"unique_id": "q", "ds": range(48), "y": actual, "f": prediction})
    theirs = losses.quantile_loss(frame, models={"f": "f"}, q=0.95)["f"].iloc[0]
    assert measures.pinball(actual, prediction, 0.95) == pytest.approx(theirs, rel=1e-12)


def test_crps_agrees_with_utilsforecast() -> None:
    _train, actual, prediction = an_example()
    deciles = prediction + np.linspace(-8, 9, 9)[:, np.newaxis]
    frame = pd.DataFrame({"unique_id": "q", "y": actual} | {f"f{place}": values for place, values in enumerate(deciles)})
    columns = {"f": [f"f{place}" for place in range(9)]}
    theirs = losses.scaled_crps(frame, models=columns, quantiles=measures.DECILES)["f"].iloc[0]
    assert measures.crps(actual, deciles) == pytest.approx(100 * theirs, rel=1e-12)
    same = np.repeat(prediction[np.newaxis], 9, axis=0)
    assert measures.crps(actual, same) == pytest.approx(measures.wape(actual, prediction))
    assert measures.crps(np.full(48, NAN), same) is None


def test_steps_with_a_zero_are_left_out_of_mape_and_counted() -> None:
    result = measure([100.0, 0.0, 1e-10, 50.0], [90.0, 5.0, 5.0, 60.0])
    assert result.mape == pytest.approx((10 + 20) / 2)
    assert (result.steps, result.skipped_steps) == (4, 2)
    assert result.wape == pytest.approx(100 * 30 / 150)


def test_steps_without_an_actual_value_are_not_scored() -> None:
    assert measure([100.0, NAN], [90.0, 7.0]) == measure([100.0], [90.0])


def test_an_idle_queue_has_no_relative_measures_but_an_absolute_one() -> None:
    result = measure([0.0, 0.0], [1.0, 1.0], reference=[0.0, 0.0])
    assert (result.mape, result.wape, result.skill) == (None, None, None)
    assert (result.rmse, result.smape) == (1.0, 200.0)


def test_nothing_to_score_gives_nothing() -> None:
    result = measure([NAN], [1.0])
    assert (result.mape, result.wape, result.smape, result.mase, result.rmse, result.skill) == (None,) * 6
    assert result.steps == 0


def test_zero_forecast_as_zero_is_exact_for_smape() -> None:
    assert measure([0.0, 1.0], [0.0, 1.0]).smape == 0.0


def test_skill_is_one_minus_the_ratio_to_the_seasonal_naive() -> None:
    assert measure([10.0, 10.0], [9.0, 11.0], reference=[6.0, 6.0]).skill == pytest.approx(0.75)
    assert measure([10.0, 10.0], [9.0, 11.0], reference=[6.0, NAN]).skill is None
    assert measure([10.0], [9.0], reference=[10.0]).skill is None


def test_mase_is_undefined_on_a_history_shorter_than_a_season_or_without_change() -> None:
    assert np.isnan(measures.mase_scale(np.arange(24.0), 24))
    assert np.isnan(measures.mase_scale(np.ones(72), 24))
    assert measures.mase_scale(np.arange(48.0), 24) == 24.0
    assert measure([1.0], [2.0], scale=NAN).mase is None


def test_coverage_counts_the_borders_in_and_gaps_out() -> None:
    actual = np.array([1.0, 2.0, 3.0, NAN])
    assert measures.coverage(actual, np.ones(4), np.full(4, 2.0)) == pytest.approx(200 / 3)
    assert measures.coverage(actual[3:], np.ones(1), np.ones(1)) is None


floats = arrays.arrays(np.float64, 8, elements=st.floats(-1e6, 1e6))


@given(actual=floats, prediction=floats)
def test_every_measure_is_none_or_finite_and_not_negative(actual: FloatArray, prediction: FloatArray) -> None:
    result = measures.measure([(actual, prediction, actual[::-1].copy(), 1.0)])
    for value in (result.mape, result.wape, result.smape, result.mase, result.rmse):
        assert value is None or (np.isfinite(value) and value >= 0)
    assert result.smape is not None
    assert result.smape <= 200 + 1e-9


def test_a_step_below_a_tenth_of_the_mean_is_near_zero() -> None:
    result = measure([100.0, 5.0, 4.9, 0.0, 90.0], [0.0] * 5)  # the mean is 40
    assert (result.skipped_steps, result.near_zero_steps, result.is_mostly_near_zero) == (1, 1, False)
    assert measure([100.0, 5.0, 4.9, 0.0, 190.0], [0.0] * 5).is_mostly_near_zero

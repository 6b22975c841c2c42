"""VAR: what it learns, and its known traps, each with its reason in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import UnstableFit
from tests.worker.models.histories import a_history, an_extent, lasting_noise
from worker.models.var_model import Var

N = 240


def test_without_covariates_var_is_left_out() -> None:
    reason = Var().missing(an_extent(N))
    assert reason == "it needs at least one covariate beside the target"


@pytest.mark.parametrize(("length", "covariates", "is_enough"), [(47, 1, False), (48, 1, True), (48, 12, False), (49, 12, True)])
def test_var_needs_two_days_and_more_for_many_columns(length: int, covariates: int, is_enough: bool) -> None:
    reason = Var().missing(an_extent(length, covariates=covariates))
    assert (reason is None) is is_enough


def test_a_covariate_that_runs_ahead_is_used() -> None:
    lead = lasting_noise(N + 3, 0)
    target, covariate = lead[:N], lead[3:]  # the target shows three steps later what the covariate shows now
    forecast = Var(criterion="aic").forecast(a_history(N, horizon=3, target=target, covariates=covariate[:, np.newaxis]), 3)
    assert np.abs(forecast - lead[N:]).max() < 0.5 * np.abs(lead[N - 1] - lead[N:]).max()


def test_what_the_hour_of_day_explains_is_added_back() -> None:
    history = a_history(N, horizon=240)
    far_ahead = Var().forecast(history, 240)[-24:]
    hour_means = history.target.reshape(-1, 24).mean(axis=0)
    assert far_ahead == pytest.approx(hour_means, abs=0.5)


@pytest.mark.parametrize(
    ("covariate", "reason"),
    [
        (np.full(N, 7.0), "covariate 1 of 1 is constant"),
        (np.zeros(N), "covariate 1 of 1 is constant"),
        (np.tile(np.arange(24.0), N // 24), "or repeats itself every day"),
        (a_history(N).target * 1_000 + 5, "collinear"),
    ],
    ids=["constant", "zeros", "the same every day", "a multiple of the target"],
)
def test_a_covariate_that_adds_nothing_is_named(covariate: np.ndarray, reason: str) -> None:
    with pytest.raises(UnstableFit, match=reason):
        Var().forecast(a_history(N, covariates=covariate[:, np.newaxis]), 24)


def test_a_target_without_anything_but_its_hours_is_named() -> None:
    with pytest.raises(UnstableFit, match="the target is constant, or repeats itself every day"):
        Var().forecast(a_history(N, target=np.tile(np.arange(24.0), N // 24)), 24)


def test_a_column_that_is_the_sum_of_others_is_collinear() -> None:
    history = a_history(N, covariate_count=2)
    covariates = np.column_stack([history.covariates, history.covariates.sum(axis=1)])
    with pytest.raises(UnstableFit, match="collinear"):
        Var().forecast(a_history(N, covariates=covariates), 24)


def test_columns_whose_size_runs_away_leave_no_fit_defined() -> None:
    growth = 1.1 ** np.arange(N)
    history = a_history(N, target=growth + lasting_noise(N, 0), covariates=(growth + lasting_noise(N, 1))[:, np.newaxis])
    with pytest.raises(UnstableFit, match="explain each other completely"):
        Var().forecast(history, 24)


def test_an_explosive_fit_is_refused() -> None:
    growth = 1.02 ** np.arange(N)
    history = a_history(N, target=growth, covariates=lasting_noise(N, 1)[:, np.newaxis])
    with pytest.raises(UnstableFit, match="explosive"):
        Var().forecast(history, 24)


def test_noise_without_memory_is_refused_rather_than_forecast_by_its_mean() -> None:
    noise = np.random.default_rng(0).normal(size=(N, 2))
    with pytest.raises(UnstableFit, match="bic chose no lag"):
        Var().forecast(a_history(N, target=noise[:, 0], covariates=noise[:, 1:]), 24)

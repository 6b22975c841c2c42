"""VAR: what it learns, and its known traps, each with its reason in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import UnstableFit
from tests.worker.models.histories import a_history, an_extent, lasting_noise
from worker.models.base import FloatArray
from worker.models.var_model import Var

N = 240


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


@pytest.mark.parametrize(("length", "covariates", "is_enough"), [(47, 1, False), (48, 1, True), (48, 12, False), (49, 12, True)])
def test_var_needs_a_covariate_and_two_days_and_more_for_many_columns(length: int, covariates: int, is_enough: bool) -> None:
    assert (Var().missing(an_extent(length, covariates=covariates)) is None) is is_enough
    assert Var().missing(an_extent(length)) == "it needs at least one covariate beside the target"


EVERY_DAY = np.tile(np.arange(24.0), N // 24)
FAST, SLOW = 1.1 ** np.arange(N), 1.02 ** np.arange(N)
WHITE = np.random.default_rng(0).normal(size=(N, 2))
PAIR = a_history(N, covariate_count=2).covariates


# what is odd about the columns → these columns, and what is said of them
UNSTABLE: dict[str, tuple[dict[str, FloatArray], str]] = {
    "a constant": ({"covariates": np.full(N, 7.0)}, "covariate 1 of 1 is constant"),
    "zeros": ({"covariates": np.zeros(N)}, "covariate 1 of 1 is constant"),
    "the same every day": ({"covariates": EVERY_DAY}, "or repeats itself every day"),
    "a multiple of the target": ({"covariates": a_history(N).target * 1_000 + 5}, "collinear"),
    "a sum of others": ({"covariates": np.column_stack([PAIR, PAIR.sum(axis=1)])}, "collinear"),
    "a target of its hours only": ({"target": EVERY_DAY}, "the target is constant, or repeats itself every day"),
    "sizes that run away": (
        {"target": FAST + lasting_noise(N, 0), "covariates": FAST + lasting_noise(N, 1)},
        "explain each other completely",
    ),
    "an explosive fit": ({"target": SLOW, "covariates": lasting_noise(N, 1)}, "explosive"),
    "noise without memory": ({"target": WHITE[:, 0], "covariates": WHITE[:, 1]}, "bic chose no lag"),  # not forecast by its mean
}


@pytest.mark.parametrize(("changes", "reason"), UNSTABLE.values(), ids=UNSTABLE)
def test_columns_without_a_stable_fit_are_refused_with_the_reason(changes: dict[str, FloatArray], reason: str) -> None:
    columns = {name: values.reshape(N, -1) if name == "covariates" else values for name, values in changes.items()}
    with pytest.raises(UnstableFit, match=reason):
        Var().forecast(a_history(N, **columns), 24)

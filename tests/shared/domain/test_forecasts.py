from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.forecasts import Candidate
from tests.factories import MONDAY, a_forecast


def test_the_order_of_hyperparameters_does_not_change_the_id_of_a_candidate() -> None:
    one = Candidate(model="prophet", hyperparameters={"growth": "flat", "scale": 0.5})
    other = Candidate(model="prophet", hyperparameters={"scale": 0.5, "growth": "flat"})
    assert one.candidate_id == other.candidate_id
    assert len(one.candidate_id) == 16


def test_ids_last_longer_than_a_release() -> None:
    assert Candidate(model="seasonal_naive", hyperparameters={"days": 1}).candidate_id == "76474852fce63785"


@pytest.mark.parametrize(
    "other",
    [
        Candidate(model="prophet"),
        Candidate(model="prophet", hyperparameters={"scale": 1}),  # an integer is not the float 1.0
        Candidate(model="prophet", hyperparameters={"scale": "1.0"}),
        Candidate(model="prophet2", hyperparameters={"scale": 1.0}),
    ],
)
def test_another_candidate_has_another_id(other: Candidate) -> None:
    assert other.candidate_id != Candidate(model="prophet", hyperparameters={"scale": 1.0}).candidate_id


def test_a_candidate_is_labelled_for_people() -> None:
    assert Candidate(model="prophet", hyperparameters={"scale": 0.5, "growth": "flat"}).label == "prophet growth=flat scale=0.5"
    assert Candidate(model="last_value").label == "last_value"


def test_a_forecast_has_a_time_for_each_step_beginning_with_its_issue() -> None:
    forecast = a_forecast()
    assert forecast.horizon_steps == 3
    assert forecast.timestamps == [MONDAY + timedelta(hours=number) for number in range(3)]

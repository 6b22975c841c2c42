"""The votes of the weighted blend: what members have from the start, and what the folds make of it."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.forecasts import Candidate
from worker.models.base import FloatArray
from worker.pipeline.ensembles.recipe import blended
from worker.pipeline.ensembles.weighted import CES, LAST_WEEK, POOLED, POWER, REFERENCE, WEEKDAY, fold_blends, learn, votes

A, B, C = REFERENCE, CES, Candidate(model="hour_mean")  # they have one vote each from the start
GROUPS = ((1, 6), (7, 24))


def shares(members: tuple[Candidate, ...], errors: FloatArray, groups: tuple[tuple[int, int], ...] = GROUPS) -> FloatArray:
    """Of each group; `errors` of shape (members, folds), NaN = nothing is known of the fold, the same at all lead times."""
    steps = groups[-1][1]
    actual = np.where(np.isnan(errors[0])[:, np.newaxis], np.nan, np.full((errors.shape[1], steps), 100.0))
    forecasts = 100 + np.repeat(np.nan_to_num(errors)[:, :, np.newaxis], steps, axis=2)
    return votes(learn(members, forecasts, actual, groups, 3_600), [*range(errors.shape[1])])


def test_a_member_that_errs_twice_as_much_has_an_eighth_of_the_votes() -> None:
    found = shares((A, B, C), np.array([[1.0] * 3, [2.0] * 3, [2.0] * 3]))
    assert found == pytest.approx(np.repeat([[0.8], [0.1], [0.1]], 2, axis=1))


def test_newer_folds_count_more_and_one_wild_one_does_not_speak_for_all() -> None:
    newer, older = shares((A, B), np.array([[4.0, 4.0, 1.0], [1.0, 4.0, 4.0]]))[:, 0]
    wild, steady = shares((A, B), np.array([[900.0, 1.0, 1.0, 1.0], [5.0, 5.0, 5.0, 5.0]]))[:, 0]
    assert newer > older
    assert wild > steady


def test_a_fold_without_any_value_counts_for_nothing() -> None:
    known = shares((A, B), np.array([[1.0, 1.0], [2.0, 2.0]]))
    assert shares((A, B), np.array([[np.nan, 1.0, 1.0], [np.nan, 2.0, 2.0]])) == pytest.approx(known)


def test_without_folds_members_have_what_they_have_from_the_start() -> None:
    first, later = (1, 24), (25, 48)
    found = shares((A, LAST_WEEK, WEEKDAY), np.full((3, 1), np.nan), (first, later))
    assert found[:, 0] == pytest.approx(np.array([1.0, 2.0, 1.0]) / 4)
    assert found[:, 1] == pytest.approx(np.array([1.0, 2.0, 0.5]) / 3.5)


def test_a_group_is_drawn_towards_what_a_member_misses_at_all_lead_times() -> None:
    """Twice as good in the first group and as good in the other: with one fold the first has a quarter of its own say."""
    actual, forecasts = np.full((1, 24), 100.0), np.full((2, 1, 24), 102.0)
    forecasts[0, 0, :6] = 101.0
    found = votes(learn((A, B), forecasts, actual, GROUPS, 3_600), [0])
    for group, own in ((0, 1.0), (1, 0.0)):
        logs = np.log(2) * (own + POOLED * 0.5) / (1 + POOLED)
        assert found[0, group] / found[1, group] == pytest.approx(np.exp(POWER * logs))


def test_what_scores_a_fold_was_learned_on_those_that_it_is_apart_from() -> None:
    actual, forecasts = np.full((3, 24), 100.0), np.full((3, 3, 24), 100.0)
    forecasts[0, 2], forecasts[1, :2], forecasts[2, :2] = 150.0, 110.0, 120.0
    made = fold_blends(learn((A, B, C), forecasts, actual, GROUPS, 3_600), forecasts, GROUPS, [[1, 2], [0, 2], [0, 1]], aim=0.0)
    assert set(made[2]) == {150.0}  # the member that was exact before decides alone


def test_half_of_the_way_to_the_least_percentage_error_is_lower() -> None:
    forecasts = np.array([[50.0], [100.0], [102.0], [200.0]])
    weights = [1.0, 0.6, 0.6, 1.1]
    assert blended(forecasts, weights)[0] == 102.0
    assert blended(forecasts, weights, aim=0.5)[0] < 102.0
    assert blended(np.zeros((3, 2)), [1.0, 1.0, 1.0], aim=0.5).tolist() == [0.0, 0.0]

"""What is advised for a queue, in numbers and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from shared.domain.basis import Basis
from shared.domain.likelihood import Likelihood
from shared.domain.outlook import breaches
from shared.domain.recommendations import Confidence, Resource
from shared.domain.units import Unit
from tests.factories import a_forecast, with_distribution
from worker.decisions.objective import Demand
from worker.decisions.question import Question
from worker.decisions.recommend import recommend, recommend_both
from worker.decisions.terms import Facts, Terms
from worker.models.base import FloatArray

GB = 1_024.0
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def night(high: float = 450.0, share: float = 1.0) -> FloatArray:
    """So many GB from 2 to 5 on this share of 40 paths, else a hundred."""
    paths = np.full((40, 24), 100.0)
    paths[: round(40 * share), 2:5] = high
    return paths * GB


def question(paths: FloatArray, present: float, **changes: Any) -> Question:
    asked = Question(
        queue="root.etl",
        demand=Demand.of(paths),
        present=present * GB,
        terms=Terms(),
        facts=Facts(unit=Unit.MEGABYTES, blocks=21, windows=7),
        starts=tuple(MONDAY + timedelta(hours=hour) for hour in range(paths.shape[1])),
    )
    return replace(asked, **changes)


def test_a_raise_says_which_hours_need_it_and_what_it_saves() -> None:
    found = recommend(question(night(), 200))
    assert (found.present, found.proposed) == (200 * GB, 450 * GB)
    assert found.because == "02:00–05:00 needs 450 GB on most days"
    assert (found.before.likelihood, found.after.likelihood) == (Likelihood.ABOVE_95, Likelihood.BELOW_5)
    assert (found.before.hours, found.after.hours) == (pytest.approx(3), 0)
    assert found.before.shortfall == pytest.approx(750)  # GB·h
    assert found.before.cost == pytest.approx(found.before.slack + 10 * found.before.shortfall)
    assert (found.price, found.work_unit) == (pytest.approx(240), "GB·h")
    assert (found.confidence, found.kept_because) == (Confidence.GOOD, "")


def test_what_is_left_says_why_and_from_which_kappa_on_it_would_not_be() -> None:
    found = recommend(question(night(share=0.9), 400))
    assert not found.is_change
    assert "that a change counts" in found.kept_because
    told = found.turns[0]
    assert told.startswith("raised from κ ≥ ")
    kappa = float(told.split()[4])
    assert recommend(question(night(share=0.9), 400, terms=Terms(kappa=kappa))).proposed > 400 * GB
    assert not recommend(question(night(share=0.9), 400, terms=Terms(kappa=kappa - 1))).is_change


def test_a_rarer_need_says_how_rare_it_is() -> None:
    asked = question(night(share=0.25), 300, terms=Terms(kappa=60))
    assert recommend(asked).because == "02:00–05:00 needs 450 GB on one day in 4"


def test_a_lower_says_what_is_enough() -> None:
    found = recommend(question(night(high=100), 400))
    assert found.proposed == 300 * GB
    assert found.notes == ("one change takes no more than 25 % of 400 GB",)
    assert found.because == "nothing needs more than 100 GB on 19 days in 20, of the 400 GB that it has"


def test_a_seldom_need_is_told_where_it_does_not_pay() -> None:
    found = recommend(question(night(share=0.25), 400))
    assert found.is_change
    trade = "75 GB·h more short weigh less than 2,325 GB·h less idle (κ 10)"
    assert found.because == "it wants more than 400 GB for 0.8 h, and on average leaves 291 GB idle; " + trade


def test_hours_of_a_longer_window_name_their_day() -> None:
    paths = np.concatenate([night(high=100), night()], axis=1)
    assert recommend(question(paths, 200, terms=Terms(kappa=30))).because == "Tue 02:00–05:00 needs 450 GB on most days"


def test_little_evidence_makes_a_recommendation_thin_and_tells_no_chance() -> None:
    found = recommend(question(night(), 200, facts=Facts(unit=Unit.MEGABYTES, blocks=4, windows=7)))
    assert (found.confidence, found.before.likelihood, found.is_change) == (Confidence.THIN, None, True)
    assert "4 past forecasts" in found.doubts[0]


def test_chances_that_do_not_hold_are_told_in_words() -> None:
    facts = Facts(unit=Unit.MEGABYTES, blocks=21, is_calibrated=False, basis=Basis(at_least=0.3))
    found = recommend(question(night(), 200, facts=facts))
    assert (found.before.likelihood, found.before.probability) == (Likelihood.LIKELY, None)
    assert len(found.doubts) == 2


def test_too_short_a_history_has_no_confidence_and_changes_nothing() -> None:
    found = recommend(question(night(), 200, facts=Facts(unit=Unit.MEGABYTES, blocks=21, history_days=3.0)))
    assert (found.confidence, found.is_change, found.turns) == (Confidence.NONE, False, ())


def test_a_maximum_that_has_to_be_raised_is_told() -> None:
    assert recommend(question(night(), 200, terms=Terms(maximum=300 * GB))).maximum == 450 * GB


def test_of_one_number_for_both_resources_the_larger_need_wins() -> None:
    memory = question(night(), 300)
    vcores = question(night() / GB, 150 / GB, resource=Resource.VCORES, facts=Facts(unit=Unit.VCORES, blocks=21))
    both = recommend_both(memory, vcores, is_one_number=True)
    assert (both.binding, both.factor) == (Resource.VCORES, 3.0)
    assert both.memory.proposed == 3 * both.memory.present
    assert "vcores need more of it" in both.memory.notes[-1]
    apart = recommend_both(memory, vcores, is_one_number=False)
    assert apart.vcores is not None
    assert (apart.memory.proposed, apart.vcores.proposed) == (450 * GB, 450)


def test_a_queue_is_lowered_no_further_than_either_resource_allows() -> None:
    vcores = question(night() / GB, 450 / GB, resource=Resource.VCORES, facts=Facts(unit=Unit.VCORES, blocks=21))
    both = recommend_both(question(night(high=100), 400), vcores, is_one_number=True)
    assert (both.factor, both.memory.is_change) == (1.0, False)


def test_a_question_takes_what_a_forecast_tells_of_itself() -> None:
    forecast = with_distribution(a_forecast(unit=Unit.PERCENT, guaranteed=100.0))
    now = forecast.issued_at
    asked = Question.of(forecast, 100.0, Terms(), Facts(history_days=28.0), now)
    assert (asked.facts.blocks, asked.facts.unit, asked.facts.history_days) == (14, Unit.PERCENT, 28.0)
    found, breach = recommend(asked), breaches(forecast, [100.0], now)[0]
    assert (found.before.likelihood, found.before.hours) == (breach.likelihood, pytest.approx(breach.hours))
    assert (found.start_at, found.end_at) == (breach.start_at, breach.end_at)


def test_the_week_before_counts_with_the_paths() -> None:
    forecast = with_distribution(a_forecast(unit=Unit.PERCENT, guaranteed=100.0))
    past = np.full(8 * 24, 300.0)
    asked = Question.of(forecast, 100.0, Terms(), Facts(), forecast.issued_at, past=past)
    assert recommend(asked).target == 300.0
    assert recommend(asked).before.hours == recommend(replace(asked, terms=Terms(kappa=20))).before.hours


def test_a_forecast_without_paths_answers_no_question() -> None:
    forecast = a_forecast()
    with pytest.raises(ValueError, match="without paths"):
        Question.of(forecast, 100.0, Terms(), Facts(), forecast.issued_at)

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from shared.domain.forecasts import Candidate, Failure, Outcome, Score
from shared.domain.search_space import REFERENCE
from shared.errors import NeedsMoreHistory, UnknownModel
from tests.factories import a_load, a_spec
from tests.worker.pipeline.factories import a_snapshot, answering, offering
from worker.pipeline.backtest import backtest
from worker.pipeline.score import guarded, score

SPEC = a_spec()
FOLDS = backtest(a_snapshot(), SPEC)


def outcome_of(answer: Any, **changes: Any) -> Outcome:
    """The outcome of a model that answers like this."""
    candidate = Candidate(model="answering")
    with offering(answering=answering(answer)):
        return guarded(candidate, lambda: score(candidate, FOLDS, SPEC), **changes)


def test_a_candidate_that_forecasts_every_window_has_a_score() -> None:
    outcome = score(REFERENCE, FOLDS, SPEC)
    assert [window.origin_at for window in outcome.windows] == [fold.cutoff_at for fold in FOLDS]
    assert outcome.measures.skill == 0
    assert (outcome.measures.steps, outcome.measures.skipped_steps) == (72, 0)
    assert outcome.seconds >= 0


def test_the_score_is_over_all_steps_and_each_window_has_its_own() -> None:
    outcome = outcome_of(50.0)
    assert isinstance(outcome, Score)
    actual = np.concatenate([window.actual for window in FOLDS])
    assert outcome.measures.mape == pytest.approx(100 * np.mean(np.abs(actual - 50) / actual))
    assert outcome.measures.wape == pytest.approx(100 * np.abs(actual - 50).sum() / actual.sum())
    own = [window.measures.mape for window in outcome.windows]
    assert outcome.measures.mape == pytest.approx(np.mean([value for value in own if value is not None]))


def test_a_gap_is_told_as_none_and_not_scored() -> None:
    load = a_load()
    load.iloc[-10] = np.nan
    outcome = score(REFERENCE, backtest(a_snapshot(load), SPEC), SPEC)
    assert [window.actual.count(None) for window in outcome.windows] == [0, 0, 1]
    assert outcome.measures.steps == 71


def test_what_is_scored_is_clipped_like_what_is_delivered() -> None:
    outcome = outcome_of(-5.0)
    assert isinstance(outcome, Score)
    assert set(outcome.windows[0].prediction) == {0.0}


def test_one_of_our_errors_is_a_failure_with_its_reason() -> None:
    outcome = outcome_of(NeedsMoreHistory("needs 48 steps, found 24"))
    assert outcome == Failure(
        candidate=Candidate(model="answering"),
        error="NeedsMoreHistory",
        reason="The model needs more history than there is: needs 48 steps, found 24",
        seconds=outcome.seconds,
    )


def test_an_unexpected_error_of_a_library_is_a_failure_too_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        outcome = outcome_of(np.linalg.LinAlgError("Singular\n  matrix"))
    assert isinstance(outcome, Failure)
    assert (outcome.error, outcome.reason) == ("LinAlgError", "LinAlgError: Singular matrix")
    assert "answering failed" in caplog.text
    assert "Traceback" in caplog.text


def test_a_long_reason_is_cut() -> None:
    outcome = outcome_of(ValueError("x" * 5_000))
    assert isinstance(outcome, Failure)
    assert len(outcome.reason) == 300


def test_a_model_that_this_worker_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(UnknownModel, match="known are ces"):
        score(Candidate(model="oracle"), FOLDS, SPEC)


class TimeIsUpError(Exception):
    """Stands for the task's time limit."""


@pytest.mark.parametrize(
    ("answer", "error"), [(np.nan, "BadForecast"), (MemoryError(), "OutOfMemory"), (TimeIsUpError(), "TimeLimitReached")]
)
def test_what_a_model_does_to_a_worker_is_its_failure_too(answer: Any, error: str) -> None:
    outcome = outcome_of(answer, time_limit=(TimeIsUpError,))
    assert isinstance(outcome, Failure)
    assert outcome.error == error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_the_end_of_the_process_is_nobodys_failure(error: BaseException) -> None:
    with pytest.raises(type(error)):
        outcome_of(error)

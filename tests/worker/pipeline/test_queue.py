"""One run of one queue in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.domain.choice import Effort
from shared.domain.forecasts import Failure
from shared.errors import UndefinedScore
from tests.factories import MONDAY, a_job, a_load, a_request
from tests.worker.pipeline.factories import Fixed, offering
from worker.job.catalogue import model_card
from worker.models import models
from worker.models.base import FloatArray, History, Model
from worker.pipeline.queue import QueueRun, queue_report, run_queue
from worker.sources.base import Reading

READING = Reading(frame=a_load().to_frame(), rows=336)


class OfThePast(Fixed):
    """Knows what has happened, and breaks where it does not: nobody is better in a backtest."""

    def forecast(self, history: History, horizon: int) -> FloatArray:
        return a_load()[history.times[-horizon:].tz_localize("UTC")].to_numpy()


class Broken(Fixed):
    answer = ValueError("no")


def run_with(reading: Reading, baselines: Sequence[str] = ("last_value", "seasonal_naive"), **kinds: type[Model]) -> QueueRun:
    cards = tuple(model_card(name, kind) for name, kind in ({name: models[name] for name in baselines} | kinds).items())
    job = a_job(request=a_request(effort=Effort.THOROUGH))
    with offering(**kinds):
        return run_queue(job, reading, queue="root.etl", issued_at=MONDAY, created_at=MONDAY, cards=cards)


def test_a_winner_that_fails_in_the_last_fit_leaves_its_place_and_both_are_listed() -> None:
    found = run_with(READING, oracle=OfThePast, broken=Broken)
    assert [outcome.candidate.model for outcome in found.outcomes if isinstance(outcome, Failure)] == ["broken"]
    lost = {outcome.candidate.model: outcome.error for outcome in found.selection.leaderboard if isinstance(outcome, Failure)}
    assert lost == {"broken": "ValueError", "oracle": "KeyError"}
    assert found.forecast.model == "seasonal_naive"  # of what is left


def test_the_report_tells_what_the_source_told_and_who_won() -> None:
    found = run_with(replace(READING, duplicates=2, advice=("make an index",)))
    report = queue_report(found.forecast, found.selection, found.prepared.quality)
    assert report.winner == found.selection.winner.candidate
    assert (report.quality.rows, report.quality.duplicates, report.quality.warnings) == (336, 2, ("make an index",))
    assert report.seconds == found.forecast.seconds


def test_a_queue_without_any_score_says_why() -> None:
    with pytest.raises(UndefinedScore, match="broken: ValueError: no"):
        run_with(READING, baselines=(), broken=Broken)


def test_the_report_tells_which_features_of_the_calendar_are_learned_from() -> None:
    found = run_with(replace(READING, frame=a_load(hours=21 * 24).to_frame()), prophet=models["prophet"])
    [told] = [note for note in found.prepared.quality.notes if "calendar" in note]
    assert told == "of the calendar prophet learns from hour, day_of_week, is_weekend, days_from_weekend, beside its own seasons"
    brief = run_with(replace(READING, frame=a_load(hours=9 * 24).to_frame()), prophet=models["prophet"])
    assert not any("calendar" in note for note in brief.prepared.quality.notes)

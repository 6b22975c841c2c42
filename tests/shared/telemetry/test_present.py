"""What is told of jobs, schedules and queues at the moment of a scrape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import Metric

from shared.domain.distribution import Paths
from shared.domain.durations import Duration
from shared.domain.forecasts import Forecast
from shared.domain.jobs import JobState
from shared.domain.schedules import Last
from shared.telemetry.present import jobs_now, schedules_now
from shared.telemetry.present_queues import queues_now
from tests.factories import MONDAY, a_forecast, a_job, a_request, a_schedule

HOUR = timedelta(hours=1)
WEEK_LONG = a_job(request=replace(a_request(), deadline=Duration(7, "d")))


def values(metrics: Iterable[Metric], name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Of a metric by these labels."""
    [metric] = [metric for metric in metrics if metric.name == f"queuecast_{name}"]
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in metric.samples}


@pytest.mark.parametrize(
    ("hours", "overdue"), [(24, 0.0), (7 * 24, 0.0), (7 * 24 + 1, 3_600.0)], ids=["a day old", "due", "an hour late"]
)
def test_a_job_is_overdue_by_its_own_deadline_however_old_it_is(hours: int, overdue: float) -> None:
    told = list(jobs_now([WEEK_LONG], MONDAY + hours * HOUR))
    assert values(told, "overdue_job_seconds") == {(): overdue}
    assert values(told, "oldest_job_seconds") == {(): hours * 3_600.0}


def test_of_several_jobs_the_worst_is_told_and_without_any_nothing_is_late() -> None:
    late = [WEEK_LONG, replace(WEEK_LONG, created_at=MONDAY - HOUR)]
    assert values(jobs_now(late, MONDAY + timedelta(days=7)), "overdue_job_seconds") == {(): 3_600.0}
    assert values(jobs_now([], MONDAY), "overdue_job_seconds") == {(): 0.0}


def late_and_failed(now: datetime, states: dict[str, JobState], **changes: Any) -> tuple[list[float], dict[str, float]]:
    told = list(schedules_now([a_schedule(**changes)], states, now))
    failed = values(told, "schedule_failed", "why")
    return [*values(told, "schedule_late_seconds").values()], {why: value for (why,), value in failed.items()}


def test_a_schedule_is_late_from_its_due_time_on_until_its_job_is_made() -> None:
    due_at = a_schedule().due_at
    assert late_and_failed(due_at - HOUR, {}) == ([0.0], {"skipped": 0.0})
    assert late_and_failed(due_at + HOUR, {}) == ([3_600.0], {"skipped": 0.0})
    assert late_and_failed(due_at + HOUR, {}, is_paused=True) == ([], {})


def test_each_cadence_of_a_schedule_is_late_and_fails_for_itself() -> None:
    crons = {"cron": "0 6 * * 1", "refit_cron": "0 6 * * *", "actuals_cron": "0 * * * *"}
    schedule = a_schedule(**crons, last_refit=Last(job_id="j", skip="because"), due_at=MONDAY + 6 * HOUR)
    told = list(schedules_now([schedule], {"j": JobState.FAILED}, MONDAY + 8 * HOUR))
    late = {"search": 0.0, "refit": 0.0, "actuals": 7_200.0}
    assert values(told, "schedule_late_seconds", "run") == {(run,): seconds for run, seconds in late.items()}
    failed = {run for run, value in values(told, "schedule_failed", "run", "why").items() if value}
    assert failed == {("refit", "skipped"), ("refit", "failed")}


def test_what_came_of_a_schedule_s_last_due_time_is_told_once_it_is_known() -> None:
    def failed(*states: JobState, **changes: Any) -> dict[str, float]:
        return late_and_failed(MONDAY, dict(zip(["j"], states, strict=False)), last_job_id="j", **changes)[1]

    assert failed(JobState.RUNNING) == failed() == {"skipped": 0.0}
    assert failed(JobState.FAILED) == {"skipped": 0.0, "failed": 1.0}
    assert failed(JobState.PARTIAL) == failed(JobState.CANCELLED) == {"skipped": 0.0, "failed": 0.0}
    assert failed(JobState.SUCCEEDED, last_skip="too many jobs") == {"skipped": 1.0, "failed": 0.0}


def at(*prediction: float, **changes: Any) -> Forecast:
    """A forecast of a queue whose maximum is 100."""
    return a_forecast(
        **{"prediction": prediction, "lower_bound": prediction, "upper_bound": prediction, "maximum": 100.0} | changes
    )


def test_the_first_step_at_the_limit_is_told_as_a_moment() -> None:
    told = queues_now([(at(50.0, 100.0, 100.0), None)], MONDAY)
    assert values(told, "queue_over_limit_first_timestamp_seconds", "certainty") == {
        ("likely",): (MONDAY + HOUR).timestamp(),
    }
    assert values(told, "queue_over_limit_steps", "certainty") == {("likely",): 2, ("possible",): 0}
    later = queues_now([(at(50.0, 100.0, 100.0), None)], MONDAY + 2 * HOUR)
    assert values(later, "queue_over_limit_steps", "certainty") == {("likely",): 1, ("possible",): 0}


def test_what_lies_ahead_of_a_queue_is_told_by_its_newest_forecast_only() -> None:
    full, well = at(100.0, 100.0, 100.0, job="often"), at(50.0, 50.0, 50.0, job="rarely")
    for old, new, steps in ((full, well, 0), (well, full, 2)):
        newer = replace(new, issued_at=MONDAY + HOUR)
        for shown in ([old, newer], [newer, old]):
            told = queues_now([(forecast, None) for forecast in shown], MONDAY + 2 * HOUR)
            steps_by_job = values(told, "queue_over_limit_steps", "job", "certainty")
            assert steps_by_job == {(new.job, "likely"): steps, (new.job, "possible"): 0}
            assert values(told, "queue_mape", "job").keys() == {("often",), ("rarely",)}
    others = [full, replace(well, metric="used_memory_mb"), replace(well, queue="root.adhoc"), replace(well, cluster="b")]
    told = queues_now([(forecast, None) for forecast in others], MONDAY)
    assert len(values(told, "queue_over_limit_steps", "queue", "metric", "cluster", "certainty")) == 8


def test_the_chance_of_a_breach_is_told_in_steps_with_its_hours_and_its_time() -> None:
    paths = Paths.of([[50.0, 100.0, 100.0], [50.0, 50.0, 100.0], [50.0] * 3, [50.0] * 3], blocks=14)
    told = queues_now([(at(50.0, 50.0, 50.0, paths=paths), None)], MONDAY)
    assert values(told, "queue_breach_probability") == {(): 0.5}
    assert values(told, "queue_breach_hours") == {(): 0.75}
    assert values(told, "queue_breach_first_timestamp_seconds") == {(): (MONDAY + HOUR).timestamp()}
    never = queues_now([(at(50.0, 50.0, 50.0, paths=Paths.of([[50.0] * 3], blocks=14)), None)], MONDAY)
    assert values(never, "queue_breach_probability") == {(): 0.05}
    assert values(never, "queue_breach_first_timestamp_seconds") == {}
    unknown = queues_now([(at(50.0, 50.0, 50.0), None)], MONDAY)
    assert values(unknown, "queue_breach_probability") == {}

"""The steps on a real run state, a real store and real files, called one after the other without Celery."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.config.settings import Settings
from shared.domain.allowances import UNLIMITED
from shared.domain.choice import Metric
from shared.domain.forecasts import Failure, Forecast, Measures, QueueWork, Score, WindowForecast
from shared.domain.jobs import DataPlaces, Job, JobState, Place, Progress, QueueState, Tally
from shared.domain.reports import QueueReport, ReportedScore
from shared.domain.states import OPEN_STATES
from shared.errors import (
    InvalidRequest,
    QueuecastError,
    QueueNotFound,
    SourceNotFound,
    StateForbids,
    StoreAway,
    TooManyCandidates,
    UnknownConnection,
    UnknownModel,
)
from shared.fleet.runstate import RunState
from shared.lifecycle import NEVER_LET_IN, ON_REQUEST, Lifecycle
from shared.store.forecasts import Forecasts
from shared.store.jobs import Jobs
from shared.store.reports import Reports
from tests.factories import MONDAY, a_job, a_load, a_loss, a_request, a_series, let_in
from tests.scraping import counted_here
from worker.fleet import tasks
from worker.job import steps
from worker.job.ingestion import read_for
from worker.job.resources import Resources, use
from worker.pipeline.forecast import forecast_queue
from worker.pipeline.selection.choose import Terms, choose
from worker.sources.base import Query, Reading

QUEUES = ("root.adhoc", "root.etl")
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
NOTHING_WRONG = Measures(mape=0.0, wape=0.0, smape=0.0, mase=0.0, rmse=0.0, skill=1.0, steps=1, skipped_steps=0)


def submit(here: Resources, **changes: Any) -> Job:
    """A job as the API leaves it: a row and run state."""
    values = {"model": ("hour_mean",), "deadline": a_request().deadline} | changes
    job = here.store.jobs.add(a_job(request=a_request(**values), created_at=datetime.now(UTC)))
    here.run_state.begin_job(job.job_id, job.deadline_at)
    return job


def planned(here: Resources, **changes: Any) -> Job:
    """A job whose queues are let in."""
    job = submit(here, **changes)
    steps.plan(job.job_id)
    let_in(here.run_state, job.job_id)
    return job


def score(job_id: str, queue: str) -> QueueWork:
    """Read a queue, and try every candidate of it."""
    work = steps.ingest(job_id, queue)
    assert work is not None
    assert steps.score(job_id, queue, range(len(work.candidates))) == []
    return work


def run(job_id: str, queues: tuple[str, ...] = QUEUES) -> None:
    """What the tasks of a job do, in one process."""
    steps.plan(job_id)
    let_in(steps.current_resources().run_state, job_id)
    for queue in queues:
        score(job_id, queue)
        assert steps.select(job_id, queue, is_heavy=True) is steps.Selecting.HAS_ENDED
    steps.current_resources().lifecycle.finish(job_id, datetime.now(UTC))


def scored(here: Resources) -> tuple[Job, QueueWork]:
    """A job whose queue `root.etl` has an outcome for every candidate."""
    job = planned(here)
    return job, score(job.job_id, "root.etl")


def test_a_job_for_a_place_that_its_connection_is_not_open_for_is_not_planned(settings: Settings, here: Resources) -> None:
    limited = {"charts": {"kind": "influxdb", "url": "http://127.0.0.1:1", "database": "fc", "writable": ["queue_*"]}}
    job = submit(here, data=DataPlaces(source=Place(name="files"), destination=Place(name="charts", measurement="cpu")))
    known = Settings(data_dir=settings.data_dir, files_dir=settings.files_dir, store_url=settings.store_url, connections=limited)
    with use(Resources(known)), pytest.raises(InvalidRequest, match=r"takes forecasts for fc\.queue_"):
        steps.plan(job.job_id)


@pytest.mark.parametrize(
    ("limits", "error", "reason"),
    [({"projects": ["payroll"]}, UnknownConnection, "known are none"), ({"readable": ["other/*"]}, SourceNotFound, "no CSV")],
)
def test_what_a_connection_may_reach_is_asked_again_at_every_step(
    settings: Settings, here: Resources, limits: dict[str, Any], error: type[QueuecastError], reason: str
) -> None:
    job, _work = scored(here)
    again = here.store.jobs.add(replace(job, job_id="job-2"))
    here.run_state.begin_job("job-2", again.deadline_at)
    files = {"files": {"kind": "files", "path": settings.files_dir, **limits}}
    changed = Settings(data_dir=settings.data_dir, store_url=settings.store_url, connections=files)
    with use(Resources(changed)):
        with pytest.raises(error, match=reason):
            steps.plan(again.job_id)
        with pytest.raises(error, match=reason):
            steps.ingest(job.job_id, "root.adhoc")
        if "projects" in limits:
            with pytest.raises(error, match=reason):
                steps.select(job.job_id, "root.etl", is_heavy=True)


def test_a_queue_that_may_not_be_called_so_costs_the_job_a_warning_and_nothing_else(here: Resources, settings: Settings) -> None:
    assert settings.files_dir is not None
    for file in settings.files_dir.iterdir():
        file.unlink()
    rows = [f'2026-01-04T10:00:00Z,"{queue}",1' for queue in (*QUEUES, "a\x1bb")]
    (settings.files_dir / "all.csv").write_text("\n".join(["timestamp,queue,used_capacity", *rows]))
    job = submit(here)
    steps.plan(job.job_id)
    assert sorted(here.run_state.queue_states(job.job_id)) == list(QUEUES)
    [warning] = here.store.jobs.get(job.job_id).warnings
    assert warning == r"queues left out for their names: 'a\x1bb': it has a control character in it"


def test_a_job_goes_from_its_row_to_its_forecasts_and_leaves_no_run_state(here: Resources) -> None:
    job = submit(here)
    run(job.job_id)
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason, ended.issued_at) == (JobState.SUCCEEDED, None, MONDAY)
    assert ended.progress.queues.done == 2
    assert ended.progress.candidates.done == ended.progress.candidates.total > 0
    for queue in QUEUES:
        [forecast] = here.store.forecasts.find(queue)
        assert forecast.timestamps[0] == MONDAY  # the hour after the last complete hour
        assert forecast.horizon_steps == 24
        assert all(
            0 <= low <= value <= high
            for low, value, high in zip(forecast.lower_bound, forecast.prediction, forecast.upper_bound, strict=True)
        )
        report = here.store.reports.get(job.job_id, queue)
        assert report.state is QueueState.SUCCEEDED
        assert report.winner is not None
        assert report.explanation
        assert {outcome.candidate.model for outcome in report.outcomes} == {"hour_mean", "last_value", "seasonal_naive"}
    points = here.store.actuals.get(a_series().series_id, MONDAY - timedelta(days=1), MONDAY)  # for the charts
    assert [point.timestamp for point in points] == [MONDAY - timedelta(hours=hours) for hours in range(24, 0, -1)]
    assert points[-1].value == pytest.approx(a_load(seed=1).iloc[-1])
    assert here.run_state.client.keys("*job-1*") == []


def test_a_blend_may_be_asked_for_by_name_and_its_members_are_computed(here: Resources) -> None:
    job = submit(here, model=("blend_cheap",), queues=("root.etl",))
    run(job.job_id, queues=("root.etl",))
    standing = [outcome.candidate.model for outcome in here.store.reports.get(job.job_id, "root.etl").outcomes]
    assert set(standing) == {"blend_cheap", "ces", "theta", "hour_mean", "last_value", "seasonal_naive"}


def test_the_shown_wape_is_of_the_window_in_the_middle_and_members_are_not_ranked(here: Resources) -> None:
    job = submit(here, queues=("root.etl",))
    run(job.job_id, queues=("root.etl",))
    report, [forecast] = here.store.reports.get(job.job_id, "root.etl"), here.store.forecasts.find()
    winner = report.outcomes[0]
    assert isinstance(winner, Score)
    assert report.selected_on is ReportedScore.MEDIAN_WINDOW
    assert (forecast.mape, forecast.wape) == (winner.measures.mape, winner.typical_wape)
    told = {each.candidate.model for each in report.outcomes if isinstance(each, Score) and each.measures.crps is not None}
    assert told == {winner.candidate.model}
    assert {outcome.candidate.model for outcome in report.outcomes} <= {
        "blend_weighted",
        "hour_mean",
        "last_value",
        "seasonal_naive",
    }


def test_every_step_may_run_twice_and_the_job_is_counted_once(here: Resources) -> None:
    job, before = planned(here), counted_here("queuecast_jobs_total", state="succeeded")
    steps.plan(job.job_id)
    for queue in QUEUES:
        first, second = (steps.ingest(job.job_id, queue) for _ in range(2))
        assert first == second is not None
        for _ in range(2):
            steps.score(job.job_id, queue, range(len(first.candidates)))
        for _ in range(2):
            steps.select(job.job_id, queue, is_heavy=False)
    written = here.store.forecasts.find()
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    assert here.store.forecasts.find() == written
    assert len(written) == 2
    assert counted_here("queuecast_jobs_total", state="succeeded") == before + 1


def test_select_waits_for_every_outcome(here: Resources) -> None:
    job = planned(here)
    steps.ingest(job.job_id, "root.etl")
    steps.score(job.job_id, "root.etl", [0])
    assert steps.select(job.job_id, "root.etl", is_heavy=False) is steps.Selecting.IS_EARLY
    assert not steps.is_scored(job.job_id, "root.etl")


def test_a_job_whose_forecasts_are_there_plans_the_rest_only(here: Resources) -> None:
    job = planned(here)
    deliver(here, job, "root.adhoc")
    here.run_state.client.flushdb()  # the broker loses everything

    assert replanned(here, job)
    run(job.job_id, queues=("root.etl",))
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.progress.replans) == (JobState.SUCCEEDED, 1)


def test_a_run_state_that_is_lost_twice_ends_the_job(here: Resources) -> None:
    job = submit(here)
    here.run_state.client.flushdb()
    assert replanned(here, job)
    here.run_state.client.flushdb()
    assert not replanned(here, job)
    ended = here.store.jobs.get(job.job_id)
    assert ended.state is JobState.FAILED
    assert "run state twice" in (ended.reason or "")


def test_a_failed_queue_keeps_the_outcomes_it_had(here: Resources) -> None:
    job = planned(here)
    steps.ingest(job.job_id, "root.etl")
    steps.score(job.job_id, "root.etl", [0, 1])
    here.lifecycle.fail_queue(job.job_id, "root.etl", "stopped")
    here.lifecycle.fail_queue(job.job_id, "root.etl", "stopped again")
    report = here.store.reports.get(job.job_id, "root.etl")
    assert (report.state, report.reason, len(report.outcomes)) == (QueueState.FAILED, "stopped", 2)
    assert report.quality is not None


@pytest.mark.parametrize("metric", Metric)
def test_a_failed_queue_ranks_its_outcomes_by_what_was_asked_for(here: Resources, metric: Metric) -> None:
    """Without those that only the blend is made of."""
    job = planned(here, model="auto", metric=metric)
    work = steps.ingest(job.job_id, "root.etl")
    assert work is not None
    assert work.unranked
    steps.score(job.job_id, "root.etl", range(len(work.candidates)))
    here.lifecycle.fail_queue(job.job_id, "root.etl", "stopped")
    scores = [score for score in here.store.reports.get(job.job_id, "root.etl").outcomes if isinstance(score, Score)]
    assert {score.candidate.label for score in scores} == {each.label for each in work.candidates if each not in work.unranked}
    values = [getattr(score.measures, metric) for score in scores]
    assert values == sorted(values)


def nobody(job_id: str) -> None:
    """Is told to plan the job."""


def retry(here: Resources, job: Job, *, queues: str | tuple[str, ...] = "failed") -> None:
    """As somebody asks for it."""
    here.lifecycle.retry(job.job_id, queues, datetime.now(UTC), nobody, warnings=(), allowance=UNLIMITED)


def cancel(here: Resources, job: Job) -> None:
    """Likewise."""
    here.lifecycle.cancel(job.job_id, datetime.now(UTC))


def pass_deadline(here: Resources, job: Job, hours: int = 2) -> None:
    """What the reaper does so many hours from now."""
    here.lifecycle.pass_deadline(job.job_id, datetime.now(UTC) + timedelta(hours=hours))


def replanned(here: Resources, job: Job) -> bool:
    """Whether the reaper, which finds an open job without run state, has it planned."""
    told: list[str] = []
    here.lifecycle.replan(job.job_id, datetime.now(UTC), told.append)
    return told == [job.job_id]


def partial(here: Resources) -> Job:
    """A job that has a forecast of `root.etl` and none of `root.adhoc`."""
    job = submit(here)
    steps.plan(job.job_id)
    here.lifecycle.fail_queue(job.job_id, "root.adhoc", "no data")
    run(job.job_id, queues=("root.etl",))
    return here.store.jobs.get(job.job_id)


def test_one_failing_queue_fails_no_other_and_a_retry_computes_it_alone(here: Resources) -> None:
    job = partial(here)
    assert (job.state, job.reason) == (JobState.PARTIAL, "1 of 2 queues has no forecast: root.adhoc: no data")
    first = here.store.forecasts.find()
    retry(here, job)
    run(job.job_id, queues=("root.adhoc",))
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason, ended.issued_at) == (JobState.SUCCEEDED, None, MONDAY)
    assert here.store.forecasts.find("root.etl") == first
    assert [forecast.issued_at for forecast in here.store.forecasts.find("root.adhoc")] == [MONDAY]


def test_a_named_queue_is_tried_again_alone_and_the_job_counts_the_others_too(here: Resources) -> None:
    job = partial(here)
    first = here.store.forecasts.find("root.etl")
    with pytest.raises(InvalidRequest, match=r"the job has no queue 'root\.elt'.*root\.etl"):
        retry(here, job, queues=("root.etl", "root.elt"))
    assert here.store.jobs.get(job.job_id) == job
    retry(here, job, queues=("root.etl",))
    steps.plan(job.job_id)
    here.run_state.client.flushdb()  # its run state is lost: what is planned again is of the same queue
    assert replanned(here, here.store.jobs.get(job.job_id))
    steps.plan(job.job_id)
    assert tuple(here.run_state.queue_states(job.job_id)) == ("root.etl",)
    run(job.job_id, queues=("root.etl",))
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (JobState.PARTIAL, "1 of 2 queues has no forecast: root.adhoc: no data")
    assert ended.progress.queues == Tally(total=2, done=2, failed=1)
    [again] = here.store.forecasts.find("root.etl")
    assert (again.issued_at, again.created_at > first[0].created_at) == (first[0].issued_at, True)


def test_a_named_queue_that_the_source_has_no_more_fails_with_its_reason(here: Resources) -> None:
    job = partial(here)
    assert here.settings.files_dir is not None
    (here.settings.files_dir / "root.etl.csv").unlink()
    retry(here, job, queues=("root.etl",))
    steps.plan(job.job_id)
    assert tuple(here.run_state.queue_states(job.job_id)) == ("root.etl",)


def test_a_job_whose_queues_have_not_all_ended_is_not_tried_again_by_name(here: Resources) -> None:
    job = planned(here)
    deliver(here, job, "root.etl")
    here.lifecycle.end(job.job_id, "as told", now())
    with pytest.raises(StateForbids, match="before each of its queues had"):
        retry(here, here.store.jobs.get(job.job_id), queues=("root.etl",))


def test_a_retry_that_fails_again_says_the_new_reason(here: Resources) -> None:
    job = partial(here)
    retry(here, job)
    steps.plan(job.job_id)
    here.lifecycle.fail_queue(job.job_id, "root.adhoc", "still no data")
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    assert here.store.jobs.get(job.job_id).reason == "1 of 2 queues has no forecast: root.adhoc: still no data"


def test_a_retry_that_cannot_be_planned_leaves_the_job_partial(here: Resources) -> None:
    job = partial(here)
    retry(here, job)
    tasks._fail(job.job_id, None, "no such file")
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (JobState.PARTIAL, "no such file")


def test_a_retry_whose_deadline_passes_says_so_of_each_queue_that_has_none(here: Resources) -> None:
    job = partial(here)
    retry(here, job)
    pass_deadline(here, job)  # before anybody has planned it
    assert here.store.jobs.get(job.job_id).state is JobState.PARTIAL
    retry(here, job)
    steps.plan(job.job_id)
    pass_deadline(here, job)
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (
        JobState.PARTIAL,
        f"1 of 2 queues has no forecast: root.adhoc: The job's deadline has passed: {NEVER_LET_IN}",
    )


def test_a_job_that_was_cancelled_when_all_was_delivered_has_nothing_left_to_do(here: Resources) -> None:
    job = planned(here)
    for queue in QUEUES:
        deliver(here, job, queue)
    cancel(here, job)
    retry(here, job)
    run(job.job_id, queues=())
    assert here.store.jobs.get(job.job_id).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("asked", "queues"), [("failed", ("root.adhoc",)), ("all", QUEUES), (("root.adhoc", "root.adhoc"), ("root.adhoc",))]
)
def test_a_crash_before_old_reports_are_forgotten_still_ends_right(
    here: Resources, monkeypatch: pytest.MonkeyPatch, asked: str | tuple[str, ...], queues: tuple[str, ...]
) -> None:
    def away(*_: object) -> None:
        raise StoreAway("as told")

    job = partial(here)
    with monkeypatch.context() as patch:
        patch.setattr(Reports, "forget", away)
        with pytest.raises(StoreAway):
            retry(here, job, queues=asked)
    assert replanned(here, job)  # what the reaper does with an open job without run state
    steps.plan(job.job_id)
    assert tuple(here.run_state.queue_states(job.job_id)) == queues
    run(job.job_id, queues=queues)
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason, ended.to_forget) == (JobState.SUCCEEDED, None, "")


def now() -> datetime:
    return datetime.now(UTC)


Late = Callable[[Resources, str], object]
LATE: dict[str, tuple[type, str, Late]] = {  # in the middle of which step of an old run the job is tried again
    "finish": (Reports, "of_job", lambda here, job_id: here.lifecycle.finish(job_id, now())),
    "plan": (RunState, "name_queues", lambda _, job_id: steps.plan(job_id)),
    "a plan that fails": (Reports, "of_job", lambda here, job_id: here.lifecycle.end(job_id, "no such file", now())),
    "a queue that fails": (RunState, "queue_end", lambda here, job_id: here.lifecycle.fail_queue(job_id, "root.etl", "no data")),
    "cancel": (RunState, "delivering", lambda here, job_id: here.lifecycle.cancel(job_id, now())),
    "cleaning up": (Jobs, "get", lambda here, job_id: here.lifecycle.let_go(job_id)),
    "the deadline": (RunState, "queue_states", lambda here, job_id: here.lifecycle.pass_deadline(job_id, NEVER)),
    "planning again": (RunState, "running_job", lambda here, job_id: here.lifecycle.replan(job_id, now(), nobody)),
}


def lead_to(step: str, here: Resources, job: Job) -> None:
    """Bring a job to where the step has something to do."""
    if step != "plan":
        steps.plan(job.job_id)
    match step:
        case "finish":
            for queue in QUEUES:
                here.lifecycle.fail_queue(job.job_id, queue, "no data")
        case "cancel":
            assert here.run_state.begin_delivery(job.job_id, "root.etl")  # or there is nothing to warn of
        case "cleaning up":
            here.store.jobs.move(job.job_id, OPEN_STATES, JobState.CANCELLED, ON_REQUEST, now())
        case "planning again":
            here.run_state.client.flushdb()


@pytest.mark.parametrize("step", LATE)
def test_a_late_step_of_an_old_run_changes_nothing_of_the_retry(
    here: Resources, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    part, name, late = LATE[step]
    job, real = submit(here), getattr(part, name)
    others = Lifecycle(here.store, RunState(here.run_state.client))  # of another process, which is not within the old run
    lead_to(step, here, job)

    def meanwhile(*args: Any, **named: Any) -> Any:
        monkeypatch.undo()
        answer = real(*args, **named)
        if not others.finish(job.job_id, now()) and not here.store.jobs.get(job.job_id).state.is_terminal:
            others.cancel(job.job_id, now())
        others.retry(job.job_id, "failed", now(), nobody, warnings=("of the request",), allowance=UNLIMITED)
        return answer

    monkeypatch.setattr(part, name, meanwhile)
    with here.run_state.within_run(job.job_id):
        assert not late(here, job.job_id)
    again = here.store.jobs.get(job.job_id)
    assert (again.state, again.reason, again.warnings) == (JobState.QUEUED, None, ("of the request",))
    assert (again.progress, again.to_forget) == (Progress(), "")
    assert here.store.reports.of_job(job.job_id) == []
    assert here.run_state.queue_states(job.job_id) == {}
    assert here.run_state.active() == {job.job_id}


def test_a_deadline_that_has_moved_on_with_a_retry_ends_nothing(here: Resources) -> None:
    job = planned(here)
    cancel(here, job)
    retry(here, job)
    pass_deadline(here, job, hours=0)
    assert here.store.jobs.get(job.job_id).state is JobState.QUEUED


def test_a_queue_that_is_being_delivered_at_the_deadline_ends_with_its_forecast(
    here: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _work = scored(here)
    real = Forecasts.save

    def save(*args: Any) -> None:
        monkeypatch.undo()
        real(*args)
        pass_deadline(here, job)

    monkeypatch.setattr(Forecasts, "save", save)
    steps.select(job.job_id, "root.etl", is_heavy=False)
    assert here.store.jobs.get(job.job_id).state is JobState.RUNNING
    pass_deadline(here, job)
    ended = here.store.jobs.get(job.job_id)
    assert ended.state is JobState.PARTIAL
    assert (ended.reason or "").startswith("1 of 2 queues has no forecast: root.adhoc: ")
    assert here.store.reports.get(job.job_id, "root.etl").state is QueueState.SUCCEEDED


def deliver(here: Resources, job: Job, queue: str) -> None:
    """Everything that is done for one queue."""
    score(job.job_id, queue)
    steps.select(job.job_id, queue, is_heavy=False)


def test_a_cancel_in_the_middle_stops_all_steps_and_nothing_is_left(here: Resources) -> None:
    job, work = scored(here)
    cancel(here, job)
    steps.plan(job.job_id)
    assert steps.ingest(job.job_id, "root.adhoc") is None
    assert steps.score(job.job_id, "root.etl", range(len(work.candidates))) == []
    assert steps.select(job.job_id, "root.etl", is_heavy=True) is steps.Selecting.HAS_ENDED
    here.lifecycle.fail_queue(job.job_id, "root.etl", "too late")
    tasks._fail(job.job_id, None, "too late")
    here.lifecycle.finish(job.job_id, datetime.now(UTC))
    assert not here.lifecycle.end(job.job_id, "too late", datetime.now(UTC))
    assert not replanned(here, job)
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (JobState.CANCELLED, "cancelled on request")
    assert here.store.forecasts.find() == []
    assert here.run_state.client.keys("*job-1*") == []


def test_a_forecast_delivered_while_the_job_is_cancelled_stays_and_revives_nothing(here: Resources) -> None:
    job, _work = scored(here)
    with here.run_state.within_run(job.job_id):
        delivering_when(lambda: cancel(here, job), here, job)
    assert here.store.jobs.get(job.job_id).state is JobState.CANCELLED
    assert here.store.jobs.get(job.job_id).warnings[-1:] == ("being delivered when the job was cancelled: root.etl",)
    assert here.store.reports.get(job.job_id, "root.etl").state is QueueState.SUCCEEDED
    assert here.run_state.client.keys("*job-1*") == []


@pytest.mark.parametrize("is_away", [False, True])  # whether the run state of the cancelled job is left to the reaper
def test_what_is_cancelled_while_the_winner_is_fitted_again_is_not_delivered(
    here: Resources, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    job, _work = scored(here)

    def fit_while_somebody_cancels(*args: Any, **named: Any) -> Forecast:
        assert here.store.jobs.move(job.job_id, OPEN_STATES, JobState.CANCELLED, ON_REQUEST, datetime.now(UTC))
        if not is_away:
            here.lifecycle.let_go(job.job_id)
        return forecast_queue(*args, **named)

    monkeypatch.setattr(steps, "forecast_queue", fit_while_somebody_cancels)
    steps.select(job.job_id, "root.etl", is_heavy=False)
    assert here.store.forecasts.find() == []
    assert here.store.reports.get(job.job_id, "root.etl").state is QueueState.RUNNING
    assert here.run_state.delivering(job.job_id) == set()


def test_a_select_of_an_earlier_run_ends_no_queue_of_the_retry(here: Resources) -> None:
    job, _work = scored(here)

    def cancel_and_retry() -> None:
        cancel(here, job)
        retry(here, job)
        steps.plan(job.job_id)

    with here.run_state.within_run(job.job_id):
        delivering_when(cancel_and_retry, here, job)
        here.lifecycle.fail_queue(job.job_id, "root.adhoc", "too late")
        tasks._fail(job.job_id, None, "too late")
    assert here.run_state.queue_states(job.job_id) == dict.fromkeys(QUEUES, (QueueState.WAITING, None))
    run(job.job_id)
    assert here.store.jobs.get(job.job_id).state is JobState.SUCCEEDED


def delivering_when(happens: Callable[[], None], here: Resources, job: Job) -> None:
    """`select`, and what happens before it says that it has delivered."""
    write = Reports.save

    def aside() -> None:
        with use(here):
            happens()

    def save(reports: Reports, report: QueueReport) -> bool:
        with ThreadPoolExecutor(1) as another:  # whoever does it is not within this run
            another.submit(aside).result()
        return write(reports, report)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reports, "save", save)
        steps.select(job.job_id, "root.etl", is_heavy=False)


def test_who_reads_or_gives_up_a_queue_too_late_takes_no_delivered_forecast_back(
    here: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = planned(here)

    def read_slowly(*args: Any) -> Any:
        reading = read_for(*args)
        monkeypatch.undo()
        deliver(here, job, "root.etl")  # for another message, or after a cancel and a retry
        return reading

    monkeypatch.setattr(steps, "read_for", read_slowly)
    steps.ingest(job.job_id, "root.etl")
    assert here.store.reports.get(job.job_id, "root.etl").state is QueueState.SUCCEEDED
    here.run_state.client.delete(f"done:{job.job_id}")  # its process died before it could say that the queue is done
    here.lifecycle.fail_queue(job.job_id, "root.etl", "too late")
    assert here.run_state.queue_states(job.job_id)["root.etl"] == (QueueState.SUCCEEDED, None)
    assert here.store.reports.get(job.job_id, "root.etl").state is QueueState.SUCCEEDED


def test_a_message_of_an_earlier_run_lets_no_queue_in(here: Resources) -> None:
    job = partial(here)
    retry(here, job)
    for _ in range(2):  # before it is planned, and after
        assert steps.ingest(job.job_id, "root.etl") is None
        assert steps.ingest(job.job_id, "root.adhoc") is None
        steps.plan(job.job_id)
    assert let_in(here.run_state, job.job_id) == ["root.adhoc"]
    work = steps.ingest(job.job_id, "root.adhoc")
    assert work is not None
    beyond = range(len(work.candidates) - 1, len(work.candidates) + 9)  # a block of a run that had more candidates
    assert steps.score(job.job_id, "root.adhoc", beyond) == []
    assert list(here.run_state.attempts.outcomes(job.job_id, "root.adhoc")) == [len(work.candidates) - 1]


def test_a_worker_that_cleans_up_late_leaves_a_retry_alone(here: Resources) -> None:
    job = submit(here)
    here.store.jobs.move(job.job_id, OPEN_STATES, JobState.FAILED, "no data", datetime.now(UTC))
    retry(here, job)
    here.lifecycle.let_go(job.job_id)
    assert here.run_state.active() == {job.job_id}


@pytest.mark.parametrize("waited_for", ["", ": The source cannot be reached: refused"])
def test_at_the_deadline_the_job_ends_with_what_it_has(here: Resources, waited_for: str) -> None:
    job, _work = scored(here)
    steps.select(job.job_id, "root.etl", is_heavy=False)
    if waited_for:
        here.run_state.note_waiting(job.job_id, "root.adhoc", waited_for.removeprefix(": "))
    pass_deadline(here, job)
    ended, report = here.store.jobs.get(job.job_id), here.store.reports.get(job.job_id, "root.adhoc")
    reason = f"The job's deadline has passed{waited_for}"
    assert (ended.state, ended.reason) == (JobState.PARTIAL, f"1 of 2 queues has no forecast: root.adhoc: {reason}")
    assert (report.state, report.reason) == (QueueState.FAILED, reason)


def test_at_the_deadline_a_job_that_was_never_planned_fails(here: Resources) -> None:
    job = submit(here)
    pass_deadline(here, job)
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (JobState.FAILED, "The job's deadline has passed")


def test_a_winner_that_kills_its_process_leaves_its_place_to_the_next(here: Resources) -> None:
    job, work = scored(here)
    first = choose(list(here.run_state.attempts.outcomes(job.job_id, "root.etl").values()), Terms()).winner.candidate
    for _ in range(3):
        here.run_state.attempts.begin(job.job_id, "root.etl", f"select.{work.candidates.index(first)}")
    steps.select(job.job_id, "root.etl", is_heavy=False)
    report = here.store.reports.get(job.job_id, "root.etl")
    assert report.state is QueueState.SUCCEEDED
    assert report.winner is not None
    assert report.winner != first
    lost = [outcome for outcome in report.outcomes if isinstance(outcome, Failure)]
    assert [(outcome.candidate, outcome.error) for outcome in lost] == [(first, "ProcessLost")]


def test_a_heavy_winner_is_fitted_again_in_the_heavy_lane(here: Resources) -> None:
    job = planned(here, model=("lstm",))
    work = steps.ingest(job.job_id, "root.etl")
    assert work is not None
    for index, candidate in enumerate(work.candidates):  # as if the network had been perfect, and all others had failed
        perfect = WindowForecast(origin_at=MONDAY, actual=(50.0,), prediction=(50.0,), measures=NOTHING_WRONG)
        outcome = (
            Score(candidate=candidate, measures=NOTHING_WRONG, windows=(perfect,), seconds=1.0)
            if candidate.model == "lstm"
            else Failure(candidate=candidate, error="Test", reason="as told")
        )
        here.run_state.attempts.record(job.job_id, "root.etl", index, outcome)
    assert steps.select(job.job_id, "root.etl", is_heavy=False) is steps.Selecting.NEEDS_HEAVY_LANE
    assert here.store.reports.get(job.job_id, "root.etl").winner is None
    assert steps.select(job.job_id, "root.etl", is_heavy=True) is steps.Selecting.HAS_ENDED
    assert [forecast.model for forecast in here.store.forecasts.find()] == ["lstm"]


def with_a_gone_queue(settings: Settings) -> None:
    assert settings.files_dir is not None
    a_load(24, end=MONDAY - timedelta(days=5)).rename_axis("timestamp").to_csv(settings.files_dir / "root.gone.csv")


def test_a_queue_that_is_gone_fails_nothing(here: Resources, settings: Settings) -> None:
    with_a_gone_queue(settings)
    job = submit(here)
    steps.plan(job.job_id)
    let_in(here.run_state, job.job_id)
    assert steps.ingest(job.job_id, "root.gone") is None
    run(job.job_id)
    ended = here.store.jobs.get("job-1")
    assert (ended.state, ended.reason, ended.warnings[0]) == (JobState.SUCCEEDED, None, "inactive since 2025-12-31: root.gone")
    assert (ended.progress.queues.done, ended.progress.queues.failed) == (3, 0)
    assert here.store.reports.get("job-1", "root.gone").state is QueueState.SKIPPED


def test_where_every_queue_is_gone_the_job_fails_for_that_one_reason(here: Resources, settings: Settings) -> None:
    with_a_gone_queue(settings)
    job = planned(here, queues=("root.g*",))
    assert steps.ingest(job.job_id, "root.gone") is None
    assert here.run_state.queue_state(job.job_id, "root.gone") == (QueueState.SKIPPED, "inactive since 2025-12-31")
    assert here.lifecycle.finish(job.job_id, datetime.now(UTC))
    ended = here.store.jobs.get(job.job_id)
    assert (ended.state, ended.reason) == (
        JobState.FAILED,
        "no queue has data to forecast from: inactive since 2025-12-31: root.gone; a job looks back from `as_of` (default: now)",
    )


def test_what_was_lost_of_a_queue_outlives_its_failure(here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(query: Query, **_: str) -> Reading:
        return Reading(frame=a_load().to_frame(), rows=336, losses=(a_loss(),) if query.queue == "root.etl" else ())

    monkeypatch.setattr(here, "read", read)
    job = planned(here)
    tasks.ingest(job.job_id, "root.etl")
    report = here.store.reports.get(job.job_id, "root.etl")
    assert report.quality is not None
    assert (report.state, report.quality.losses) == (QueueState.FAILED, (a_loss(),))
    assert report.reason is not None
    assert report.reason.startswith("Too much of the data was lost (queue root.etl): cells with text instead of a number")


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"model": ("prophett",)}, UnknownModel, "seasonal_naive"),
        ({"queues": ("root.none*",)}, QueueNotFound, "root.adhoc, root.etl"),
        ({"max_candidates": 7}, TooManyCandidates, "2 queue"),
    ],
)
def test_what_only_planning_can_see_is_said_with_what_is_accepted(
    here: Resources, changes: dict[str, Any], error: type[Exception], says: str
) -> None:
    job = submit(here, **changes)
    with pytest.raises(error, match=says.replace("*", r"\*")):
        steps.plan(job.job_id)


def test_planning_a_job_that_nobody_knows_does_nothing(here: Resources) -> None:
    steps.plan("nobody")
    assert here.run_state.active() == set()

"""Rows 6 to 9 and 23 of the fault table: what a candidate may do to its process, and what it costs the others."""

from __future__ import annotations

import pytest

from shared.domain.forecasts import Failure
from shared.domain.jobs import Job, JobState
from shared.errors import OutOfMemory, ProcessLost, TimeLimitReached
from tests.chaos.fleet import ChaosFleet
from tests.chaos.usage import write_usage
from tests.chaos.verdict import Expected, leftovers, wrongs
from tests.polling import eventually


def failures(chaos: ChaosFleet, job: Job, queue: str) -> dict[str, str]:
    """Label → error of the candidates that failed."""
    outcomes = chaos.store.reports.get(job.job_id, queue).outcomes
    return {each.candidate.label: each.error for each in outcomes if isinstance(each, Failure)}


@pytest.mark.parametrize("model", [pytest.param("poisoned", marks=pytest.mark.nightly), "poisoned_alone"])
def test_a_candidate_that_kills_three_processes_is_given_up_and_others_are_scored(chaos: ChaosFleet, model: str) -> None:
    [queue] = write_usage(chaos.settings.files_dir, 1)
    chaos.start()
    ways = ("segv", "kill", "exit", "system_exit")
    job = chaos.ended(chaos.submit(model=(model,), hyperparameters={model: {"how": ways}}))
    assert failures(chaos, job, queue) == {f"{model} how={way}": ProcessLost.__name__ for way in ways}
    runs = [line.split()[0] for line in chaos.ledger.read_text().splitlines()]
    assert {way: runs.count(way) for way in ways} == dict.fromkeys(ways, 3)
    assert wrongs(chaos, Expected(job_id=job.job_id, queues=[queue], failures={model: frozenset({ProcessLost.__name__})})) == []
    assert job.state is JobState.SUCCEEDED


def test_what_a_candidate_raises_is_its_own_failure_and_the_processes_live_on(chaos: ChaosFleet) -> None:
    queues = write_usage(chaos.settings.files_dir, 2)
    chaos.start()
    before = {process.pid for process in (chaos.main("worker"), *chaos.pool("worker"))}
    model, ways = "poisoned", {"raise": "ValueError", "memory": OutOfMemory.__name__}
    job = chaos.ended(chaos.submit(model=(model,), hyperparameters={model: {"how": tuple(ways)}}))
    for queue in queues:
        assert failures(chaos, job, queue) == {f"poisoned how={way}": error for way, error in ways.items()}
    assert {process.pid for process in (chaos.main("worker"), *chaos.pool("worker"))} == before
    assert job.state is JobState.SUCCEEDED


def test_a_candidate_that_takes_too_long_is_stopped_and_its_neighbours_are_scored(chaos: ChaosFleet) -> None:
    [queue] = write_usage(chaos.settings.files_dir, 1)
    chaos.start()
    ways = ("hang", "stubborn")
    jobs = {
        model: chaos.submit(model=(model,), hyperparameters={model: {"how": ways}}) for model in ("poisoned", "poisoned_alone")
    }
    for model, job_id in jobs.items():
        job = chaos.ended(job_id)
        assert failures(chaos, job, queue) == {f"{model} how={way}": TimeLimitReached.__name__ for way in ways}
        assert job.state is JobState.SUCCEEDED
    eventually(lambda: not leftovers(chaos), what="an empty broker")


def test_no_memory_for_a_step_ends_its_queue_or_job_with_the_reason_and_no_process(chaos: ChaosFleet) -> None:
    write_usage(chaos.settings.files_dir, 3)
    chaos.start()
    before = chaos.main("worker").pid
    for step, state in {"plan": JobState.FAILED, "ingest": JobState.PARTIAL, "select": JobState.PARTIAL}.items():
        chaos.point(f"memory.{step}")
        job = chaos.ended(chaos.submit())
        assert (step, job.state) == (step, state)
        assert OutOfMemory().headline in (job.reason or "")
    assert chaos.main("worker").pid == before


def test_a_queue_without_a_score_fails_with_its_reason_and_the_job_is_partial(chaos: ChaosFleet) -> None:
    *queues, cursed = write_usage(chaos.settings.files_dir, 3, cursed=1)
    chaos.start()
    job = chaos.ended(chaos.submit())
    assert wrongs(chaos, Expected(job_id=job.job_id, queues=queues, failed={cursed: "No candidate could be scored"})) == []
    assert job.state is JobState.PARTIAL


def test_a_winner_that_kills_its_process_in_the_last_fit_gives_way_to_the_next(chaos: ChaosFleet) -> None:
    [queue] = write_usage(chaos.settings.files_dir, 1)
    chaos.start()
    job = chaos.ended(chaos.submit(model=("fragile",)))
    report = chaos.store.reports.get(job.job_id, queue)
    assert chaos.ledger.read_text().count("refit") == 3
    assert failures(chaos, job, queue) == {"fragile": ProcessLost.__name__}
    assert report.winner is not None
    assert report.winner.model != "fragile"
    assert job.state is JobState.SUCCEEDED

"""Rows 6 to 9 and 23 of the fault table: what a candidate may do to its process, and what it costs the others."""

from __future__ import annotations

import pytest

from shared.domain.forecasts import Failure
from shared.domain.jobs import Job, JobState
from shared.errors import OutOfMemory, ProcessLost, TimeLimitReached
from tests.chaos.fleet import ChaosFleet
from tests.chaos.scenario import start_over
from tests.chaos.verdict import assert_right, leftovers
from tests.polling import eventually


def failures(chaos: ChaosFleet, job: Job, queue: str) -> dict[str, str]:
    """Label → error of the candidates that failed."""
    outcomes = chaos.store.reports.get(job.job_id, queue).outcomes
    return {each.candidate.label: each.error for each in outcomes if isinstance(each, Failure)}


@pytest.mark.parametrize("model", [pytest.param("poisoned", marks=pytest.mark.nightly), "poisoned_alone"])
def test_a_candidate_that_kills_three_processes_is_given_up_and_others_are_scored(chaos: ChaosFleet, model: str) -> None:
    [queue] = start_over(chaos, 1)
    ways = ("segv", "kill", "exit", "system_exit")
    job_id = chaos.submit(model=(model,), hyperparameters={model: {"how": ways}})
    job = assert_right(chaos, job_id, [queue], failures={model: frozenset({ProcessLost.__name__})})
    assert failures(chaos, job, queue) == {f"{model} how={way}": ProcessLost.__name__ for way in ways}
    runs = [line.split()[0] for line in chaos.ledger.read_text().splitlines()]
    assert {way: runs.count(way) for way in ways} == dict.fromkeys(ways, 3)


def test_what_a_candidate_raises_is_its_own_failure_and_the_processes_live_on(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 2)
    before = {process.pid for process in (chaos.main("worker"), *chaos.pool("worker"))}
    model, ways = "poisoned", {"raise": "ValueError", "memory": OutOfMemory.__name__}
    job = chaos.ended(chaos.submit(model=(model,), hyperparameters={model: {"how": tuple(ways)}}))
    for queue in queues:
        assert failures(chaos, job, queue) == {f"poisoned how={way}": error for way, error in ways.items()}
    assert {process.pid for process in (chaos.main("worker"), *chaos.pool("worker"))} == before
    assert job.state is JobState.SUCCEEDED


def test_a_candidate_that_takes_too_long_is_stopped_and_its_neighbours_are_scored(chaos: ChaosFleet) -> None:
    [queue] = start_over(chaos, 1)
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
    start_over(chaos, 3)
    before = chaos.main("worker").pid
    for step, state in {"plan": JobState.FAILED, "ingest": JobState.PARTIAL, "select": JobState.PARTIAL}.items():
        chaos.point(f"memory.{step}")
        job = chaos.ended(chaos.submit())
        assert (step, job.state) == (step, state)
        assert OutOfMemory().headline in (job.reason or "")
    assert chaos.main("worker").pid == before


def test_a_winner_that_kills_its_process_in_the_last_fit_gives_way_to_the_next(chaos: ChaosFleet) -> None:
    [queue] = start_over(chaos, 1)
    job = chaos.ended(chaos.submit(model=("fragile",)))
    report = chaos.store.reports.get(job.job_id, queue)
    assert chaos.ledger.read_text().count("refit") == 3
    assert failures(chaos, job, queue) == {"fragile": ProcessLost.__name__}
    assert report.winner is not None
    assert report.winner.model != "fragile"
    assert job.state is JobState.SUCCEEDED

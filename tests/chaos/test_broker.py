"""Rows 10 to 12, 25 and 26: a broker that is killed, wiped, full, frozen, or away for long."""

from __future__ import annotations

import shutil
import signal
import time
from random import Random

import pytest
import urllib3

from shared.domain.jobs import JobState
from shared.drivers.redis_server import PATIENCE_SECONDS
from shared.errors import RunStateLost
from tests.api.bodies import BODY
from tests.chaos import faults
from tests.chaos.faults import Fault
from tests.chaos.fleet import ChaosFleet, kill
from tests.chaos.process import SILENCE_SECONDS
from tests.chaos.scenario import POISONED, assert_right_under_fire, at_work, start_over
from tests.chaos.verdict import assert_right, leftovers
from tests.polling import eventually, without_waiting


@pytest.mark.parametrize(
    "fault",
    [
        faults.broker_killed,
        pytest.param(faults.broker_terminated, marks=pytest.mark.nightly),
        pytest.param(faults.broker_full, marks=pytest.mark.nightly),
    ],
)
def test_jobs_end_right_while_the_broker_fails(chaos: ChaosFleet, fault: Fault) -> None:
    assert_right_under_fire(chaos, [fault], seed=10, times=3, pause=(2.0, 4.0))


def test_after_a_wipe_a_job_is_planned_once_more_and_keeps_its_forecasts(chaos: ChaosFleet) -> None:
    queues = start_over(chaos, 8)
    job_id = chaos.submit()
    kept = eventually(lambda: chaos.store.forecasts.find(job_id=job_id), what="a first forecast")
    chaos.run_state.client.flushall()
    assert assert_right(chaos, job_id, queues).progress.replans == 1
    assert all(forecast in chaos.store.forecasts.find(job_id=job_id) for forecast in kept)  # not computed again


@pytest.mark.nightly
def test_a_second_wipe_ends_the_job_with_its_reason(chaos: ChaosFleet) -> None:
    _, job_id = at_work(chaos, hyperparameters={"pausing": {"milliseconds": (300,)}})
    chaos.run_state.client.flushall()
    eventually(lambda: chaos.store.jobs.get(job_id).progress.replans, what="another plan")
    eventually(lambda: chaos.is_working(job_id), what="work once more")
    chaos.run_state.client.flushall()
    job = chaos.ended(job_id)
    assert job.state in {JobState.FAILED, JobState.PARTIAL}
    assert (job.reason or "").startswith(RunStateLost().headline)
    eventually(lambda: not leftovers(chaos), what="an empty broker")


@pytest.mark.nightly
def test_a_broker_whose_files_are_gone_begins_anew_and_the_jobs_with_it(chaos: ChaosFleet) -> None:
    queues, job_id = at_work(chaos)
    chaos.pause_attending()
    faults.broker_killed(chaos, Random(11))
    shutil.rmtree(chaos.settings.data_dir / "broker" / "appendonlydir")
    chaos.attend()
    assert assert_right(chaos, job_id, queues).progress.replans == 1


def test_while_the_broker_is_frozen_the_api_refuses_and_then_the_job_ends_right(chaos: ChaosFleet) -> None:
    queues, job_id = at_work(chaos, api=True)
    broker = chaos.watchdog("broker")
    kill(broker, signal.SIGSTOP)
    try:
        with without_waiting(PATIENCE_SECONDS):
            answer = urllib3.request("POST", f"http://127.0.0.1:{chaos.port}/v1/jobs", json=BODY, timeout=60, retries=False)
    finally:
        kill(broker, signal.SIGCONT)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert_right(chaos, job_id, queues)


def test_a_block_whose_process_and_broker_die_together_is_sent_again(chaos: ChaosFleet) -> None:
    [queue] = start_over(chaos, 1)
    job_id = chaos.submit(model=("poisoned",), hyperparameters={"poisoned": {"how": ("hang",)}})
    eventually(chaos.ledger.exists, what="a candidate that hangs")
    held = next(iter((chaos.lanes() or pytest.fail("the broker is away")).held))
    chaos.pause_attending()
    faults.broker_killed(chaos, Random(10))
    for process in chaos.pool("worker"):
        kill(process)  # the main process cannot give the message back: its connection is gone
    chaos.attend()
    assert held
    assert_right(chaos, job_id, [queue], failures={"poisoned": POISONED})


@pytest.mark.nightly
def test_without_the_guard_in_kombu_supervisor_and_watchdog_bring_the_workers_back(chaos: ChaosFleet) -> None:
    chaos.environment["CHAOS_WITHOUT_SHIM"] = "yes"
    assert_right_under_fire(chaos, [faults.broker_killed], seed=22, times=6, pause=(2.0, 4.0))


@pytest.mark.nightly
def test_a_long_outage_of_the_broker_kills_no_worker(chaos: ChaosFleet) -> None:
    queues, job_id = at_work(chaos)
    watchdog = chaos.watchdog("worker")
    chaos.pause_attending()
    faults.broker_killed(chaos, Random(26))
    until = time.monotonic() + 1.5 * SILENCE_SECONDS
    eventually(lambda: time.monotonic() > until, what="the outage to be long enough")
    assert watchdog.is_running()
    chaos.attend()
    assert_right(chaos, job_id, queues)

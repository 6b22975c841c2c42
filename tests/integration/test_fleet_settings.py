"""Settings reach the processes of a fleet, and those that must be equal are: held by the real commands."""

from __future__ import annotations

import psutil

from tests.integration.fleet import Fleet
from tests.polling import eventually
from worker.fleet.watchdog import THREADS


def test_a_worker_that_differs_from_its_fleet_does_not_start_until_nobody_else_lives(fleet: Fleet) -> None:
    agreement = fleet.run_state.agreement
    reaper = fleet.start("reap")
    eventually(agreement.members, what="the reaper, which is first")

    fleet.environment |= {"QUEUECAST_TASK_SECONDS": "200", "QUEUECAST_THREADS": "3", "QUEUECAST_CHILD_MEMORY_MB": "777"}
    refused = fleet.start("work", "--name", "other", "--concurrency", "1")
    assert refused.wait(60) == 5
    said = (fleet.settings.data_dir / "fleet.log").read_text()
    assert "QUEUECAST_TASK_SECONDS is 200 here and 120 there. The fleet's value counts" in said
    assert "Traceback" not in said

    reaper.terminate()
    reaper.wait(60)
    worker = fleet.worker("other", slots=1)
    assert agreement.values()["QUEUECAST_TASK_SECONDS"] == "200"
    main = fleet.children(worker)[0]
    assert {main.environ()[name] for name in THREADS} == {"3"}
    assert option(main, "--max-memory-per-child") == str(777 * 1_024)
    job_id = fleet.submit(model=("hour_mean",))
    assert fleet.ended(job_id).state == "succeeded"


def option(process: psutil.Process, name: str) -> str:
    command = process.cmdline()
    return command[command.index(name) + 1]

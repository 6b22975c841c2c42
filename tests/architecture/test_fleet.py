"""Every message finds somebody who answers it, in a lane that is served, within the time that the fleet is tuned for."""

from __future__ import annotations

import json
import sys

import pytest

from deploy.stack import fleet, make_layout
from shared.config.settings import Settings
from shared.domain.lanes import MAX_TASK_SECONDS, SOFT_LIMIT_SECONDS, Lane
from shared.fleet.broker import ROUTES, TaskName
from tests.architecture.house import output_of

# The worker's entry point, as `celery --app worker.app` imports it; nothing is connected.
LIMITS = """
import json
from worker.app import app
app.finalize()
soft, hard = app.conf.task_soft_time_limit, app.conf.task_time_limit
print(json.dumps({name: [task.soft_time_limit or soft, task.time_limit or hard] for name, task in app.tasks.items()}))
"""

Limits = dict[str, tuple[float, float]]


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Limits:
    """Name of every task that a worker knows → its soft and its hard limit in seconds."""
    folder = tmp_path_factory.mktemp("data")
    said = output_of(sys.executable, "-c", LIMITS, QUEUECAST_BROKER_URL="redis://127.0.0.1:1/0", QUEUECAST_DATA_DIR=str(folder))
    found: Limits = json.loads(said)
    return {name: (soft, hard) for name, (soft, hard) in found.items() if not name.startswith("celery.")}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Lanes of every worker that `queuecast up` starts, in the order given to it."""
    programs = fleet(Settings(data_dir=tmp_path_factory.mktemp("data")), make_layout())
    commands = [list(program.command) for program in programs if "work" in program.command]
    return [command[command.index("--lanes") + 1].split(",") for command in commands]


def test_the_worker_answers_every_task_name_and_no_other(limits: Limits) -> None:
    assert set(limits) == {name.value for name in TaskName}


def test_no_task_may_run_longer_than_the_fleet_is_tuned_for(limits: Limits) -> None:
    assert {name: hard for name, (_, hard) in limits.items() if hard > MAX_TASK_SECONDS} == {}


def test_every_task_is_asked_to_stop_before_it_is_killed(limits: Limits) -> None:
    assert {name: pair for name, pair in limits.items() if not pair[0] <= SOFT_LIMIT_SECONDS < pair[1]} == {}


def test_every_task_has_a_lane() -> None:
    assert set(ROUTES) == set(TaskName)


def test_every_lane_is_served_on_one_machine(served: list[list[str]]) -> None:
    assert {lane for lanes in served for lane in lanes} == {lane.value for lane in Lane}


def test_a_worker_serves_its_lanes_in_the_order_of_the_house(served: list[list[str]]) -> None:
    order = [lane.value for lane in Lane]
    assert served == [sorted(lanes, key=order.index) for lanes in served]

"""A queue's chord as it lies in the broker, before anybody has taken it."""

from __future__ import annotations

from collections.abc import Iterator

import celery
import pytest

from shared.config.settings import Settings
from shared.domain.forecasts import Block, Candidate, QueueWork
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import make_celery
from shared.fleet.chords import Chords
from shared.fleet.lanes import Lanes
from shared.fleet.runstate import RunState
from tests.factories import a_spec
from worker.fleet import workflow

WORK = QueueWork(
    spec=a_spec(),
    candidates=(Candidate(model="last_value"), Candidate(model="lstm")),
    blocks=(Block(first=0, last=0, lane=Lane.SCORE), Block(first=1, last=1, lane=Lane.HEAVY)),
)


@pytest.fixture(autouse=True)
def _celery(settings: Settings, run_state: RunState) -> Iterator[None]:
    """Signatures are sent by the application of this process."""
    before = celery.current_app._get_current_object()
    app = make_celery(redis_server(settings), "api")
    app.set_current()
    yield
    app.close()
    before.set_current()


def test_a_chord_keeps_readable_task_ids_and_is_swept_with_its_job_only(settings: Settings) -> None:
    workflow.publish_queue("job-1", "root.etl", WORK)
    assert Lanes.open(settings).look().waiting == {"job-1.root.etl.0-0": "score", "job-1.root.etl.1-1": "heavy"}
    chords = Chords.open(settings)
    assert chords.sweep(lambda: ["job-1"]) == 0
    assert chords.sweep(lambda: ["job-2"]) == 1

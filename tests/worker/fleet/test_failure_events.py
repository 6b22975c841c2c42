"""Failed candidates as Flower sees them: on a real broker, read by what Flower reads with."""

from __future__ import annotations

from collections.abc import Iterator

import celery
import pytest
from celery.events.state import State

from shared.config.settings import Settings
from shared.domain.forecasts import Candidate, Failure
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import make_celery
from shared.fleet.runstate import RunState
from worker.fleet.failure_events import tell_failure, tell_lost

FAILURE = Failure(
    candidate=Candidate(model="prophet", hyperparameters={}), error="ValueError", reason="ValueError: no", seconds=0.1
)


@pytest.fixture
def app(settings: Settings, run_state: RunState) -> Iterator[celery.Celery]:
    """The application of this process."""
    before = celery.current_app._get_current_object()
    made = make_celery(redis_server(settings), "api")
    made.set_current()
    yield made
    made.close()
    before.set_current()


def test_a_failed_candidate_is_a_task_that_has_failed_and_tells_what_it_was(app: celery.Celery) -> None:
    seen = State()
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.event})
        events = receiver.consume(limit=3, timeout=10, wakeup=False)
        next(events)
        tell_failure("job-1", "root.etl", 4, FAILURE)
        tell_lost(["job-1.root.etl.0-3"], "lost")
        for _ in events:
            pass
    [(uuid, task), (lost, about)] = seen.tasks.items()
    assert (lost, about.state, about.exception) == ("job-1.root.etl.0-3", "LOST", "lost")
    assert (uuid, task.name, task.state, task.exception) == (
        "job-1.root.etl.4.failed",
        "queuecast.candidate",
        "FAILURE",
        "ValueError: no",
    )
    assert (task.args, task.kwargs) == ("root.etl prophet", "job-1")

"""What Flower would not hear of by itself: failed candidates, and tasks whose worker has died.

Tasks never fail, or chords would; so each failed candidate is told as a task that has failed. It is an event only: nothing with
this name is ever sent or run. Who watches no events pays one message for each failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from socket import gethostname

import celery
import structlog
from kombu.exceptions import OperationalError

from shared.domain.forecasts import Failure

CANDIDATE = "queuecast.candidate"
LOST = "task-lost"  # for our Flower alone, which knows whose task it was

log = structlog.get_logger(__name__)


def tell_failure(job_id: str, queue: str, index: int, failure: Failure) -> None:
    """Tell Flower of a candidate that has failed; a broker that is away ends nothing, the failure is recorded elsewhere."""
    about = {"name": CANDIDATE, "args": f"{queue} {failure.candidate.label}", "kwargs": job_id}
    reason = failure.reason if failure.reason.startswith(failure.error) else f"{failure.error}: {failure.reason}"
    uuid = {"uuid": f"{job_id}.{queue}.{index}.failed"}
    _tell([("task-received", uuid | about), ("task-failed", uuid | {"exception": reason, "traceback": ""})])


def tell_lost(task_ids: Iterable[str], why: str) -> None:
    """Tell Flower of tasks that nobody works on any more; under these ids nothing comes again."""
    _tell([(LOST, {"uuid": task_id, "exception": why, "traceback": ""}) for task_id in task_ids])


def _tell(events: Sequence[tuple[str, dict[str, str]]]) -> None:
    if not events:
        return
    try:
        hostname = celery.current_task.request.hostname if celery.current_task else gethostname()
        with celery.current_app.events.default_dispatcher(hostname=hostname) as dispatcher:
            for what, about in events:
                dispatcher.send(what, **about)
    except (OSError, OperationalError) as error:
        log.warning("a failure is not told to Flower", reason=str(error))

"""Failed candidates for Flower. Tasks never fail, or chords would; so each failed candidate is told as a task that has failed.

It is an event only: nothing with this name is ever sent or run. Who watches no events pays one message for each failure.
"""

from __future__ import annotations

from socket import gethostname

import celery
import structlog
from kombu.exceptions import OperationalError

from shared.domain.forecasts import Failure

CANDIDATE = "queuecast.candidate"

log = structlog.get_logger(__name__)


def tell_failure(job_id: str, queue: str, index: int, failure: Failure) -> None:
    """Tell Flower of a candidate that has failed; a broker that is away ends nothing, the failure is recorded elsewhere."""
    about = {"name": CANDIDATE, "args": f"{queue} {failure.candidate.label}", "kwargs": job_id}
    reason = failure.reason if failure.reason.startswith(failure.error) else f"{failure.error}: {failure.reason}"
    try:
        hostname = celery.current_task.request.hostname if celery.current_task else gethostname()
        with celery.current_app.events.default_dispatcher(hostname=hostname) as dispatcher:
            for what, more in (("task-received", about), ("task-failed", {"exception": reason, "traceback": ""})):
                dispatcher.send(what, uuid=f"{job_id}.{queue}.{index}.failed", **more)
    except (OSError, OperationalError) as error:
        log.warning("a failure is not told to Flower", reason=str(error))

"""What only a worker can see, such as what lies in a source: it is asked, and answers within seconds or not at all."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex

from api.edge.context import Services
from shared.domain.codec import to_json
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.errors import WorkersAway, WorkersBusy

ANSWER_SECONDS = 5.0


def ask_worker(services: Services, job_request: JobRequest, enqueue: Callable[[str, Lane], None]) -> str:
    """What a worker answers, as JSON; raises WorkersAway when none lives, WorkersBusy when none answers in time, BrokerAway.

    Args:
        enqueue: sends the message that wakes one up, by the question's id.
    """
    question_id, lane = token_hex(8), _asked_lane(services)
    services.run_state.questions.ask(question_id, to_json(job_request))
    enqueue(question_id, lane or Lane.CHECK)
    answer = services.run_state.questions.await_answer(question_id, ANSWER_SECONDS)
    if answer is not None:
        return answer
    if lane is None and _asked_lane(services) is None:
        raise WorkersAway(f"none of the lane {Lane.CHECK.value} lives, and none has come within {ANSWER_SECONDS:g} s")
    waited = f"none has answered within {ANSWER_SECONDS:g} s, or the look at the data takes longer"
    raise WorkersBusy(f"{waited}; ask again, or name fewer queues")


def _asked_lane(services: Services) -> Lane | None:
    """The lane of questions; `plan` while only workers of the previous release live. None = no worker lives."""
    served = {lane for worker in services.run_state.members.workers() for lane in worker.lanes}
    return next((lane for lane in (Lane.CHECK, Lane.PLAN) if lane.value in served), None)

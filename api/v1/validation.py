"""POST /v1/jobs/validate: would this job run? The API checks the form and admission; a worker looks at source and sink."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex

from flask import Response
from pydantic import ValidationError

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import WRITE
from api.edge.refusals import field_problems
from api.edge.routing import route
from api.schema import answers
from api.schema.requests import JobBody
from api.v1.admission import refusals, warnings_of
from api.v1.asked import asked
from shared.domain.codec import from_json, to_json
from shared.domain.jobs import JobRequest
from shared.domain.lanes import Lane
from shared.domain.validation import Problem, Validation
from shared.errors import ServiceError, WorkersAway, WorkersBusy

ANSWER_SECONDS = 5.0
QUESTION = replace(WRITE, is_audited=False)  # changes nothing, but costs a worker time


def _answer_form_problems(error: ValidationError) -> Response:
    """Answer a request that is not well-formed with 200 and its problems, not with 422."""
    wrong_fields = field_problems(error, JobBody)
    problems = tuple(Problem(field=".".join(map(str, item.loc)), message=item.msg) for item in wrong_fields)
    answer = answers.ValidationAnswer.of(Validation(problems=problems))
    return Response(answer.model_dump_json(), mimetype="application/json")


@route("POST", "/v1/jobs/validate", QUESTION, Answers(answers.ValidationAnswer), refuse=_answer_form_problems)
def validate_job(services: Services, json: JobBody) -> answers.ValidationAnswer:
    """Say whether a job would run: form, connections, data, history, models. Starts nothing, writes nothing."""
    now, job_request = datetime.now(UTC), services.settings.with_cluster(asked(services, json))
    problems = [
        Problem(field=str(error.ids.get("field", "")), message=str(error)) for error in refusals(services, job_request, now)
    ]
    found = _asked_too(services, job_request, problems) if problems else _ask_worker(services, job_request)
    known = {problem.message for problem in problems}
    every = (*problems, *(problem for problem in found.problems if problem.message not in known))
    return answers.ValidationAnswer.of(Validation(problems=every, warnings=(*warnings_of(job_request, now), *found.warnings)))


def _asked_too(services: Services, job_request: JobRequest, problems: Sequence[Problem]) -> Validation:
    """What a worker sees beside problems that say nothing of the places to look at; nothing when none answers."""
    if not any(problem.field.startswith("data") for problem in problems):
        with suppress(ServiceError):
            return _ask_worker(services, job_request)
    return Validation()


def _ask_worker(services: Services, job_request: JobRequest) -> Validation:
    """What a worker sees; raises WorkersAway when none lives, WorkersBusy when none answers in time, BrokerAway."""
    question_id, lane = token_hex(8), _asked_lane(services)
    services.run_state.questions.ask(question_id, to_json(job_request))
    services.enqueue_check(question_id, lane or Lane.CHECK)
    answer = services.run_state.questions.await_answer(question_id, ANSWER_SECONDS)
    if answer is not None:
        return from_json(Validation, answer)
    if lane is None and _asked_lane(services) is None:
        raise WorkersAway(f"none of the lane {Lane.CHECK.value} lives, and none has come within {ANSWER_SECONDS:g} s")
    waited = f"none has answered within {ANSWER_SECONDS:g} s, or the look at the data takes longer"
    raise WorkersBusy(f"{waited}; ask again, or name fewer queues")


def _asked_lane(services: Services) -> Lane | None:
    """The lane of questions; `plan` while only workers of the previous release live. None = no worker lives."""
    served = {lane for worker in services.run_state.members.workers() for lane in worker.lanes}
    return next((lane for lane in (Lane.CHECK, Lane.PLAN) if lane.value in served), None)

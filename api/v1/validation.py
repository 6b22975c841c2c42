"""POST /v1/jobs/validate: would this job run? The API checks the form and admission; a worker looks at source and sink."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

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
from api.v1.worker_questions import ask_worker
from shared.domain.codec import from_json
from shared.domain.jobs import JobRequest
from shared.domain.validation import Problem, Validation
from shared.errors import ServiceError

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
    """What a worker sees; raises WorkersAway, WorkersBusy, BrokerAway."""
    return from_json(Validation, ask_worker(services, job_request, services.enqueue_check))

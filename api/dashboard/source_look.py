"""The look at a source in the form of a new job: what a worker saw there, what that suggests, what a job would cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask import request
from pydantic import ValidationError

from api.dashboard.submit_form import SUGGESTED
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.refusals import field_problems
from api.schema.requests import JobBody
from api.v1.admission import refusals
from api.v1.asked import asked
from api.v1.cost import Cost, cost_of
from api.v1.worker_questions import ask_worker
from shared.domain.codec import Document, from_json
from shared.domain.first_look import FirstLook
from shared.domain.identifiers import GLOB
from shared.domain.jobs import JobRequest
from shared.domain.model_cards import ModelCard
from shared.domain.timegrid import SECONDS_PER_DAY
from shared.domain.tokens import Scope
from shared.domain.validation import Problem
from shared.errors import QueuecastError

MAY_NOT = "To look at a source takes a token that may start jobs."
GONE = timedelta(days=1)  # without samples: then what has been is forecast, unless somebody says otherwise
HOUR = 3_600  # seconds
NAME_LENGTH = 60
SAME_SITE = {"same-origin", "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a look.

    problems: of the form or the source, each with the field it is about. why_not: why nobody has looked, in plain words.
    suggested: path of a field → what the look suggests for it. cost: None = it cannot be told.
    """

    look: FirstLook | None = None
    problems: tuple[Problem, ...] = ()
    why_not: str = ""
    suggested: Mapping[str, str] = field(default_factory=dict)
    cost: Cost | None = None
    most_candidates: int = 0

    def about(self, path: str) -> str:
        """What is wrong with a field."""
        return "; ".join(problem.message for problem in self.problems if problem.field == path)


def look_at(services: Services, document: Document, cards: tuple[ModelCard, ...], *, is_first: bool) -> Seen:
    """Have a worker look at the source of what was typed; whatever is wrong is part of what is given.

    Args:
        is_first: whether nothing of this source was shown before: what was typed may then be replaced by what fits to it.
    """
    if not caller().scope.covers(Scope.WRITE):
        return Seen(why_not=MAY_NOT)
    if request.headers.get("Sec-Fetch-Site", "none") not in SAME_SITE:  # costs a worker time: no page of another site may
        return Seen(why_not="Press the button to look at it.")
    name = str(document["data"]["source"].get("path") or document["data"]["source"]["name"])[:NAME_LENGTH]
    try:
        body = JobBody.model_validate({**SUGGESTED, "job_name": f"Forecast of {name}", **document})
    except ValidationError as error:
        wrong = field_problems(error, JobBody)
        return Seen(problems=tuple(Problem(field=".".join(map(str, item.loc)), message=item.msg) for item in wrong))
    try:
        return _seen(services, services.settings.with_cluster(asked(services, body)), cards, is_first=is_first)
    except QueuecastError as error:
        return Seen(why_not=error.public)


def _seen(services: Services, job_request: JobRequest, cards: tuple[ModelCard, ...], *, is_first: bool) -> Seen:
    now = datetime.now(UTC)
    refused = [
        Problem(field=str(error.ids.get("field", "")), message=str(error)) for error in refusals(services, job_request, now)
    ]
    if any(problem.field.startswith("data") for problem in refused):
        return Seen(problems=tuple(refused))
    look = from_json(FirstLook, ask_worker(services, job_request, services.enqueue_look))
    return Seen(
        look=look,
        problems=(*refused, *look.problems),
        suggested={"job_name": job_request.job_name} | _suggested(look, job_request, now, is_first=is_first),
        cost=cost_of(services, job_request, cards, _wanted(job_request, look)) if look.queue_count else None,
        most_candidates=job_request.max_candidates,
    )


def _wanted(job_request: JobRequest, look: FirstLook) -> int:
    """How many queues the job would have, at most."""
    has_glob = any(GLOB & set(queue) for queue in job_request.queues)
    return look.queue_count if has_glob else min(look.queue_count, len(job_request.queues))


def _suggested(look: FirstLook, job_request: JobRequest, now: datetime, *, is_first: bool) -> dict[str, str]:
    """What the fields should say: columns in any case, the rest where nobody has seen the source before."""
    guess = look.guess
    found = {"time_field": guess.time_field, "queue_field": guess.queue_field, "target": guess.target}
    if is_first:
        found |= {"unit": guess.unit.value if guess.unit else ""}
        found |= {"queues_from_columns": str(guess.queues_from_columns).lower()}
        step = job_request.step_seconds
        if guess.step_seconds and guess.step_seconds > HOUR >= step:
            found["aggregation_time_period"], step = "1d", SECONDS_PER_DAY
        if look.end_at and job_request.as_of is None and (end := look.end_at + timedelta(seconds=step)) < now - GONE:
            found["as_of"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    return {path: text for path, text in found.items() if text}

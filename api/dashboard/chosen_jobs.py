"""Several jobs of the list at once: what is asked for is shown first, then done. All by forms, which need no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from flask import make_response, redirect, render_template
from pydantic import Field
from werkzeug.wrappers import Response

from api.dashboard.addresses import form_of, query_of
from api.edge import audit
from api.edge.context import Services
from api.edge.form_tokens import FIELD, form_token
from api.edge.login import local_path
from api.edge.policy import PAGE, WRITE
from api.edge.projects import visible
from api.edge.routing import route
from api.schema import fields
from api.schema.queries import Query
from api.schema.sizes import Size
from api.v1.job_removal import delete
from shared.domain.jobs import Job
from shared.domain.states import OPEN_STATES
from shared.errors import JobNotFound, StateForbids
from shared.store.jobs import JOBS

MAX_CHOSEN = 100  # a longer address is not taken everywhere
CHOSEN = replace(WRITE, takes_form=True, max_body_bytes=16_384)
DONE, NOT_FOUND, REFUSED = 200, 404, 409


class Choice(Query):
    """Which jobs, and what is to become of them."""

    what: Literal["cancel", "delete"] = "cancel"
    job_id: Annotated[tuple[fields.FilledLabel, ...], Size(MAX_CHOSEN)] = ()
    next: str = Field("/jobs", max_length=2_000, description="where to go afterwards")


@route("GET", "/jobs/chosen", PAGE, endpoint="chosen_jobs")
def show(services: Services) -> Response:
    """Show what would become of the jobs that are chosen; nothing is changed."""
    choice = query_of(Choice, several={"job_id"})
    return _page(services, choice, {})


@route("POST", "/jobs/chosen", CHOSEN, endpoint="change_chosen_jobs")
def change(services: Services) -> Response:
    """Cancel or delete them, each for itself; what was refused is shown, each with its reason."""
    choice = form_of(Choice, several={"job_id"}, beside={FIELD})
    refused: dict[str, str] = {}
    for job_id in _chosen(choice):
        outcome = DONE
        try:
            DEEDS[choice.what](services, visible(services, JOBS, job_id))
        except JobNotFound as error:
            outcome, refused[job_id] = NOT_FOUND, error.headline
        except StateForbids as error:
            outcome, refused[job_id] = REFUSED, str(error)
        audit.record(f"{choice.what}_job", outcome, job_id=job_id)
    audit.note(jobs=len(_chosen(choice)), refused=len(refused))
    return _page(services, choice, refused) if refused else redirect(local_path(choice.next), 303)


def _page(services: Services, choice: Choice, refused: Mapping[str, str]) -> Response:
    """The page of what would be done; or, after it was tried, of what was refused."""
    jobs: list[Job] = []
    for job_id in _chosen(choice):
        with suppress(JobNotFound):
            jobs.append(visible(services, JOBS, job_id))
    able = [job for job in jobs if (job.state in OPEN_STATES) == (choice.what == "cancel")]
    about = {"choice": choice, "jobs": jobs, "able": able, "refused": refused, "next": local_path(choice.next)}
    answer = make_response(render_template("jobs_chosen.html", **about, form_token=form_token(), token_field=FIELD))
    answer.headers["Referrer-Policy"] = "same-origin"  # with no-referrer browsers send the form with `Origin: null`
    return answer


def _chosen(choice: Choice) -> list[str]:
    """Their ids, each once."""
    return list(dict.fromkeys(choice.job_id))


def _cancel(services: Services, job: Job) -> None:
    services.lifecycle.cancel(job.job_id, datetime.now(UTC))


DEEDS: Mapping[str, Callable[[Services, Job], None]] = {"cancel": _cancel, "delete": delete}

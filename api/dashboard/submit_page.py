"""The form that starts a job. It sends what it says to the calls under /v1, as everybody else does."""

from __future__ import annotations

from flask import render_template, request

from api.dashboard.submit_form import ADVANCED, GROUPS, connection_kinds, inputs, place_inputs
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.policy import PAGE
from api.edge.projects import visible
from api.edge.routing import route
from api.v1.asked import said
from api.v1.schedules import ScheduleBody
from shared.domain.codec import Document
from shared.domain.model_cards import ModelCard
from shared.errors import BrokerAway
from shared.store.jobs import JOBS

SCHEDULE_FIELDS = ("name", "cron", "refit_cron", "actuals_cron", "timezone")


@route("GET", "/jobs/new", PAGE, endpoint="submit")
def show(services: Services) -> str:
    """The form; with `?from=JOB_ID` filled in with what that job was asked for, with `?schedule=new` for a schedule."""
    known = _known(services, request.args.get("from", ""))
    places = known.get("data", {})
    source, destination = places.get("source", {}), places.get("destination", {})
    first_source = source if isinstance(source, dict) else source[0]
    cards, note = _cards(services)
    return render_template(
        "submit.html",
        groups={title: inputs(names, known) for title, names in GROUPS.items()},
        advanced=inputs(ADVANCED, known),
        has_advanced=any(name.partition(".")[0] in known for name in ADVANCED),
        connections=connection_kinds(services.settings, caller().projects),
        source=first_source,
        destination=destination,
        source_inputs=place_inputs("source", first_source),
        destination_inputs=place_inputs("destination", destination),
        is_one_source=source is first_source,
        cards=cards,
        note=note,
        chosen=known.get("model", "auto"),
        grids=known.get("hyperparameters", {}),
        is_schedule="schedule" in request.args,
        schedule_fields={name: ScheduleBody.model_fields[name].description or "" for name in SCHEDULE_FIELDS},
    )


def _known(services: Services, job_id: str) -> Document:
    """What an earlier job was asked for; nothing without one."""
    return said(services, visible(services, JOBS, job_id).request) if job_id else {}


def _cards(services: Services) -> tuple[tuple[ModelCard, ...], str]:
    """The models that workers offer; and why there are none."""
    try:
        cards = services.run_state.members.cards()
    except BrokerAway as error:
        services.outages.met(error)
        return (), "The broker is away, so the models are not known just now."
    return tuple(cards or ()), "" if cards else "No worker has said yet which models there are."

"""The form that starts a job, in three steps. It sends what it says to the calls under /v1, as everybody else does.

What is typed so far is part of the address while the source is looked at, so that this works without a script. The job itself is
sent by a script, as every change is: without one, the page shows the request for the command to send.
"""

from __future__ import annotations

import json
from contextlib import suppress

from flask import render_template, request

from api.dashboard.source_look import Seen, look_at
from api.dashboard.submit_form import (
    ADVANCED,
    ASKED,
    FOLDED,
    FOUND,
    KINDS,
    Input,
    connection_kinds,
    hyperparameter_kinds,
    inputs,
    place_inputs,
)
from api.dashboard.typed import document_of, typed_in
from api.edge.context import Services
from api.edge.identity import caller
from api.edge.policy import PAGE
from api.edge.projects import project_of_the_caller, visible
from api.edge.routing import route
from api.v1.asked import said
from api.v1.schedules import ScheduleBody
from api.v1.uploads import uploads_of
from shared.config.connection import Role, kinds
from shared.domain.codec import Document
from shared.domain.model_cards import ModelCard
from shared.domain.tokens import Scope
from shared.errors import BrokerAway, QueuecastError
from shared.store.jobs import JOBS

SCHEDULE_FIELDS = ("name", "cron", "refit_cron", "actuals_cron", "timezone")
ROLES: tuple[Role, ...] = ("source", "destination")
NAMED = tuple(f"data.{role}.name" for role in ROLES)


@route("GET", "/jobs/new", PAGE, endpoint="submit")
def show(services: Services) -> str:
    """The form; with `?from=JOB_ID` filled in with what that job was asked for, with `?schedule=new` for a schedule.

    `look` and what was typed: the same with what is in the source; `show` with the request instead.
    """
    known = _known(services, request.args.get("from", ""))
    cards, note = _cards(services)
    typed, grids = typed_in(request.args, _paths()), typed_in(request.args, hyperparameter_kinds(cards))
    chosen = [] if "auto" in request.args else request.args.getlist("model")
    document = document_of(typed | grids, KINDS | hyperparameter_kinds(cards), chosen) if _is_sent() else {}
    seen = _seen(services, document, cards)
    typed |= seen.suggested if seen else {}
    return render_template(
        "submit.html",
        **_fields(known, typed),
        **_models(known, cards, chosen, grids),
        connections=connection_kinds(services.settings, caller().projects),
        note=note,
        **_uploads(services, typed.get("project", "")),
        seen=seen,
        place=_place(document),
        document=json.dumps(document, indent=2, ensure_ascii=False) if "show" in request.args else "",
        is_open=bool(known),
        is_schedule="schedule" in request.args,
        schedule_fields={name: ScheduleBody.model_fields[name].description or "" for name in SCHEDULE_FIELDS},
    )


def _is_sent() -> bool:
    """Whether the form itself asks."""
    return bool({"look", "show"} & set(request.args)) and all(name in request.args for name in NAMED)


def _seen(services: Services, document: Document, cards: tuple[ModelCard, ...]) -> Seen | None:
    """What a look has shown, if one is asked for."""
    if not document or "look" not in request.args:
        return None
    return look_at(services, document, cards, is_first=request.args.get("looked") != _place(document))


def _place(document: Document) -> str:
    """What tells one source from another in the form."""
    return json.dumps(document["data"]["source"], sort_keys=True) if document else ""


def _paths() -> dict[str, str]:
    """Every field of the form but those of models → how it is written."""
    of_places = [f"data.{role}.{name}" for role in ROLES for kind in kinds for name in kinds[kind].asks_of(role)]
    folded = [name for names in FOLDED.values() for name in names]
    return {path: KINDS.get(path, "text") for path in (*FOUND, *ASKED, *folded, *ADVANCED, *NAMED, *of_places)}


def _fields(known: Document, typed: dict[str, str]) -> dict[str, object]:
    """Everything but the models."""
    places = known.get("data", {})
    source, destination = places.get("source", {}), places.get("destination", {})
    first_source = source if isinstance(source, dict) else source[0]
    roles = _roles(first_source, destination)

    def some(paths: tuple[str, ...]) -> list[Input]:
        return inputs(paths, known, typed)

    return {
        "found": some(FOUND),
        "asked": some(ASKED),
        "folded": {title: some(paths) for title, paths in FOLDED.items()},
        "advanced": some(ADVANCED),
        "has_advanced": any(name.partition(".")[0] in known for name in ADVANCED),
        "places": {role: typed.get(f"data.{role}.name", place.get("name", "files")) for role, place in roles},
        "place_inputs": {role: place_inputs(role, place, typed) for role, place in roles},
        "is_one_source": source is first_source,
    }


def _uploads(services: Services, project: str) -> dict[str, object]:
    """What the project has uploaded already; None = nobody may upload, or the caller may not for this project."""
    about: dict[str, object] = {"uploads": None, "project": project, "kept": services.settings.keep_uploads}
    if caller().scope.covers(Scope.WRITE):
        with suppress(QueuecastError):
            own = project_of_the_caller(project)
            about |= {"uploads": uploads_of(services, own), "project": own}
    return about


def _roles(source: Document, destination: Document) -> tuple[tuple[Role, Document], ...]:
    return ("source", source), ("destination", destination)


def _models(known: Document, cards: tuple[ModelCard, ...], chosen: list[str], grids: dict[str, str]) -> dict[str, object]:
    """The models to choose from, which are chosen, and what was typed of their hyperparameters, by path."""
    of_known = {
        f"hyperparameters.{model}.{name}": ", ".join(map(str, values))
        for model, given in known.get("hyperparameters", {}).items()
        for name, values in given.items()
    }
    typed = of_known | grids
    gridded = {path.split(".")[1] for path in typed}
    return {"cards": cards, "chosen": chosen or known.get("model", "auto"), "grids": typed, "gridded": gridded}


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

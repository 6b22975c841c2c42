"""Admission: may a well-formed request become a job? Its connections, its times, its models; and what to warn of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from api.edge.context import Services
from api.edge.identity import known_caller
from shared.config.connection import Role
from shared.config.settings import Settings
from shared.domain.identifiers import GLOB, is_column, listed
from shared.domain.jobs import QUEUE_FIELD, TIME_FIELD, JobRequest
from shared.domain.model_cards import ModelCard
from shared.domain.places import Place
from shared.domain.samples import CsvForm
from shared.domain.search_space import check_count, count_candidates
from shared.domain.tokens import Scope
from shared.errors import ConnectionOfProjects, InvalidRequest, RequestError, UnknownConnection

FILES, YARN = "files", "yarn"
OF_FILES = (FILES, "uploads")
MIN_HORIZONS = 3  # of history; less leaves less than one whole horizon to each third of it
CONFIGURED_TARGETS = {  # what YARN calls its configured values: they say what may be used, not what is
    *("capacity", "maxcapacity", "absolutecapacity", "absolutemaxcapacity", "mineffectivecapacity", "maxeffectivecapacity"),
    *("weight", "maxparallelapps", "userlimit", "userlimitfactor"),
}


def admit(services: Services, request: JobRequest, now: datetime) -> None:
    """Raises the first of the refusals. That the broker is away shows last, and is raised too."""
    for refusal in refusals(services, request, now):
        raise refusal


def refusals(services: Services, request: JobRequest, now: datetime) -> Iterator[RequestError]:
    """Every reason why the request cannot become a job, each with its field; raises BrokerAway when the models are not known."""
    checks: tuple[Callable[[], None], ...] = (
        partial(check_places, request, services.settings),
        partial(check_columns, request, services.settings),
        partial(check_collected, request, services.settings),
        partial(check_times, request, now),
        partial(check_fill, request),
        lambda: check_models(request, services.run_state.members.cards()),
    )
    for check in checks:
        try:
            check()
        except UnknownConnection as refusal:
            yield as_told(refusal, request, services.settings)
        except RequestError as refusal:
            yield refusal


def check_places(request: JobRequest, settings: Settings) -> None:
    """Source and destination are connections of the request's project, within what these may reach, and get what they need.

    Raises:
        UnknownConnection, InvalidRequest: with what is accepted.
    """
    places: list[tuple[Role, Place]] = [("source", place) for place in request.data.sources]
    places.append(("destination", request.data.destination))
    for role, place in places:
        with _about(f"data.{role}.name"):
            connection = settings.connection(place.name, project=request.project)
        connection.check_place(place, role)
    for file in request.event_files:
        with _about("events"):
            connection = settings.connection(file.name, project=request.project)
            if connection.kind != FILES:
                raise InvalidRequest(f"{file.name!r} is of kind {connection.kind}; an iCal file is read from one of kind files")


def as_told(refusal: UnknownConnection, request: JobRequest, settings: Settings) -> UnknownConnection:
    """To administrators, whose projects a connection is for; for everybody else one of other projects is not there."""
    who, every = known_caller(), settings.all_connections
    if who is None or who.scope is not Scope.ADMIN or who.projects is not None:
        return refusal
    named = [place.name for place in (*request.data.sources, request.data.destination)]
    named += [file.name for file in request.event_files]
    unusable = next(name for name in named if name not in every or not every[name].serves(request.project))
    if unusable not in every:
        return refusal
    projects = listed([project or "none" for project in every[unusable].projects or ()])
    found = f"the job is of {request.project!r}" if request.project else "the job names no `project`"
    detail = f"{unusable!r} is for jobs of the projects {projects}, and {found}; accepted is one of these"
    return ConnectionOfProjects(detail, **refusal.ids)


def check_columns(request: JobRequest, settings: Settings) -> None:
    """Columns of files have any name, those of databases a plain one; some fields are for files only.

    Raises:
        InvalidRequest: with what is accepted. UnknownConnection: as `check_places`.
    """
    named = {
        "target": (request.target,),
        "time_field": (request.time_field,),
        "queue_field": request.queue_fields,
        "columns": request.columns or (),
        "regressors": request.regressors,
        "where": tuple(request.where),
        "limits": request.limits.columns if request.limits else (),
    }
    for place in request.data.sources:
        kind = settings.connection(place.name, project=request.project).kind
        if kind in OF_FILES:
            continue
        for field, names in named.items():
            if refused := [name for name in names if not is_column(name)]:
                accepted = f"of {kind} accepted are names without control characters, whose parts between dots begin with no $"
                raise InvalidRequest(f"found the name {refused[0]!r}; {accepted}", field=field)
        for field, is_given in {
            "csv": request.csv != CsvForm(),
            "queues_from_columns": request.queues_from_columns,
        }.items():
            if is_given:
                raise InvalidRequest(f"{place.name!r} is of kind {kind}; {field} is for files only", field=field)


def check_collected(request: JobRequest, settings: Settings) -> None:
    """What is collected has its own columns of times and queues; raises InvalidRequest where they are asked for otherwise."""
    places = request.data.sources
    if any(settings.connection(place.name, project=request.project).kind != YARN for place in places):
        return
    given = {
        "time_field": request.time_field != TIME_FIELD,
        "queue_field": request.queue_field != QUEUE_FIELD,
        "samples_timezone": request.samples_timezone is not None,
    }
    for field in (name for name, is_given in given.items() if is_given):
        raise InvalidRequest(f"{places[0].name!r} is of kind {YARN}, whose samples have columns of their own", field=field)


def check_times(request: JobRequest, now: datetime) -> None:
    """The history ends now or earlier, and begins within the calendar; raises InvalidRequest."""
    end = request.as_of or now
    if end > now + timedelta(seconds=request.step_seconds):
        raise InvalidRequest(f"as_of {end.isoformat()} is in the future, now is {now.isoformat()}", field="as_of")
    try:
        request.history_start(end)
    except ValueError as error:
        raise InvalidRequest(str(error), field="data_ingestion_time_period") from error


def check_fill(request: JobRequest) -> None:
    """Gaps of the request's steps can be filled so; raises InvalidRequest."""
    if refusal := request.fill.refusal(request.step_seconds):
        raise InvalidRequest(refusal, field="fill")


def check_models(request: JobRequest, cards: Sequence[ModelCard] | None) -> None:
    """Every model and hyperparameter is known, and the queues asked for by name do not flood the workers.

    Without cards (no worker has ever published any) all are accepted; the workers check them again when they plan the job.

    Raises:
        UnknownModel, UnknownHyperparameter, InvalidRequest, TooManyCandidates: with what is accepted.
    """
    if cards is None:
        return
    with _about("hyperparameters"):
        candidates = count_candidates(request, cards)
    named = {queue for queue in request.queues if not GLOB & set(queue)}
    check_count(request, candidates=candidates, queues=max(1, len(named)))


def warnings_of(request: JobRequest, now: datetime) -> tuple[str, ...]:
    """What a person should know before the job has even begun."""
    end = request.as_of or now
    steps = request.grid.steps_between(request.history_start(end), end)
    horizon = request.horizon_steps(end)
    warnings = []
    if steps < MIN_HORIZONS * horizon:
        warnings.append(
            f"thin history: {steps} steps for {horizon} ahead; models are tried on one window of a third of it, "
            f"{MIN_HORIZONS} times the horizon or more makes scores trustworthy"
        )
    if request.target.rpartition(".")[2].replace("_", "").lower() in CONFIGURED_TARGETS:
        warnings.append(f"target {request.target!r} names a configured value; usage is what changes, such as used_capacity")
    return tuple(warnings)


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Says which field an error is about."""
    try:
        yield
    except (InvalidRequest, UnknownConnection) as error:
        raise type(error)(error.detail, **{**error.ids, "field": field}) from error

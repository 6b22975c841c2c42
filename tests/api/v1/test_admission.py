"""What needs more than the form: connections, the clock, the catalogue; and what a person is warned of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.v1.admission import check_columns, check_fill, check_models, check_places, check_times, warnings_of
from shared.config.settings import Settings
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, Place
from shared.domain.occasions import EventFile
from shared.domain.samples import CsvForm, Fill, FillMethod
from shared.errors import InvalidRequest, RequestError, TooManyCandidates, UnknownConnection
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.api.scene import CARDS, MakeApp, token_for
from tests.factories import MONDAY, a_request

FILES = Place(name="files")


def test_a_file_s_columns_have_any_name_and_those_of_databases_no_operator_s(everything: Settings) -> None:
    check_columns(a_request(data=DataPlaces(source=FILES, destination=FILES), target="Used capacity %"), everything)
    source = Place(name="mongodb", collection="usage")
    for field, changes in {
        "target": {"target": "$ROOT"},
        "where": {"where": {"$where": (1,)}},
        "queue_field": {"queue_field": ("queue", "a\tb")},
        "csv": {"csv": CsvForm(decimal=",")},
        "queues_from_columns": {"queues_from_columns": True},
    }.items():
        with pytest.raises(InvalidRequest) as caught:
            check_columns(a_request(data=DataPlaces(source=source, destination=FILES), **changes), everything)
        assert caught.value.ids["field"] == field


@pytest.mark.parametrize(
    "source",
    [
        Place(name="files", path="july/*.csv"),
        Place(name="mongodb", collection="usage"),
        Place(name="mongodb", collection="usage", document="yarn", database="yarn"),
        Place(name="archive", collection="usage", database="yarn_2025"),
    ],
)
def test_a_source_gets_what_its_kind_needs(everything: Settings, source: Place) -> None:
    check_places(a_request(data=DataPlaces(source=source, destination=FILES)), everything)


@pytest.mark.parametrize(
    ("role", "place", "field", "message"),
    [
        ("source", Place(name="mongodb"), "collection", "needs collection"),
        ("source", Place(name="influxdb", database="d"), "measurement", "needs measurement"),
        ("source", Place(name="files", collection="c"), "collection", "accepted: path"),
        ("source", Place(name="mongodb", collection="c", path="x"), "path", "accepted: collection, document, database"),
        (
            "source",
            Place(name="archive", collection="c", database="other"),
            "database",
            r"read in yarn\.\*, yarn_2025\.\*",
        ),
        ("source", Place(name="mongodb", collection="staff", database="hr"), "database", r"mongodb is read in yarn\.\*"),
        ("destination", Place(name="mongodb", collection="staff", database="hr"), "database", "takes forecasts for yarn"),
        ("source", Place(name="influxdb", measurement="usage", database="telegraf"), "database", r"read in db_name\.\*"),
        ("destination", Place(name="files", path="x"), "path", "nothing but name"),
        ("destination", Place(name="mongodb", collection="c", document="d"), "document", "accepted: collection, database"),
    ],
)
def test_a_place_with_too_little_or_too_much_is_refused(
    everything: Settings, role: str, place: Place, field: str, message: str
) -> None:
    places = {"source": FILES, "destination": FILES} | {role: place}
    with pytest.raises(InvalidRequest, match=message) as caught:
        check_places(a_request(data=DataPlaces(**places)), everything)
    assert caught.value.ids["field"] == f"data.{role}.{field}"


def test_an_unknown_connection_is_answered_with_the_known_ones(settings: Settings) -> None:
    request = a_request(data=DataPlaces(source=FILES, destination=Place(name="mongodb", collection="c")))
    with pytest.raises(UnknownConnection, match="known are files; set QUEUECAST_MONGODB_URL") as caught:
        check_places(request, settings)
    assert caught.value.ids["field"] == "data.destination.name"


def test_the_history_ends_within_the_present_step_and_begins_within_the_calendar() -> None:
    check_times(a_request(as_of=MONDAY + timedelta(minutes=59)), MONDAY)
    with pytest.raises(InvalidRequest, match="in the future"):
        check_times(a_request(as_of=MONDAY + timedelta(minutes=61)), MONDAY)
    with pytest.raises(InvalidRequest, match="the calendar"):
        check_times(a_request(as_of=None, data_ingestion_time_period=Duration(99_999, "mo")), MONDAY)


def test_globs_are_counted_as_one_queue_since_nobody_knows_yet() -> None:
    check_models(a_request(model=("prophet",), max_candidates=3, queues=("a*", "b?", "[cd]")), CARDS)
    with pytest.raises(TooManyCandidates, match="3 queue"):
        check_models(a_request(model=("prophet",), max_candidates=8, queues=("a", "b", "c")), CARDS)


@pytest.mark.parametrize("target", ["absolute_max_capacity", "absoluteMaxCapacity", "capacities.capacity"])
def test_a_target_that_is_configuration_is_accepted_with_a_warning(target: str) -> None:
    [warning] = warnings_of(a_request(target=target), MONDAY)
    assert "configured value" in warning


def test_a_destination_that_its_connection_is_not_open_for_is_refused(settings: Settings) -> None:
    limited = {"charts": {"kind": "influxdb", "url": "http://localhost:8086", "writable": ["queue_*"], "database": "fc"}}
    known = Settings(data_dir=settings.data_dir, connections=limited)
    source = Place(name="charts", measurement="anything")
    check_places(a_request(data=DataPlaces(source=source, destination=Place(name="charts", measurement="queue_x"))), known)
    with pytest.raises(InvalidRequest, match=r"charts takes forecasts for fc\.queue_"):
        check_places(a_request(data=DataPlaces(source=source, destination=Place(name="charts", measurement="cpu"))), known)


def test_a_connection_of_other_projects_is_not_there(settings: Settings) -> None:
    limited = {"hr": {"kind": "mongodb", "url": "mongodb://h/hr", "projects": ["payroll"]}}
    known = Settings(data_dir=settings.data_dir, connections=limited)
    data = DataPlaces(source=Place(name="hr", collection="staff"), destination=FILES)
    check_places(a_request(project="payroll", data=data), known)
    for project in ("etl", ""):
        with pytest.raises(UnknownConnection, match=r"known are files, uploads$"):
            check_places(a_request(project=project, data=data), known)
    with pytest.raises(UnknownConnection, match=r"known are files, uploads$"):
        check_places(a_request(project="etl", data=DataPlaces(source=FILES, destination=data.sources[0])), known)


@pytest.mark.parametrize(
    ("fill", "step", "said"),
    [
        (Fill(method=FillMethod.PREVIOUS_DAY), Duration(7, "h"), "previous_day needs steps that a day is made of"),
        (Fill(method=FillMethod.NONE, longest=Duration(6, "h")), Duration(1, "h"), "none fills no gap"),
        (Fill(longest=Duration(30, "min")), Duration(1, "h"), "longest 30min is no fixed length of at least one step"),
        (Fill(longest=Duration(1, "mo")), Duration(1, "h"), "longest 1mo is no fixed length"),
    ],
)
def test_a_way_to_fill_gaps_that_is_none_is_refused(fill: Fill, step: Duration, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        check_fill(a_request(fill=fill, aggregation_time_period=step))
    check_fill(a_request(fill=Fill(method=FillMethod.PREVIOUS_DAY, longest=Duration(6, "h"))))


def test_a_file_of_events_lies_in_a_connection_of_the_project_that_is_of_files(settings: Settings) -> None:
    limited = {"hr": {"kind": "mongodb", "url": "mongodb://h/hr", "projects": ["payroll"]}}
    known = Settings(data_dir=settings.data_dir, connections=limited)
    for project, message in (("payroll", "is of kind mongodb; an iCal file"), ("etl", "known are files")):
        with pytest.raises(RequestError, match=message) as caught:
            check_places(a_request(project=project, events=(EventFile(ical="x.ics", name="hr"),)), known)
        assert caught.value.ids["field"] == "events"


def test_administrators_learn_whose_a_connection_is_and_others_that_there_is_none(
    settings: Settings, run_state: RunState, make_app: MakeApp
) -> None:
    limited = {"prod": {"kind": "yarn", "cluster": "prod", "addresses": ["http://rm:8088"], "projects": ["etl", "ml"]}}
    app = make_app(Settings(**settings.model_dump() | {"connections": limited}))
    client, admin = app.test_client(), token_for(app)
    body = a_body("data", {"source": {"name": "prod"}, "destination": {"name": "files"}}) | {"project": ""}
    told = client.post("/v1/jobs", json=body, headers=admin)
    assert (told.status_code, told.json["type"]) == (422, "urn:queuecast:connection-of-projects")
    assert told.json["errors"][0]["loc"] == ["data", "source", "name"]
    assert "'prod' is for jobs of the projects etl, ml, and the job names no `project`; accepted is one of these" in told.text
    other = client.post("/v1/jobs", json=body | {"project": "web"}, headers=admin)
    assert "and the job is of 'web'" in other.text
    missing = body | {"data": {"source": {"name": "nowhere"}, "destination": {"name": "files"}}}
    assert client.post("/v1/jobs", json=missing, headers=admin).json["type"] == "urn:queuecast:unknown-connection"
    outsider = token_for(app, "write", "web")
    hidden = client.post("/v1/jobs", json=body | {"project": "web"}, headers=outsider)
    assert (hidden.status_code, hidden.json["type"]) == (422, "urn:queuecast:unknown-connection")
    assert "etl" not in hidden.text
    checked = client.post("/v1/jobs/validate", json=body, headers=admin)
    assert "names no `project`" in checked.text

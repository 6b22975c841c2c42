"""One name of a queue, two projects, two clusters and two targets in one store: who asks for one of them gets nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import product
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient

from api.edge.context import EXTENSION, Services
from shared.config.settings import Settings
from shared.domain.jobs import Job
from shared.domain.reports import Point
from shared.domain.samples import Aggregation
from shared.domain.timegrid import TimeGrid
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import Granting, MakeApp
from tests.factories import SUMS, a_forecast, a_job, a_report, a_request, an_accuracy

QUEUE, JOB = "root.shared", "hourly"
HOUR = timedelta(hours=1)
Choice = dict[str, str]
CHOICES: list[Choice] = [
    {"cluster": cluster, "project": project, "target": target}
    for cluster, project, target in product("ab", ("", "etl"), ("memory", "used_capacity"))
]
NUMBER = {tuple(choice.values()): float(number) for number, choice in enumerate(CHOICES, start=1)}
LIKE = {"series": "points", "accuracy": "overall", "forecasts": "forecasts"}


def number(choice: Choice) -> float:
    """What everything of this series is made of: no other one has it."""
    return NUMBER[tuple(choice.values())]


def job_id(choice: Choice) -> str:
    return f"job-{number(choice):.0f}"


@pytest.fixture
def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def known(store: Store, this_hour: datetime) -> Store:
    """A job of each series, all called alike and of one hour, with its forecast, its actual values and its accuracy."""
    for choice in CHOICES:
        keep(store, choice, this_hour)
    return store


def keep(store: Store, choice: Choice, issued_at: datetime) -> None:
    values = (number(choice),) * 3
    named = {"cluster": choice["cluster"], "project": choice["project"]}
    job: Job = a_job(job_id=job_id(choice), request=a_request(job_name=JOB, target=choice["target"], **named))
    forecast = a_forecast(
        queue=QUEUE, metric=choice["target"], **named, job=JOB, job_id=job.job_id, issued_at=issued_at, created_at=issued_at,
        prediction=values, lower_bound=values, upper_bound=values, mape=values[0],
    )  # fmt: skip
    store.jobs.add(job)
    store.reports.save(a_report(job_id=job.job_id, queue=QUEUE))
    store.forecasts.save(forecast)
    store.actuals.save(forecast.series, [Point(timestamp=issued_at - HOUR, value=values[0])])
    own = {name: getattr(forecast, name) for name in ("series_id", "job", "job_id", "created_at")}
    store.accuracy.save([an_accuracy(**own, issued_at=issued_at - HOUR, sums=replace(SUMS, surplus=6 * values[0]))])


def seen(client: FlaskClient, what: str, query: Choice, headers: dict[str, str] | None = None) -> object:
    """The numbers that an answer is made of."""
    answer = client.get(f"/v1/queues/{QUEUE}/{what}?{urlencode(query)}", headers=headers)
    assert answer.status_code == 200, answer.json
    match what:
        case "series":
            return {point[name] for point in answer.json["points"] for name in ("actual", "prediction")} - {None}
        case "accuracy":
            return {answer.json["overall"]["bias"]}
        case _:
            return {issue["mape"] for issue in answer.json["forecasts"]}


@pytest.mark.parametrize("what", LIKE)
def test_a_series_that_is_named_is_all_that_is_answered(known: Store, client: FlaskClient, what: str) -> None:
    for choice in CHOICES:
        assert seen(client, what, choice) == {number(choice)}
        as_before = {name.replace("target", "metric"): value for name, value in choice.items()}
        assert seen(client, what, as_before | {"job": JOB}) == {number(choice)}


@pytest.mark.parametrize("what", LIKE)
def test_a_name_of_several_is_refused_with_the_choices(known: Store, client: FlaskClient, grant: Granting, what: str) -> None:
    def choices(query: Choice, *projects: str) -> object:
        answer = client.get(f"/v1/queues/{QUEUE}/{what}?{urlencode(query)}", headers=grant("read", *projects))
        assert (answer.status_code, answer.json["type"]) == (409, "urn:queuecast:several-series")
        return answer.json["choices"]

    assert choices({}) == CHOICES
    assert choices({"cluster": "a", "target": "memory"}) == [{"project": ""}, {"project": "etl"}]
    of_etl = [{"cluster": cluster, "target": target} for cluster, target in product("ab", ("memory", "used_capacity"))]
    assert choices({}, "etl") == of_etl  # what others have is not even named
    assert seen(client, what, of_etl[0], grant("read", "etl")) == {number(CHOICES[2])}
    other = client.get(f"/v1/queues/{QUEUE}/{what}?project=&cluster=a", headers=grant("read", "etl"))
    assert other.status_code == 404


def links(text: str, path: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]*)"', text) if link.startswith(path)]


def test_the_page_of_a_queue_offers_the_choices_and_each_leads_to_its_own(known: Store, client: FlaskClient) -> None:
    page = client.get(f"/queues/{QUEUE}")
    assert page.status_code == 409
    offered = links(page.text, "?")
    assert len(offered) == len(CHOICES)
    for link, choice in zip(offered, CHOICES, strict=True):
        shown = client.get(f"/queues/{QUEUE}{link}")
        assert shown.status_code == 200
        assert f"{choice['target']}</bdi> of <bdi>{choice['cluster']}</bdi>" in shown.text
        [address] = re.findall(r"/v1/queues/root\.shared/series\?[^\"&]*(?:&amp;amp;|&amp;)?[^\"]*?format=csv", shown.text)[:1]
        table = client.get(unescape(unescape(address))).text
        assert {cell for line in table.splitlines()[1:] for cell in line.split(",")[1:3] if cell} == {str(number(choice))}
        for further in links(shown.text, f"/queues/{QUEUE}?"):  # other days, earlier issues
            assert client.get(further).status_code == 200


def test_what_the_address_says_already_stays_in_the_choices(known: Store, client: FlaskClient) -> None:
    offered = links(client.get(f"/queues/{QUEUE}?target=memory&cluster=a&days=30").text, "?")
    assert [client.get(f"/queues/{QUEUE}{link}").status_code for link in offered] == [200, 200]
    assert all("days=30" in link for link in offered)


def test_the_overview_counts_queues_names_clusters_and_leads_to_each_series(
    known: Store, client: FlaskClient, grant: Granting
) -> None:
    everything = client.get("/").text
    assert "4 of 4 queues" in everything  # of 8 rows
    rows = [link for link in links(everything, f"/queues/{QUEUE}?") if "target=" in link]
    assert len(rows) == 8
    assert all(client.get(link).status_code == 200 for link in rows)
    told = re.findall(r'<span class="of"> <bdi>([^<]*)</bdi>', everything)
    assert {"a", "no project", "memory"} <= {*told}  # in what they differ, and nothing else
    assert JOB not in told
    assert len(client.get("/v1/queues").json["queues"]) == 8
    assert "2 of 2 queues" in client.get("/", headers=grant("read", "etl")).text


def test_queues_are_compared_within_their_project_and_cluster(known: Store, client: FlaskClient, this_hour: datetime) -> None:
    [beside] = known.forecasts.find(job_id=job_id(CHOICES[0]))
    for changes in ({"queue": "root.own"}, {"queue": "root.other", "project": "etl"}, {"queue": "root.far", "cluster": "b"}):
        known.forecasts.save(replace(beside, **changes, job_id=f"of {changes['queue']}"))
    page = client.get(f"/queues/{QUEUE}?{urlencode(CHOICES[0])}&compare=root.own&compare=root.other&compare=root.far").text
    drawn = set(re.findall(r"/v1/queues/([a-z.]+)/series", page))
    assert drawn == {QUEUE, "root.own"}


def test_two_issues_of_one_job_name_and_hour_stay_two(known: Store, client: FlaskClient, this_hour: datetime) -> None:
    first, choice = job_id(CHOICES[0]), CHOICES[0]
    known.jobs.add(a_job(job_id="second", request=a_request(job_name=JOB, target="memory", project="", cluster="a")))
    known.reports.save(a_report(job_id="second", queue=QUEUE))
    [forecast] = known.forecasts.find(job_id=first)
    again = replace(forecast, job_id="second", created_at=forecast.created_at + HOUR, prediction=(99.0, 99.0, 99.0))
    known.forecasts.save(again)
    known.forecasts.save(replace(forecast, created_at=forecast.created_at + 2 * HOUR))  # of a retry
    issues = client.get(f"/v1/queues/{QUEUE}/forecasts?{urlencode(choice)}").json["forecasts"]
    assert [issue["job_id"] for issue in issues] == [first, "second"]
    for one, value in ((first, 1.0), ("second", 99.0)):
        assert client.get(f"/v1/jobs/{one}/queues/{QUEUE}").json["forecast"]["steps"][0]["prediction"] == value
        points = client.get(f"/v1/queues/{QUEUE}/series?job_id={one}").json["points"]
        assert points[-1]["prediction"] == value
        [link] = links(client.get(f"/jobs/{one}").text, f"/queues/{QUEUE}")
        assert client.get(link).status_code == 200
        assert f"job_id={one}" in link
    [newest] = known.forecasts.newest_of_each(QUEUE, metric="memory", cluster="a", projects=[""])
    assert newest.job_id == first


def test_jobs_of_other_names_are_told_apart_where_their_series_differ(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(a_forecast())
    store.forecasts.save(a_forecast(job="another", job_id="job-2"))
    changed = {"aggregation": Aggregation.MAX, "issued_at": a_forecast().issued_at + HOUR}
    store.forecasts.save(a_forecast(job_id="job-3", **changed))  # the same job, from then on by the maximum
    path = "/v1/queues/root.etl/series"
    answer = client.get(path)
    assert (answer.status_code, answer.json["choices"]) == (409, [{"job": "Resource Forecasting"}, {"job": "another"}])
    assert client.get(f"{path}?job={quote('Resource Forecasting')}").json["job_id"] == "job-3"
    assert client.get(f"{path}?job=another").json["job_id"] == "job-2"


def drawn(client: FlaskClient, link: str) -> set[str]:
    """The numbers that the chart of a page is made of, by the address that the page gives it."""
    page = client.get(link)
    assert page.status_code == 200, link
    [address] = set(re.findall(r'/v1/queues/[^" ]*format=csv', page.text))
    table = client.get(unescape(unescape(address))).text
    return {cell for line in table.splitlines()[1:] for cell in line.split(",")[1:3] if cell}


def test_steps_aggregations_and_partitions_of_one_job_name_stay_apart_everywhere(
    store: Store, client: FlaskClient, this_hour: datetime
) -> None:
    rows_of = [{"where": f"partition={name}"} for name in ("gpu", "default")]
    own: list[dict[str, object]] = [{}, {"aggregation": Aggregation.MAX}, {"step_seconds": 7_200}, *rows_of]
    for value, changes in enumerate(own, start=1):
        values = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (float(value),) * 3)
        times = {"issued_at": this_hour, "created_at": this_hour + value * HOUR}
        forecast = a_forecast(cluster="prod", job_id=f"job-{value}", mape=float(value), **times, **values, **changes)
        store.forecasts.save(forecast)
        store.actuals.save(forecast.series, [Point(timestamp=this_hour - HOUR, value=float(value))])
    rows = [link for link in links(client.get("/").text, "/queues/root.etl?") if "target=" in link]
    assert sorted(number for link in rows for number in drawn(client, link)) == [f"{value}.0" for value in range(1, 6)]
    for value in range(1, 6):
        assert drawn(client, f"/queues/root.etl?job_id=job-{value}") == {f"{value}.0"}
    answer = client.get("/v1/queues/root.etl/accuracy")
    choices = [{"where": where} for where in ("", "partition=default", "partition=gpu")]
    assert (answer.status_code, answer.json["choices"]) == (409, choices)
    offered = links(client.get("/queues/root.etl").text, "?")
    newest_of_each = [drawn(client, f"/queues/root.etl{link}") for link in offered]
    assert newest_of_each == [{"3.0"}, {"5.0"}, {"4.0"}]
    for what, value in (("where=&step_seconds=3600&aggregation=max", 2.0), ("where=partition%3Dgpu", 4.0)):
        [issue] = client.get(f"/v1/queues/root.etl/forecasts?{what}").json["forecasts"]
        assert issue["mape"] == value
    gauges = [line for line in client.get("/metrics").text.splitlines() if line.startswith("queuecast_queue_mape")]
    assert sorted(line.split()[-1] for line in gauges) == ["3.0", "4.0", "5.0"]


def test_days_of_two_time_zones_of_one_job_name_stay_apart(store: Store, client: FlaskClient, this_hour: datetime) -> None:
    values = {"UTC": 1.0, "Europe/Berlin": 2.0}
    for zone, value in values.items():
        grid = TimeGrid(86_400, zone)
        times = {"issued_at": grid.bucket_start(this_hour), "created_at": this_hour + value * HOUR}
        own = dict.fromkeys(("prediction", "lower_bound", "upper_bound"), (value,) * 3)
        days = {"step_seconds": 86_400, "timezone": zone, "day_starts": tuple(grid.step_starts(times["issued_at"], 3))}
        store.forecasts.save(a_forecast(job_id=f"job-{value}", mape=value, **times, **own, **days))  # type: ignore[arg-type]
    rows = [link for link in links(client.get("/").text, "/queues/root.etl?") if "target=" in link]
    assert sorted(number for link in rows for number in drawn(client, link)) == ["1.0", "2.0"]
    for asked, value in (("", 1.0), ("Europe/Berlin", 2.0)):
        answer = client.get("/v1/queues/root.etl/series", query_string={"day_timezone": asked})
        assert (answer.json["day_timezone"], answer.json["points"][0]["prediction"]) == (asked, value)
        assert answer.json["end_at"] == answer.json["peaks"][-1]["end_at"]


def test_a_connection_names_the_cluster_of_requests_that_name_none(
    settings: Settings, make_app: MakeApp, run_state: RunState
) -> None:
    connections = {name: {"kind": "files", "path": str(settings.data_dir / name), "cluster": name} for name in ("east", "west")}
    given = {name: getattr(settings, name) for name in ("data_dir", "files_dir", "store_url")}
    app = make_app(Settings(**given, connections=connections))
    services: Services = app.extensions[EXTENSION]
    for name, own, meant in (("east", "", "east"), ("west", "", "west"), ("east", "prod", "prod"), ("files", "", "files:")):
        source = {"name": name, "path": "*.csv"}
        body = a_body("data.source", source) | ({"cluster": own} if own else {})
        accepted = app.test_client().post("/v1/jobs", json=body)
        assert accepted.status_code == 202, accepted.json
        assert services.store.jobs.get(accepted.json["job_id"]).request.series(QUEUE).cluster == meant


def test_a_job_id_of_another_project_opens_nothing(known: Store, client: FlaskClient, grant: Granting) -> None:
    headers = grant("read", "etl")
    for address in (f"/v1/queues/{QUEUE}/series?job_id={job_id(CHOICES[0])}", f"/v1/jobs/{job_id(CHOICES[0])}/queues/{QUEUE}"):
        assert client.get(address, headers=headers).status_code == 404

"""What a request means whose source is a cluster, and for whom it is there."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask

from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.domain.samples import Aggregation
from shared.domain.tokens import Scope
from shared.store import open_store
from tests.api.bodies import a_body
from tests.api.scene import MakeApp, token_for

CLUSTER = YarnConnection(cluster="prod", addresses=("http://rm:8088",), projects=("capacity",))
STORED = {"target": "demand_memory_mb", "aggregation": Aggregation.P95, "cluster": "prod"}


@pytest.fixture
def over_yarn(settings: Settings, make_app: MakeApp) -> Flask:
    return make_app(settings.model_copy(update={"connections": {"prod": CLUSTER}}))


def of_cluster(**changes: Any) -> dict[str, Any]:
    return a_body("data.source", {"name": "prod"}) | {"project": "capacity"} | changes


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, {}),
        ({"target": "used_capacity"}, {"target": "used_capacity"}),
        ({"target": "demand_vcores", "aggregation": "mean"}, {"target": "demand_vcores", "aggregation": Aggregation.MEAN}),
        ({"cluster": "other"}, {"cluster": "other"}),
    ],
)
def test_what_is_not_said_is_demand_and_its_95_percent_quantile(
    over_yarn: Flask, settings: Settings, said: dict[str, Any], meant: dict[str, Any]
) -> None:
    answer = over_yarn.test_client().post("/v1/jobs", json=of_cluster(**said))
    assert answer.status_code == 202, answer.json
    store = open_store(settings.store_location)
    request = store.jobs.get(answer.json["job_id"]).request
    assert {name: getattr(request, name) for name in STORED} == STORED | meant
    store.close()


def test_a_schedule_keeps_what_is_meant(over_yarn: Flask, settings: Settings) -> None:
    body = {"name": "daily", "cron": "0 6 * * *", "request": of_cluster()}
    answer = over_yarn.test_client().post("/v1/schedules", json=body)
    assert answer.status_code == 201, answer.json
    store = open_store(settings.store_location)
    [schedule] = store.schedules.all()
    assert (schedule.request.target, schedule.request.aggregation) == ("demand_memory_mb", Aggregation.P95)
    store.close()


def test_partitions_are_series_of_their_own(over_yarn: Flask, settings: Settings) -> None:
    store, where = open_store(settings.store_location), {}
    for partition in ("", "default", "gpu"):
        source = {"name": "prod"} | ({"partition": partition} if partition else {})
        answer = over_yarn.test_client().post(
            "/v1/jobs", json=of_cluster() | {"data": {"source": source, "destination": {"name": "files"}}}
        )
        assert answer.status_code == 202, answer.json
        where[partition] = store.jobs.get(answer.json["job_id"]).request.series("root.etl").where
    assert where == {"": "", "default": "", "gpu": "partition=gpu"}
    store.close()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_field": "at"}, "time_field"),
        ({"queue_field": "pool"}, "queue_field"),
        ({"samples_timezone": "UTC"}, "samples_timezone"),
    ],
)
def test_columns_of_times_and_queues_are_the_collector_s(over_yarn: Flask, changes: dict[str, Any], field: str) -> None:
    answer = over_yarn.test_client().post("/v1/jobs", json=of_cluster(**changes))
    assert answer.status_code == 422
    assert "'prod' is of kind yarn, whose samples have columns of their own" in answer.get_data(as_text=True)
    assert field in answer.get_data(as_text=True)


def test_for_another_project_a_cluster_is_not_there(over_yarn: Flask) -> None:
    client, headers = over_yarn.test_client(), token_for(over_yarn, Scope.WRITE, "sales")
    told = {}
    for name in ("prod", "nowhere"):
        body = a_body("data.source", {"name": name}) | {"project": "sales"}
        answers = [client.post(path, json=body, headers=headers) for path in ("/v1/jobs", "/v1/jobs/validate")]
        told[name] = [answer.get_data(as_text=True).replace(name, "NAME") for answer in answers]
        assert answers[0].status_code == 422
        assert "known are files" in told[name][0]
    page = client.get("/jobs/new", headers=headers).get_data(as_text=True)
    assert "prod" not in page


def test_the_form_offers_it(over_yarn: Flask) -> None:
    page = over_yarn.test_client().get("/jobs/new").get_data(as_text=True)
    assert 'data-connection="yarn"' in page
    assert "data.source.partition" in page


@pytest.mark.parametrize("changes", [{}, {"target": "used_capacity", "aggregation": "mean"}])
def test_a_job_is_asked_for_again_as_it_was(over_yarn: Flask, settings: Settings, changes: dict[str, Any]) -> None:
    """The form says nothing of the aggregation unless somebody does; filled in with an earlier job it says what that had."""
    client = over_yarn.test_client()
    job_id = client.post("/v1/jobs", json=of_cluster(**changes)).json["job_id"]
    store = open_store(settings.store_location)
    request = store.jobs.get(job_id).request
    store.close()
    page = client.get(f"/jobs/new?from={job_id}").text
    assert f"<option selected>{request.aggregation.value}</option>" in page
    assert f'value="{request.target}"' in page
    assert "<option selected></option>" in client.get("/jobs/new").text
    [shown] = re.findall(r"<pre[^>]*>(.*?)</pre>", client.get(f"/jobs/{job_id}").text, re.DOTALL)
    again = client.post("/v1/jobs", json=json.loads(unescape(shown)))
    assert again.status_code == 202, again.json
    store = open_store(settings.store_location)
    assert store.jobs.get(again.json["job_id"]).request == request
    store.close()

"""What queues waited for and could give back, over HTTP: numbers and words, whose they are, and what is not known yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.edge.context import EXTENSION
from shared.config.settings import Settings
from shared.domain.configuration_change import GONE
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import DAY, NOW, PROD, TEST, a_change, a_day, a_tree
from tests.api.scene import MakeApp, token_for
from tests.api.v1.usage_reports import GB, MASTERS, REPORT, RESTS
from tests.factories import a_forecast


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    connections = {"hadoop": PROD, "other": TEST}
    return make_app(Settings(**settings.model_dump() | {"connections": connections}))


@pytest.fixture
def store(app: Flask) -> Store:
    found: Store = app.extensions[EXTENSION].store
    found.usages.save([REPORT, RESTS, replace(REPORT, queue="root"), replace(REPORT, partition="gpu", under_use=None)])
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_queue_tells_what_held_it_back_and_what_it_could_give(client: FlaskClient, store: Store) -> None:
    told = client.get("/v1/queues/root.etl/limits?cluster=prod").json
    assert (told["waits"]["hours"], told["waits"]["share"], told["waits"]["delay_seconds"]) == (12.0, 0.075, 42.0)
    assert told["waits"]["sentence"] == "It waited 12.0 of 160 hours (8 %)."
    masters, unexplained = told["waits"]["causes"]
    assert (masters["cause"], masters["hours"], masters["properties"]) == ("masters", 9.0, ["maximum-am-resource-percent"])
    assert masters["evidence"].startswith("Application masters had 9.5 GB of the 10 GB that they may have")
    assert masters["numbers"] == MASTERS
    assert (unexplained["evidence"], unexplained["properties"]) == ("", [])
    assert told["before_a_raise"].startswith("Waits because its share for application masters is full, 75 % of that time.")
    assert "Look at maximum-am-resource-percent." in told["before_a_raise"]
    under_use = told["under_use"]
    assert (under_use["reclaimable_memory_mb"], under_use["reclaimable_vcores"]) == (20 * GB, 0.0)
    assert under_use["gb_hours_a_month"] == 14_400.0
    assert under_use["sentence"].startswith("Could give back 20 GB, 14,400 GB·h a month: 60 GB and 40 vcores were enough")
    assert told["reason"] is None


def test_all_queues_of_a_cluster_are_told_and_their_leaves_added_up(client: FlaskClient, store: Store) -> None:
    told = client.get("/v1/usage?cluster=prod").json
    assert [queue["queue"] for queue in told["queues"]] == ["root", "root.adhoc", "root.etl"]
    assert (told["leaves"], told["waiting_hours"], told["reclaimable_memory_mb"], told["gb_hours_a_month"]) == (
        *(2, 12.0),
        *(20 * GB, 14_400.0),
    )
    adhoc = told["queues"][1]
    assert (adhoc["under_use"], adhoc["reason"], adhoc["before_a_raise"]) == (None, "its guarantee is not known", None)
    assert told["notes"] == []


def test_dynamic_queues_are_added_up_themselves_and_not_as_their_sum(client: FlaskClient, store: Store) -> None:
    store.usages.save([replace(REPORT, queue=queue) for queue in ("root.users", "root.users/*", "root.users.ada")])
    told = client.get("/v1/usage?cluster=prod").json
    assert (len(told["queues"]), told["leaves"], told["waiting_hours"]) == (6, 3, 24.0)


def test_a_partition_has_reports_of_its_own(client: FlaskClient, store: Store) -> None:
    told = client.get("/v1/usage?cluster=prod&partition=gpu").json
    assert [queue["partition"] for queue in told["queues"]] == ["gpu"]
    assert told["notes"] == ["no under-use is told before 7 days of demand are known"]
    assert client.get("/v1/queues/root.etl/limits?partition=gpu").json["under_use"] is None


def test_a_cluster_without_a_report_says_what_makes_one(client: FlaskClient) -> None:
    told = client.get("/v1/usage?cluster=prod").json
    assert (told["queues"], told["made_at"]) == ([], None)
    assert "queuecast collect --report" in told["notes"][0]
    missing = client.get("/v1/queues/root.etl/limits?cluster=prod")
    assert (missing.status_code, missing.json["type"]) == (404, client.get("/v1/queues/none/series").json["type"])


def test_of_several_clusters_one_has_to_be_named(client: FlaskClient, store: Store) -> None:
    assert client.get("/v1/usage").status_code == 400
    assert client.get("/v1/queues/root.etl/limits").json["cluster"] == "prod"
    store.usages.save([replace(REPORT, cluster="test")])
    several = client.get("/v1/queues/root.etl/limits")
    assert (several.status_code, "prod" in several.json["detail"], "test" in several.json["detail"]) == (400, True, True)
    assert client.get("/v1/queues/root.etl/limits?cluster=test").json["cluster"] == "test"


def test_a_cluster_of_other_projects_is_as_if_it_were_not_there(app: Flask, client: FlaskClient, store: Store) -> None:
    store.usages.save([replace(REPORT, cluster="test", queue="root.secret")])
    red, blue = token_for(app, "read", "red"), token_for(app, "read", "blue")
    assert client.get("/v1/usage?cluster=test", headers=red).json["queues"][0]["queue"] == "root.secret"
    for address in ("/v1/usage", "/v1/queues/root.secret/limits"):
        hidden, none = (client.get(f"{address}?cluster={cluster}", headers=blue) for cluster in ("test", "none"))
        assert hidden.status_code == none.status_code == 404
        assert hidden.json["title"] == none.json["title"]
    hidden, none = (client.get(f"/v1/queues/{queue}/limits", headers=blue) for queue in ("root.secret", "root.none"))
    assert hidden.status_code == none.status_code == 404
    assert hidden.json["title"] == none.json["title"]


def page_of(client: FlaskClient, query: str = "") -> str:
    answer = client.get(f"/queues/root.etl{query}")
    assert answer.status_code == 200
    return answer.text


def test_the_page_of_a_queue_tells_it_before_anybody_moves_its_capacity(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(a_forecast(queue="root.etl", cluster="prod"))
    page = page_of(client)
    assert "Waits because its share for application masters is full, 75 % of that time." in page
    assert "<code>maximum-am-resource-percent</code>" in page
    assert "Could give back 20 GB, 14,400 GB·h a month" in page
    assert "Its highest demand was 79 GB" in page


@pytest.mark.parametrize("changes", [{"cluster": "elsewhere"}, {"cluster": "prod", "where": "user=ada"}])
def test_a_forecast_of_other_rows_has_no_report(client: FlaskClient, store: Store, changes: dict[str, str]) -> None:
    store.forecasts.save(a_forecast(queue="root.etl", **changes))
    assert "Before its capacity is changed" not in page_of(client)


def test_a_queue_that_is_gone_is_told_and_gives_nothing_back(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.changes.save([a_change(queue="root.adhoc", state=GONE)])
    store.usages.save([replace(REPORT, queue="root.adhoc")])
    told = client.get("/v1/usage?cluster=prod").json
    gone = f"gone since {a_change().changed_at:%Y-%m-%d %H:%M} UTC"
    assert [queue["gone"] for queue in told["queues"]] == [None, gone, None]
    assert (told["leaves"], told["waiting_hours"]) == (1, 12.0)
    assert client.get("/v1/queues/root.adhoc/limits?cluster=prod").json["gone"] == gone


def test_forecasts_of_a_queue_that_is_gone_say_so(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    for queue, cluster in (("root.gone", "prod"), ("root.etl", "prod"), ("root.gone", "lake:"), ("gone", "prod")):
        store.forecasts.save(a_day(queue=queue, cluster=cluster))
    told = {(each["cluster"], each["queue"]): each["gone"] for each in client.get("/v1/queues").json["queues"]}
    why = f"gone: the cluster did not have it when it was read, {NOW:%Y-%m-%d %H:%M} UTC"
    assert {key for key, said in told.items() if said} == {("prod", "root.gone")}
    assert told[("prod", "root.gone")] == why
    assert client.get("/v1/queues/root.gone/series?cluster=prod").json["gone"] == why
    assert "This queue is not there any more." in client.get("/queues/root.gone?cluster=prod").text


def test_a_queue_of_the_tree_without_a_report_is_told_when_its_first_one_comes(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    told = client.get("/v1/queues/root.users.ada/limits?cluster=prod")
    assert (told.status_code, told.json["title"]) == (404, "No report of the queue was made yet")
    assert f"made after {REPORT.made_at + DAY:%Y-%m-%d %H:%M} UTC; `queuecast collect --report`" in told.json["detail"]
    assert client.get("/v1/queues/root.nosuch/limits?cluster=prod").json["title"] == "No queue of this name is known"
    assert client.get("/v1/queues/root/limits?cluster=test").status_code == 404

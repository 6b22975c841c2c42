"""The queue tree over HTTP: what each queue has, uses and is to expect; whose it is; how it was; and when it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.edge.context import EXTENSION
from shared.config.settings import Settings
from shared.domain.capacities import Capacity
from shared.domain.distribution import Paths
from shared.domain.queue_tree import Queue
from shared.domain.units import Unit
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import BEGINS, DAY, HOUR, NOW, PROD, TEST, a_change, a_day, a_tree, share
from tests.api.scene import MakeApp, token_for
from tests.factories import a_forecast


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD}}))


@pytest.fixture
def store(app: Flask) -> Store:
    found: Store = app.extensions[EXTENSION].store
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def queues_of(client: FlaskClient, query: str = "", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    told = client.get(f"/v1/tree{query}", headers=headers)
    assert told.status_code == 200, told.json
    return {queue["queue"]: queue for queue in told.json["queues"]}


def test_each_queue_stands_after_its_parent_with_what_it_has_and_wants_now(client: FlaskClient, store: Store) -> None:
    read_at = datetime.now(UTC).replace(microsecond=0)
    store.trees.put("prod", a_tree(), read_at)
    told = client.get("/v1/tree").json
    assert (told["cluster"], told["scheduler"], told["read_at"]) == ("prod", "capacity", f"{read_at:%Y-%m-%dT%H:%M:%SZ}")
    assert told["is_old"] is False
    assert [(queue["queue"], queue["depth"]) for queue in told["queues"]] == [
        *(("root", 0), ("root.users", 1), ("root.users.ada", 2), ("root.users.bob", 2), ("root.users/*", 2), ("root.etl", 1))
    ]
    etl = next(queue for queue in told["queues"] if queue["queue"] == "root.etl")
    assert (etl["mode"], etl["capacity"], etl["maximum"], etl["state"]) == ("percentage", "60", None, "RUNNING")
    assert etl["guaranteed"] == {"memory_mb": 60_000, "vcores": 10, "percent": 60.0}
    assert etl["ceiling"] == {"memory_mb": 80_000, "vcores": 20, "percent": 80.0}
    assert etl["used"]["memory_mb"] == 30_000
    assert etl["demand"] == {"memory_mb": 70_000, "vcores": 3, "percent": 70.0}
    assert (etl["pending"]["memory_mb"], etl["apps_active"], etl["apps_pending"]) == (40_000, 3, 1)
    assert etl["headroom"] == {"memory_mb": -10_000, "vcores": 7, "ahead_memory_mb": None, "ahead_vcores": None}
    assert (told["totals"]["total"]["memory_mb"], told["totals"]["nodes_lost"]) == (100_000, 1)


def test_dynamic_queues_of_a_parent_stand_there_together_too(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    together = queues_of(client)["root.users/*"]
    assert (together["parent"], together["is_dynamic"], together["capacity"]) == ("root.users", True, None)
    assert (together["used"]["memory_mb"], together["guaranteed"]["memory_mb"], together["apps_active"]) == (3_000, 200, 3)


def test_a_partition_has_the_queues_that_may_use_it_alone(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    gpu = queues_of(client, "?partition=gpu")
    assert list(gpu) == ["root", "root.etl"]
    assert gpu["root.etl"]["used"]["percent"] == 10.0
    refused = client.get("/v1/tree?partition=fpga")
    assert refused.status_code == 422
    assert "accepted are default, gpu" in refused.json["detail"]


def test_the_newest_forecast_tells_the_chances_of_the_next_day(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    for forecast in (
        a_day(job_id="older", issued_at=BEGINS - HOUR),
        a_day(),
        a_day(metric="demand_vcores"),
        a_day(where="user=ada", job_id="part"),
        a_day(cluster="other", job_id="elsewhere"),
    ):
        store.forecasts.save(forecast)
    for _ in range(2):  # the second time it is remembered
        etl = queues_of(client)["root.etl"]
        ahead = etl["outlook"]
        assert (ahead["borrowing"]["likelihood"], ahead["borrowing"]["hours"]) == ("50 %", 9.0)
        assert (ahead["waiting"]["likelihood"], ahead["waiting"]["hours"]) == ("< 5 %", 0.0)
        assert (ahead["metric"], ahead["job_id"], ahead["reason"]) == ("demand_memory_mb", "job-1", None)
        assert (ahead["peak_memory_mb"], ahead["peak_at"]) == (66_000, f"{BEGINS + 20 * HOUR:%Y-%m-%dT%H:%M:%SZ}")
        assert etl["headroom"]["ahead_memory_mb"] == -6_000
    users = queues_of(client)["root.users"]
    assert users["outlook"] is users["outlook_vcores"] is None
    assert '"cluster": "prod"' in users["outlook_reason"]


def test_processors_are_told_beside_memory_where_they_are_forecast(client: FlaskClient, store: Store) -> None:
    """Of ten that are guaranteed and 20 at most, half of the paths want 12."""
    store.trees.put("prod", a_tree(), NOW)
    rows = [[5.0] * 24, [12.0] * 24] * 32
    flat = (9.0,) * 24
    own = {"prediction": flat, "lower_bound": flat, "upper_bound": (13.0,) * 24, "paths": Paths.of(rows, blocks=14, windows=7)}
    store.forecasts.save(a_day(metric="demand_vcores", unit=Unit.VCORES, **own))
    etl = queues_of(client)["root.etl"]
    ahead = etl["outlook_vcores"]
    assert (ahead["borrowing"]["likelihood"], ahead["waiting"]["likelihood"]) == ("50 %", "< 5 %")
    assert (ahead["peak_vcores"], ahead["peak_memory_mb"], ahead["metric"]) == (13, None, "demand_vcores")
    assert (etl["headroom"]["ahead_vcores"], etl["headroom"]["ahead_memory_mb"], etl["outlook"]) == (-3, None, None)
    store.forecasts.save(a_day())
    both = queues_of(client)["root.etl"]
    assert (both["outlook"]["metric"], both["outlook_vcores"]["metric"]) == ("demand_memory_mb", "demand_vcores")


def test_a_forecast_of_the_next_minutes_stands_behind_one_of_the_next_day(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    flat = (100.0,) * 24
    rows = [[90.0] * 24, [110.0] * 24] * 32
    own = {"prediction": flat, "lower_bound": flat, "upper_bound": flat, "paths": Paths.of(rows, blocks=14, windows=7)}
    store.forecasts.save(a_day(metric="used_capacity", unit=Unit.PERCENT, issued_at=BEGINS - HOUR, **own))
    short = (1_000.0,) * 3
    store.forecasts.save(a_day(prediction=short, lower_bound=short, upper_bound=short, job="near", paths=None))
    assert queues_of(client)["root.etl"]["outlook"]["metric"] == "used_capacity"
    store.forecasts.save(a_day(issued_at=BEGINS - 2 * HOUR))
    assert queues_of(client)["root.etl"]["outlook"]["metric"] == "demand_memory_mb"


def test_chances_follow_the_capacity_that_the_queue_has_now(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(a_day())
    tree = a_tree()
    for guaranteed, chance in ((40_000, "> 95 %"), (60_000, "50 %"), (75_000, "< 5 %")):  # later and later
        etl = replace(tree.by_path["root.etl"], shares=(share(0, guaranteed, 80_000),))
        at = NOW + timedelta(seconds=guaranteed)
        store.trees.put("prod", replace(tree, queues=(*tree.queues[:-1], etl)), at)
        assert queues_of(client)["root.etl"]["outlook"]["borrowing"]["likelihood"] == chance


def test_percentages_are_of_what_the_queue_is_guaranteed_now(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    rows = [[90.0] * 24, [110.0] * 24, [134.0] * 24, [110.0] * 24] * 16
    flat = (100.0,) * 24
    own = {"prediction": flat, "lower_bound": flat, "upper_bound": (110.0,) * 24, "paths": Paths.of(rows, blocks=14, windows=7)}
    store.forecasts.save(a_day(metric="used_capacity", unit=Unit.PERCENT, **own))
    etl = queues_of(client)["root.etl"]
    assert (etl["outlook"]["borrowing"]["likelihood"], etl["outlook"]["waiting"]["likelihood"]) == ("75 %", "25 %")
    assert (etl["outlook"]["peak_memory_mb"], etl["headroom"]["ahead_memory_mb"]) == (66_000, -6_000)


def test_a_forecast_of_a_partition_is_shown_there(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(where="partition=gpu"))
    assert queues_of(client)["root.etl"]["outlook"] is None
    assert queues_of(client, "?partition=gpu")["root.etl"]["outlook"]["borrowing"]["likelihood"] == "> 95 %"


def test_why_nothing_is_told_of_a_forecast_that_is_over(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(issued_at=BEGINS - 3 * DAY))
    etl = queues_of(client)["root.etl"]
    assert etl["outlook"]["borrowing"] is None
    assert "is over" in etl["outlook"]["reason"]


def test_how_it_was_configured_is_told_without_what_was_used(client: FlaskClient, store: Store) -> None:
    for percent, days in ((60.0, 9), (50.0, 2)):
        etl = Queue(path="root.etl", shares=(replace(share(9, 60_000, 80_000), capacity=Capacity.of_percent(percent)),))
        tree = a_tree()
        store.trees.put("prod", replace(tree, queues=(*tree.queues[:-1], etl)), NOW - days * DAY, is_changed=True)
    store.forecasts.save(a_day())
    then = client.get(f"/v1/tree?at={NOW - 3 * DAY:%Y-%m-%dT%H:%M:%SZ}").json
    etl = next(queue for queue in then["queues"] if queue["queue"] == "root.etl")
    assert (etl["capacity"], etl["used"], etl["demand"], etl["outlook"], etl["headroom"]["memory_mb"]) == (
        *("60", None, None, None, None),
    )
    assert then["read_at"] == f"{NOW - 9 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    assert (then["is_old"], len(then["notes"])) == (False, 1)
    assert [queue["queue"] for queue in then["queues"]] == ["root", "root.users", "root.users/*", "root.etl"]
    before, ahead = (client.get(f"/v1/tree?at={NOW + days * DAY:%Y-%m-%dT%H:%M:%SZ}") for days in (-10, 1))
    assert (before.status_code, before.json["type"]) == (404, "urn:queuecast:tree-not-found")
    assert ahead.status_code == 422


def test_a_tree_that_nobody_could_read_lately_is_told_as_old(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW - timedelta(minutes=10))
    told = client.get("/v1/tree").json
    assert told["is_old"]
    assert told["age_seconds"] >= 600
    assert "nothing newer could be read" in told["notes"][0]


def test_changes_of_the_last_week_are_told_in_words(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    change = a_change()
    store.changes.save([change, replace(change, changed_at=NOW - 8 * DAY), replace(change, cluster="test")])
    [told] = client.get("/v1/tree").json["configuration_changes"]
    assert (told["queue"], told["words"], told["before"]) == ("root.etl", "capacity 40 → 60", "40, maximum 80, RUNNING")


@pytest.mark.parametrize("query", ["?cluster=test", "?cluster=nowhere"])
def test_a_cluster_of_other_projects_is_told_like_one_that_is_not_there(
    run_state: RunState, settings: Settings, make_app: MakeApp, query: str
) -> None:
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD, "other": TEST}}))
    store: Store = app.extensions[EXTENSION].store
    for cluster in ("prod", "test"):
        store.trees.put(cluster, a_tree(), NOW)
    client, blue = app.test_client(), token_for(app, "read", "blue")
    name = query.rpartition("=")[2]
    refused = client.get(f"/v1/tree{query}", headers=blue)
    assert (refused.status_code, refused.json["type"]) == (404, "urn:queuecast:cluster-not-found")
    assert refused.json["detail"] == f"No such cluster is known (cluster {name})"
    assert client.get("/v1/tree", headers=blue).json["cluster"] == "prod"
    red, all_of_them = token_for(app, "read", "red"), token_for(app, "read")
    for headers in (red, all_of_them):
        several = client.get("/v1/tree", headers=headers)
        assert several.status_code == 400
        assert several.json["detail"].endswith("name one, ?cluster=NAME or --cluster NAME: prod, test")
        assert client.get("/v1/tree?cluster=test", headers=headers).status_code == 200


def test_forecasts_of_other_projects_tell_nothing(app: Flask, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(project="red"))
    client = app.test_client()
    blue, red = token_for(app, "read", "blue"), token_for(app, "read", "red")
    assert queues_of(client, headers=red)["root.etl"]["outlook"] is not None
    assert queues_of(client, headers=blue)["root.etl"]["outlook"] is None


def test_what_is_missing_says_how_to_begin(
    client: FlaskClient, run_state: RunState, settings: Settings, make_app: MakeApp
) -> None:
    unread = client.get("/v1/tree")
    assert (unread.status_code, unread.json["type"]) == (404, "urn:queuecast:tree-not-found")
    assert "queuecast collect" in unread.json["detail"]
    bare = make_app(settings).test_client().get("/v1/tree")
    assert (bare.status_code, bare.json["type"]) == (404, "urn:queuecast:cluster-not-found")
    assert "kind yarn" in bare.json["detail"]


def test_a_queues_series_tells_how_its_configuration_has_changed(app: Flask, store: Store) -> None:
    store.forecasts.save(a_day())
    store.forecasts.save(a_day(queue="root.gpu", where="partition=gpu"))
    store.forecasts.save(a_day(queue="root.elsewhere", cluster="unknown"))
    own, gpu = a_change(), a_change(queue="root.gpu", partition="gpu", capacity="50")
    others = [a_change(changed_at=NOW - 8 * DAY), a_change(queue="root.gpu"), a_change(queue="root.elsewhere", cluster="unknown")]
    store.changes.save([own, gpu, *others])
    client = app.test_client()

    def told(queue: str) -> list[str]:
        return [change["words"] for change in client.get(f"/v1/queues/{queue}/series").json["configuration_changes"]]

    assert told("root.etl") == ["capacity 40 → 60"]
    assert told("root.gpu") == ["capacity 40 → 50"]
    assert told("root.elsewhere") == []


def test_percentages_of_a_forecast_follow_the_guarantee_that_the_queue_has_now(client: FlaskClient, store: Store) -> None:
    """It was issued when the queue had a third of that; whoever may not see the cluster is told what was known then."""
    issued = a_forecast(metric="demand_memory_mb", unit=Unit.MEGABYTES, guaranteed=20_000.0, cluster="prod", issued_at=BEGINS)
    store.forecasts.save(issued)
    series = "/v1/queues/root.etl/series"
    assert client.get(series).json["relative"]["guaranteed"] == 20_000.0
    store.trees.put("prod", a_tree(), NOW)
    told = client.get(series).json
    assert (told["guaranteed"], told["relative"]["guaranteed"], told["relative"]["factor"]) == (60_000.0, 60_000.0, 100 / 60_000)
    percent = client.get(f"{series}?unit=percent").json
    assert (percent["guaranteed"], percent["points"][-1]["prediction"]) == (100.0, pytest.approx(55 / 600))
    store.forecasts.save(replace(issued, cluster="elsewhere"))
    assert client.get(f"{series}?cluster=elsewhere").json["relative"]["guaranteed"] == 20_000.0


def test_forecasts_of_projects_that_may_not_use_the_cluster_are_in_no_tree(
    run_state: RunState, settings: Settings, make_app: MakeApp
) -> None:
    app = make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD | {"projects": ["red", "blue"]}}}))
    store, client = app.extensions[EXTENSION].store, app.test_client()
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(project="outsider", created_at=NOW + HOUR))
    assert queues_of(client)["root.etl"]["outlook"] is None
    store.forecasts.save(a_day(project="red"))
    store.forecasts.save(a_day(project="blue", job="other", job_id="4" * 32, issued_at=BEGINS - HOUR))
    assert queues_of(client)["root.etl"]["outlook"]["project"] == "red"
    assert queues_of(client, "?project=blue")["root.etl"]["outlook"]["project"] == "blue"
    for project in ("outsider", "nobody"):
        assert queues_of(client, f"?project={project}")["root.etl"]["outlook"] is None


def test_a_page_says_whose_forecasts_there_are_where_several_are(client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.forecasts.save(a_day(project="red"))
    assert "<bdi>red</bdi>" not in client.get("/tree").text
    store.forecasts.save(a_day(project="blue", queue="root.users", job_id="4" * 32))
    page = client.get("/tree").text
    assert "<bdi>red</bdi>" in page
    assert "<bdi>blue</bdi>" in page
    assert "<bdi>blue</bdi>" not in client.get("/tree?project=red").text

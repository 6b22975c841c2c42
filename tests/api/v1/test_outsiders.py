"""Whoever is of another project gets nothing of a cluster, by whichever address; not even beside forecasts that name it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.edge.context import EXTENSION
from shared.config.settings import Settings
from shared.domain.aliases import Alias
from shared.domain.configuration_change import GONE
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.a_cluster import BEGINS, DAY, HOUR, NOW, PROD, TEST, a_change, a_day, a_tree, share
from tests.api.scene import Headers, MakeApp, token_for
from tests.api.v1.usage_reports import REPORT

OWN = "/v1/queues/root.etl/{}?cluster=test"  # of the outsider's project, which calls its queues so


@pytest.fixture
def app(run_state: RunState, settings: Settings, make_app: MakeApp) -> Flask:
    return make_app(Settings(**settings.model_dump() | {"connections": {"hadoop": PROD, "other": TEST}}))


@pytest.fixture
def store(app: Flask) -> Store:
    """Of the cluster `test`, which `red` alone may use, all that can be known; `blue` has a forecast of a queue in it."""
    kept: Store = app.extensions[EXTENSION].store
    secret = replace(a_tree().by_path["root.etl"], path="root.secret", shares=(share(7, 77_000, 78_000),))
    etl = replace(a_tree().by_path["root.etl"], shares=(share(7, 77_000, 78_000),))
    tree = replace(a_tree(), queues=(*a_tree().queues[:-1], etl, secret))
    kept.trees.put("test", tree, NOW - DAY, is_changed=True)
    kept.trees.put("test", tree, NOW)
    changes = [
        a_change(cluster="test", changed_at=NOW - HOUR),
        a_change(cluster="test", queue="root.secret", changed_at=NOW - HOUR),
    ]
    kept.changes.save([*changes, a_change(cluster="test", queue="root.gone", state=GONE, changed_at=NOW - HOUR)])
    kept.usages.save([replace(REPORT, cluster="test", queue=queue) for queue in ("root.etl", "root.secret", "root")])
    said = {"renamed_at": None, "stated_at": NOW, "stated_by": "ops"}
    kept.aliases.add(Alias(cluster="test", old="root.secret_before", new="root.etl", **said))
    for project in ("blue", "red"):
        kept.forecasts.save(a_day(cluster="test", project=project, guaranteed=60_000.0, maximum=80_000.0))
        kept.forecasts.save(a_day(cluster="test", project=project, queue="root.gone"))
        kept.forecasts.save(a_day(cluster="test", project=project, queue="root.secret_before", issued_at=BEGINS - 2 * HOUR))
    return kept


@pytest.fixture
def client(app: Flask, store: Store) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def outsider(app: Flask, store: Store) -> Headers:
    return token_for(app, "read", "blue")


@pytest.fixture
def insider(app: Flask, store: Store) -> Headers:
    return token_for(app, "read", "red")


@pytest.mark.parametrize(
    "address",
    [
        "/v1/usage?cluster={}",
        "/v1/usage?cluster={}&partition=gpu",
        "/v1/queues/root.secret/limits?cluster={}",
        "/v1/queues/root.etl/limits?cluster={}",
        "/v1/tree?cluster={}",
        "/v1/tree?cluster={}&project=red",
        "/v1/tree?cluster={}&at={at}",
        "/tree?cluster={}",
    ],
)
def test_what_a_cluster_is_asked_for_is_answered_as_of_one_that_is_not_there(
    client: FlaskClient, outsider: Headers, address: str
) -> None:
    at = f"{NOW - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"  # not in the address, which names the test in every process alike
    found, none = (client.get(address.format(name, at=at), headers=outsider) for name in ("test", "nowhere"))
    assert found.status_code == none.status_code == 404
    told, instead = (answer.text.replace(name, "NAME") for answer, name in ((found, "test"), (none, "nowhere")))
    assert told == instead


@pytest.mark.parametrize(
    "address", ["/v1/usage", "/v1/tree", "/v1/queues/root.secret/limits", "/v1/queues/root.etl/limits", "/tree"]
)
def test_without_a_name_the_cluster_is_none_of_those_that_are_meant(
    client: FlaskClient, store: Store, outsider: Headers, insider: Headers, address: str
) -> None:
    """Not even as one of several of which one has to be named."""
    store.trees.put("prod", a_tree(), NOW)
    answer = client.get(address, headers=outsider)
    assert answer.status_code in {200, 404}
    assert "secret" not in answer.text.replace("root.secret/limits", "").replace("(queue root.secret)", "")
    assert "77,000" not in answer.text
    assert client.get(f"{address}?cluster=test", headers=insider).status_code == 200


def test_beside_a_forecast_that_names_it_nothing_of_the_cluster_is_told(
    client: FlaskClient, outsider: Headers, insider: Headers
) -> None:
    series, of_red = (client.get(OWN.format("series"), headers=who).json for who in (outsider, insider))
    assert (series["configuration_changes"], len(of_red["configuration_changes"])) == ([], 1)
    assert (series["guaranteed"], of_red["guaranteed"]) == (60_000.0, 77_000.0)
    outlook, of_red = (client.get(OWN.format("outlook"), headers=who).json for who in (outsider, insider))
    assert (outlook["now"]["guaranteed"], of_red["now"]["guaranteed"]) == (60_000.0, 77_000.0)
    assert outlook["notes"] == []
    gone, of_red = (
        {queue["queue"]: queue["gone"] for queue in client.get("/v1/queues", headers=who).json["queues"]}
        for who in (outsider, insider)
    )
    assert gone["root.gone"] is None
    assert of_red["root.gone"].startswith("gone since")


def test_former_names_are_joined_for_those_who_may_use_the_cluster_alone(
    client: FlaskClient, outsider: Headers, insider: Headers
) -> None:
    issues, of_red = (client.get(OWN.format("forecasts"), headers=who).json["forecasts"] for who in (outsider, insider))
    assert (len(issues), len(of_red)) == (1, 2)
    assert client.get("/v1/aliases", headers=outsider).status_code == 403


def test_the_page_of_its_queue_tells_an_outsider_nothing_of_the_cluster(
    client: FlaskClient, outsider: Headers, insider: Headers
) -> None:
    page, of_red = (client.get("/queues/root.etl?cluster=test", headers=who).text for who in (outsider, insider))
    assert "It waited" in of_red
    assert "It waited" not in page
    assert "77,000" not in page

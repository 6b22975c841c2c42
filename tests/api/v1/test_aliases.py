"""What queues were called before, over HTTP: said by administrators alone, with a line in the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.tokens import Scope
from shared.store import Store
from tests.api.a_cluster import NOW, a_change, a_tree
from tests.api.scene import Granting
from tests.factories import a_forecast

ETL = {"cluster": "prod", "old": "root.etl", "new": "root.data.etl"}


@pytest.fixture
def known(store: Store) -> None:
    store.forecasts.save(a_forecast(cluster="prod"))


def test_an_alias_is_said_listed_and_taken_back(known: None, client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    said = client.post("/v1/aliases", json=ETL | {"renamed_at": "2026-01-05T00:00:00Z"}).json
    [alias] = said["aliases"]
    assert ETL.items() <= alias.items()
    assert (alias["renamed_at"], alias["stated_by"]) == ("2026-01-05T00:00:00Z", "local")
    assert client.get("/v1/aliases").json == client.get("/v1/aliases?cluster=prod").json == said
    assert client.get("/v1/aliases?cluster=other").json == {"aliases": []}
    assert client.delete("/v1/aliases/root.data.etl").status_code == 422
    assert client.delete("/v1/aliases/root.data.etl?cluster=prod").status_code == 204
    assert client.delete("/v1/aliases/root.data.etl?cluster=prod").status_code == 404
    assert client.get("/v1/aliases").json == {"aliases": []}


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        (ETL | {"new": "root.etl"}, "new", "the same name"),
        (ETL | {"old": "root.*"}, "old", ""),
        (ETL | {"new": ""}, "new", ""),
        (ETL | {"old": "root.no", "new": "root.such"}, "old", "nothing is known of root.no in prod"),
        (ETL | {"cluster": "test"}, "old", "nothing is known"),
        ({"old": "a", "new": "b"}, "cluster", ""),
        (ETL | {"renamed_at": "yesterday"}, "renamed_at", "ISO 8601"),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_is(
    known: None, client: FlaskClient, body: dict[str, Any], field: str, why: str
) -> None:
    refused = client.post("/v1/aliases", json=body)
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [field])
    assert why in refused.json["detail"] + str(refused.json["errors"])


def test_loops_and_second_names_are_refused(known: None, client: FlaskClient) -> None:
    client.post("/v1/aliases", json=ETL)
    for body, why in (
        ({"old": "root.data.etl", "new": "root.etl"}, "root.etl → root.data.etl → root.etl"),
        ({"old": "root.x", "new": "root.data.etl"}, "root.data.etl was root.etl before"),
        ({"old": "root.etl", "new": "root.x"}, "root.etl is root.data.etl now"),
    ):
        assert why in client.post("/v1/aliases", json={"cluster": "prod"} | body).json["detail"]
    assert client.post("/v1/aliases", json={"cluster": "prod", "old": "root.data.etl", "new": "root.c"}).status_code == 200


def test_only_administrators_say_it_or_see_it(known: None, client: FlaskClient, grant: Granting) -> None:
    admin, writer = grant(Scope.ADMIN), grant(Scope.WRITE)
    for answer in (
        client.get("/v1/aliases", headers=writer),
        client.post("/v1/aliases", json=ETL, headers=writer),
        client.delete("/v1/aliases/root.data.etl?cluster=prod", headers=writer),
    ):
        assert answer.status_code == 403
    assert client.post("/v1/aliases", json=ETL, headers=admin).status_code == 200


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("names", "field", "why"),
    [
        (("root.users", "root.etl"), "old", "root.users and root.etl are both in the tree now"),
        (
            ("root.user", "root.etl"),
            "old",
            "nothing is known of root.user in prod: it has no forecast, and neither is nor was in",
        ),
        (("root.user", "root.etl"), "old", "the tree has root.users"),
        (("root.etl", "root.nowhere"), "new", "nothing is known of root.nowhere in prod"),
    ],
)
def test_names_that_the_tree_does_not_have_are_refused(
    client: FlaskClient, store: Store, names: tuple[str, str], field: str, why: str
) -> None:
    store.trees.put("prod", a_tree(), NOW)
    refused = client.post("/v1/aliases", json={"cluster": "prod", "old": names[0], "new": names[1]})
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [field])
    assert why in refused.json["detail"]


def test_a_name_that_the_tree_had_is_known(known: None, client: FlaskClient, store: Store) -> None:
    store.trees.put("prod", a_tree(), NOW)
    store.changes.save([a_change(queue="root.past", state="GONE")])
    assert client.post("/v1/aliases", json={"cluster": "prod", "old": "root.past", "new": "root.etl"}).status_code == 200

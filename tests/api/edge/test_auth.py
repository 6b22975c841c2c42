"""Who is let in: with a bearer token of enough scope; without any token only this machine, and only by its own name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from api.edge.remembered import LIFE_SECONDS
from shared.config.settings import Settings
from shared.domain.tokens import Scope, make_token
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import Granting, MakeApp
from tests.polling import eventually

FROM_ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


def refused(client: FlaskClient, headers: dict[str, str]) -> str:
    answer = client.get("/v1/jobs", headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="queuecast"'
    return str(answer.json["detail"])


def test_without_any_token_this_machine_may_do_everything(client: FlaskClient, store: Store) -> None:
    job_id = client.post("/v1/jobs", json=a_body()).json["job_id"]
    assert store.jobs.get(job_id).client == "local"
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", ""])
def test_without_any_token_no_other_machine_is_answered(client: FlaskClient, address: str) -> None:
    answer = client.get("/v1/jobs", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 401
    assert "only requests to and from this machine" in answer.json["detail"]


@pytest.mark.parametrize(
    "host",
    [
        *("rebound.example", "rebound.example:8080", "192.0.2.1", "localhost.evil.example", "localhost:80@evil.example"),
        *("[", "[::1", "[::1].evil.example", "127.0.0.1.evil.example", "localhost/evil", "", "127.1:x", "evil localhost"),
    ],
)
def test_without_any_token_no_other_name_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 401


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080"])
def test_the_names_of_this_machine_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200


def test_the_first_token_ends_that_within_seconds(client: FlaskClient, store: Store) -> None:
    assert client.get("/v1/jobs").status_code == 200
    token, secret = make_token(name="ci", scope=Scope.READ, created_at=datetime.now(UTC))
    store.tokens.add(token)
    eventually(lambda: client.get("/v1/jobs").status_code == 401, within=LIFE_SECONDS + 30, what="the door to close")
    brought = {"Authorization": f"Bearer {secret}"}
    assert client.get("/v1/jobs", headers=brought).status_code == 200
    assert client.get("/v1/jobs", headers=brought, environ_overrides=FROM_ELSEWHERE).status_code == 200


def test_who_brings_no_token_is_told_how(client: FlaskClient, grant: Granting) -> None:
    grant()
    assert "queuecast token create" in refused(client, {})


@pytest.mark.parametrize(
    "given",
    ["Bearer qc_wrong", "Bearer ", "Bearer", "Basic YTpi", "qc_wrong", "Bearer \xff", "bearer  x y", "Bearer " + "x" * 5_000],
)
def test_a_wrong_token_is_refused_without_being_repeated(client: FlaskClient, grant: Granting, given: str) -> None:
    grant()
    assert "unknown, expired or revoked" in refused(client, {"Authorization": given})


def test_a_token_that_has_expired_is_refused(client: FlaskClient, grant: Granting) -> None:
    old = grant(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert client.get("/v1/jobs", headers=grant(expires_at=datetime.now(UTC) + timedelta(hours=1))).status_code == 200
    refused(client, old)


def test_a_revoked_token_is_refused_within_seconds_and_its_service_stays_closed(
    client: FlaskClient, grant: Granting, store: Store
) -> None:
    headers = grant()
    assert client.get("/v1/jobs", headers=headers).status_code == 200
    store.tokens.revoke(store.tokens.all()[0].token_id, datetime.now(UTC))
    eventually(
        lambda: client.get("/v1/jobs", headers=headers).status_code == 401, within=LIFE_SECONDS + 30, what="the token's end"
    )
    assert client.get("/v1/jobs").status_code == 401


def test_whoever_tries_a_token_that_was_just_made_is_let_in_a_moment_later(
    client: FlaskClient, grant: Granting, store: Store
) -> None:
    assert client.get("/v1/jobs", headers=grant()).status_code == 200
    token, secret = make_token(name="newer", scope=Scope.READ, created_at=datetime.now(UTC))
    store.tokens.add(token)
    brought = {"Authorization": f"Bearer {secret}"}
    eventually(lambda: client.get("/v1/jobs", headers=brought).status_code == 200, what="the newer token")


def test_a_job_belongs_to_the_token_that_started_it(client: FlaskClient, grant: Granting, store: Store) -> None:
    first, second = grant("write"), grant("write")
    same = {"Idempotency-Key": "k"}
    jobs = [client.post("/v1/jobs", json=a_body(), headers=headers | same).json["job_id"] for headers in (first, second, first)]
    assert jobs[0] == jobs[2] != jobs[1]  # two tokens may use the same key
    assert {store.jobs.get(job_id).client for job_id in jobs} == {token.token_id for token in store.tokens.all()}


def test_https_is_enforced_where_a_trusted_proxy_speaks_it(make_app: MakeApp, settings: Settings) -> None:
    for proxies in (0, 1):
        service = make_app(settings.model_copy(update={"trusted_proxies": proxies})).test_client()
        headers = service.get("/healthz", headers={"X-Forwarded-Proto": "https"}).headers
        assert ("Strict-Transport-Security" in headers) == bool(proxies)

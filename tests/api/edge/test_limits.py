"""How often one may ask, who is counted together, and that nobody waits for a server that counts no more."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.config.settings import Settings
from shared.drivers.redis_server import PATIENCE_SECONDS
from shared.fleet.runstate import RunState
from tests.api.bodies import a_body
from tests.api.scene import Headers, MakeApp, OwnBroker, token_for
from tests.polling import without_waiting

Opening = Callable[..., tuple[FlaskClient, Headers]]


@pytest.fixture
def opened(make_app: MakeApp, settings: Settings, run_state: RunState) -> Opening:
    """Makes a service with these limits and one token: its client, and the header that brings the token."""

    def make(base: Settings = settings, **limits: str) -> tuple[FlaskClient, Headers]:
        app = make_app(base.model_copy(update=limits))
        return app.test_client(), token_for(app)

    return make


def expect_refused(answer: TestResponse) -> None:
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert answer.json["type"] == "urn:queuecast:too-many-requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-RateLimit-Remaining"] == "0"


def test_a_token_is_counted_by_itself(opened: Opening) -> None:
    client, headers = opened(rate_limit="3/minute")
    left = [client.get("/v1/jobs", headers=headers).headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get("/v1/models", headers=headers)
    expect_refused(refused)
    assert "accepted are 3 per 1 minute" in refused.json["detail"]
    assert client.get("/v1/jobs", headers=token_for(client.application)).status_code == 200
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_only_who_is_refused_is_told_when_to_come_again(opened: Opening) -> None:
    client, headers = opened()
    answer = client.get("/v1/jobs", headers=headers)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (200, None)
    assert answer.headers["X-RateLimit-Limit"] == "300"


def test_changes_are_counted_more_strictly(opened: Opening) -> None:
    client, headers = opened(write_rate_limit="1/minute")
    assert client.post("/v1/jobs", json=a_body(), headers=headers).status_code == 202
    expect_refused(client.post("/v1/jobs/validate", json=a_body(), headers=headers))
    assert client.get("/v1/jobs", headers=headers).status_code == 200


def test_wrong_tokens_and_logins_are_counted_together_and_by_address(opened: Opening) -> None:
    client, headers = opened(failure_rate_limit="2/minute")
    assert client.post("/login", data={"token": "wrong"}).status_code == 401
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    expect_refused(client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}))
    expect_refused(client.post("/login", data={"token": "wrong"}))
    assert client.post("/login", data={"token": "wrong"}, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401
    assert client.get("/v1/jobs", headers=headers).status_code == 200  # whoever has a right one is not locked out


def test_all_processes_count_together(opened: Opening, settings: Settings, make_app: MakeApp) -> None:
    client, headers = opened(rate_limit="2/minute")
    other = make_app(settings.model_copy(update={"rate_limit": "2/minute"})).test_client()
    assert [process.get("/v1/jobs", headers=headers).status_code for process in (client, other)] == [200, 200]
    for process in (client, other):
        expect_refused(process.get("/v1/jobs", headers=headers))


def test_limits_may_be_off(opened: Opening) -> None:
    client, headers = opened(rate_limit="off", write_rate_limit="off", failure_rate_limit="off")
    assert "X-RateLimit-Limit" not in client.get("/v1/jobs", headers=headers).headers


def test_without_any_token_nothing_is_counted(make_app: MakeApp, settings: Settings) -> None:
    client = make_app(settings.model_copy(update={"rate_limit": "1/minute"})).test_client()
    assert [client.get("/v1/queues").status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "frozen"])
def test_without_the_counting_server_each_process_counts_for_itself_and_nobody_waits(
    opened: Opening, own_broker: OwnBroker, fault: signal.Signals
) -> None:
    settings, server = own_broker
    client, headers = opened(settings, rate_limit="4/minute")
    assert client.get("/v1/queues", headers=headers).status_code == 200
    server.send_signal(fault)
    for _ in range(4):
        with without_waiting(PATIENCE_SECONDS):
            assert client.get("/v1/queues", headers=headers).status_code == 200
    expect_refused(client.get("/v1/queues", headers=headers))


def test_a_broker_that_was_never_started_does_not_keep_the_service_from_counting(
    opened: Opening, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client, headers = opened(Settings(data_dir=tmp_path_factory.mktemp("none")), rate_limit="1/minute")
    assert client.get("/v1/queues", headers=headers).status_code == 200
    expect_refused(client.get("/v1/queues", headers=headers))

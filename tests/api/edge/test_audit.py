"""One line for each change, refused or not: who, what, from where, with which outcome; and nothing a caller sends makes two."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from shared.domain.jobs import JobFilter
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import Granting


def audited(client: FlaskClient, path: str, **options: Any) -> dict[str, Any]:
    """The one audit line of a POST."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        client.post(path, **options)
    [line] = [line for line in lines if line["event"] == "audit"]
    return {name: value for name, value in line.items() if name not in {"event", "log_level"}}


def test_a_change_is_recorded_with_who_what_from_where_and_outcome(client: FlaskClient, grant: Granting, store: Store) -> None:
    headers = grant("write") | {"X-Request-ID": "ui-7"}
    line = audited(client, "/v1/jobs", json=a_body(), headers=headers, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    [token] = store.tokens.all()
    assert line == {
        "what": "submit_job",
        "who": token.token_id,
        "name": "ci",
        "source": "192.0.2.7",
        "outcome": 202,
        "job_id": store.jobs.find(JobFilter(), 1)[0].job_id,
        "request_id": "ui-7",
    }


def test_what_a_queue_was_called_before_is_recorded_with_both_names(client: FlaskClient) -> None:
    names = {"cluster": "prod", "old": "root.etl", "new": "root.data.etl"}
    line = audited(client, "/v1/aliases", json=names)
    assert names.items() <= line.items()
    assert (line["what"], line["outcome"]) == ("add_alias", 422)  # nothing is known of them


def test_a_stranger_and_a_login_are_recorded_without_a_secret(client: FlaskClient, grant: Granting, store: Store) -> None:
    headers = grant()
    assert audited(client, "/v1/jobs", json={})["who"] == "nobody"
    wrong, right = (audited(client, "/login", data={"token": token}) for token in ("qc_wrong", headers["Authorization"][7:]))
    assert (wrong["what"], wrong["who"], wrong["outcome"]) == ("log_in", "nobody", 401)
    assert (right["who"], right["outcome"]) == (store.tokens.all()[0].token_id, 303)
    assert "qc_" not in f"{wrong}{right}"


@pytest.mark.parametrize(
    "evil", ['x%0A{"event":"audit","who":"admin"}', "x%0D%0Ay", "%1B[31mred", "x%00y", "x%E2%80%A8y", "x" * 3_000]
)
def test_nothing_in_an_address_makes_a_second_line(client: FlaskClient, written: io.StringIO, evil: str) -> None:
    client.post(f"/v1/jobs/{evil}/cancel")
    [line] = written.getvalue().splitlines()
    assert line.isprintable()
    assert json.loads(line)["who"] == "local"
    assert len(line) < 1_000

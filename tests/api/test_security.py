"""What attackers try first. Whatever they send is refused or is text, and no answer, log line or argument holds a secret."""

from __future__ import annotations

import io
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from typer.testing import CliRunner

from api.edge.context import EXTENSION
from deploy.stack import fleet, make_layout
from shared.command.root import build_app
from shared.config.settings import Settings
from shared.domain.jobs import JobFilter
from shared.domain.lanes import SOFT_LIMIT_SECONDS
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.calls import calls
from tests.api.scene import Granting, MakeApp
from tests.factories import MONDAY, a_forecast, a_job, a_request
from tests.polling import without_waiting
from worker.pipeline.plan import wanted_queues

SECRET = "S3CRET-0123456789-0123456789-0123456789"


@pytest.mark.parametrize(
    "tricks",
    [
        {"X-HTTP-Method-Override": "POST"},
        {"X-Original-URL": "/healthz"},
        {"X-Rewrite-URL": "/healthz"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Host": "127.0.0.1"},
    ],
)
def test_no_header_is_a_way_around(client: FlaskClient, grant: Granting, tricks: dict[str, str]) -> None:
    grant()
    assert client.get("/v1/jobs", headers=tricks, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401


SPELLINGS = ["//v1/jobs", "/v1//jobs", "/v1/jobs/", "/V1/jobs", "/healthz/../v1/jobs", "/v1/jobs;x", "/%2e/v1/jobs"]


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_an_address_is_a_way_around(client: FlaskClient, grant: Granting, path: str) -> None:
    grant()
    assert client.get(path).status_code in {401, 404}


# What is written into requests


@pytest.mark.parametrize(
    "path",
    [
        *("../x.csv", "/etc/passwd", "a/../../x", "..", "a\\..\\x", "\x00.csv", "a/\x00", "~root/x\n", "file:///etc/passwd/.."),
        *("**/" * 3, "**/" * 100 + "x", "a" * 501),
    ],
)
def test_a_path_out_of_the_folder_or_without_end_is_refused(client: FlaskClient, path: str) -> None:
    answer = client.post("/v1/jobs", json=a_body("data.source.path", path))
    assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["data", "source", "path"])


OPERATORS: list[Any] = [{"$gt": ""}, {"$ne": None}, {"$where": "sleep(5000)"}, {"$regex": ".*"}, [{"$gt": ""}]]
TEXTS = (
    *("job_name", "job_description", "user_name", "project", "owner"),
    *("target", "time_field", "queue_field", "timezone", "as_of"),
)
PARTS = ("name", "database", "collection", "measurement", "metric", "document", "path")
FIELDS = [*TEXTS, *(f"data.{role}.{part}" for role in ("source", "destination") for part in PARTS)]


@pytest.mark.parametrize(("field", "value"), list(product(FIELDS, OPERATORS)))
def test_an_operator_of_a_database_is_no_text(client: FlaskClient, field: str, value: Any) -> None:
    answer = client.post("/v1/jobs", json=a_body(field, value))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["loc"][: field.count(".") + 1] == field.split(".")


FRAGMENTS = ["{'$gt': ''}", '{"$ne": null}', "' OR '1'='1", "'; DROP TABLE jobs; --", "$where", 'x"; SELECT 1']


@pytest.mark.parametrize("text", FRAGMENTS)
def test_in_a_filter_it_is_a_text_that_nothing_has(client: FlaskClient, store: Store, text: str) -> None:
    store.jobs.add(a_job())
    for name in ("owner", "project", "user_name", "queue", "model"):
        assert client.get("/v1/jobs", query_string={name: text}).json["jobs"] == []
        assert client.get("/v1/jobs", query_string={f"{name}[$ne]": "x"}).status_code == 422
    assert len(store.jobs.find(JobFilter(), 10)) == 1


@pytest.mark.parametrize("role", ["source", "destination"])
@pytest.mark.parametrize(
    "name",
    [
        *('x"; DROP MEASUREMENT "y', "x; SELECT 1", 'x"', "x\\", "x'", "x\ny", "x y", "x,y=1", "$db", "/.*/", "x/*", "", "ü"),
        *("../x", "x" * 121, "\x00"),
    ],
)
def test_a_name_that_would_leave_its_place_in_a_query_is_refused(client: FlaskClient, role: str, name: str) -> None:
    for field in ("measurement", "database", "metric", "metric_label"):
        place = {"name": "influxdb", "measurement": "m", "database": "d", field: name}
        answer = client.post("/v1/jobs", json=a_body(f"data.{role}", place))
        assert (answer.status_code, answer.json["errors"][0]["loc"]) == (422, ["data", role, field])


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x1b[31mred", "a\x00b", "a\x7fb", "a\x9bb", "\ud800"])
def test_a_control_character_is_no_part_of_a_name(client: FlaskClient, text: str) -> None:
    for field in ("job_name", "user_name", "project", "owner"):
        assert client.post("/v1/jobs", json=a_body(field, text)).status_code == 422


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", "a\nb", "\x1b[31m", "é", '{"$gt":""}', "x" * 65, "", "a b"])
def test_an_id_of_a_request_never_becomes_a_header_or_a_line_of_its_own(
    client: FlaskClient, written: io.StringIO, value: str
) -> None:
    answer = client.post("/v1/jobs/x/cancel", environ_overrides={"HTTP_X_REQUEST_ID": value})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])
    assert "Set-Cookie" not in answer.headers
    assert [json.loads(line)["event"] for line in written.getvalue().splitlines()] == ["audit"]


# What takes long, or much


BOMBS = ["*a" * 100, "*a" * 99 + "*b", "*?" * 99 + "b", "[" * 200, "[!" * 100, "*[a-z]" * 33 + "1", "[" + "a-" * 99 + "]"]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_glob_is_matched_in_no_time(bomb: str) -> None:
    names = ["a" * 2_000 + str(number) for number in range(20)]
    with without_waiting(60):
        wanted_queues(a_request(queues=(bomb, "a*")), names)


def test_many_globs_over_many_queues_are_matched_within_a_tasks_time() -> None:
    names, globs = [f"root.team-{number}" for number in range(2_000)], tuple(f"*x{number}*" for number in range(999))
    with without_waiting(SOFT_LIMIT_SECONDS):
        assert wanted_queues(a_request(queues=(*globs, "root.*")), names)[0] == sorted(names)


# Secrets


@pytest.fixture
def secretive(run_state: RunState, settings: Settings, tmp_path: Path) -> Settings:
    """Settings all of whose secrets are the same text."""
    url = f"mongodb://ann:{SECRET}@127.0.0.1:1/yarn"
    influx = {"kind": "influxdb", "url": "http://127.0.0.1:1", "token": SECRET, "database": "d"}
    return Settings(
        data_dir=settings.data_dir,
        store_url=settings.store_url,
        mongodb_url=url,
        influxdb_url="http://127.0.0.1:1",
        influxdb_token=SECRET,
        session_secret=SECRET,
        token=SECRET,
        connections={"archive": {"kind": "mongodb", "url": url}, "charts": influx},
    )


def test_no_answer_and_no_log_line_holds_a_secret(
    make_app: MakeApp, secretive: Settings, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.worker_questions.ANSWER_SECONDS", 0.0)  # there is no worker to wait for
    app = make_app(secretive)
    client, store = app.test_client(), app.extensions[EXTENSION].store
    store.jobs.add(a_job(created_at=MONDAY))
    store.forecasts.save(a_forecast())
    texts = [str(call.send(client).data) for call in calls(app)]
    for place in ({"name": "archive", "collection": "c"}, {"name": "charts", "measurement": "m"}, {"name": "nowhere"}):
        body = a_body("data.destination", place)
        texts += [client.post(path, json=body).text for path in ("/v1/jobs", "/v1/jobs/validate")]
    wrong = {"Authorization": f"Bearer {SECRET}"}
    texts += [client.get("/v1/jobs", headers=wrong).text, client.post("/login", data={"token": SECRET}).text]
    assert SECRET not in "".join(texts)
    assert SECRET not in written.getvalue()
    assert SECRET not in repr(secretive)


def test_the_settings_are_shown_without_their_secrets(secretive: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGODB_URL", "STORE_URL", "BROKER_URL"):
        scheme = "redis" if name == "BROKER_URL" else "mongodb"
        monkeypatch.setenv(f"QUEUECAST_{name}", f"{scheme}://ann:{SECRET}@127.0.0.1:1/0")
    for name in ("INFLUXDB_TOKEN", "SESSION_SECRET", "TOKEN"):
        monkeypatch.setenv(f"QUEUECAST_{name}", SECRET)
    for words in (["config", "show"], ["config", "show", "--json"], ["config", "check", "--json"]):
        shown = CliRunner().invoke(build_app(), words)
        assert shown.exit_code == 0
        assert SECRET not in shown.output
    assert secretive.masked()["session_secret"] == "*" * 10


def test_no_process_is_started_with_a_secret_in_its_arguments(secretive: Settings) -> None:
    for program in fleet(secretive, make_layout(workers=1)):
        assert SECRET not in " ".join(map(str, program.command)), program.name
        assert SECRET not in str(program.environment), program.name


def test_a_task_carries_ids_so_that_flower_has_nothing_to_show(
    client: FlaskClient, grant: Granting, everything: Settings
) -> None:
    body = a_body("data.source", {"name": "archive", "collection": "c"})
    job_id = client.post("/v1/jobs", json=body, headers=grant("write")).json["job_id"]
    lane = redis_client(redis_server(everything).broker, is_patient=False)
    [message] = lane.lrange("plan", 0, -1)
    lane.close()
    assert job_id in json.loads(message)["headers"]["argsrepr"]
    assert "mongodb" not in message.decode()

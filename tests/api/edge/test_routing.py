"""The URL map against the policies: every view has one, and the running application does what it says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from api.edge.policy import READ
from api.edge.routing import check_policies, route
from shared.config.settings import Settings
from shared.domain.tokens import Scope
from shared.fleet.runstate import RunState
from tests.api.calls import calls
from tests.api.scene import Granting, MakeApp
from tests.architecture.house import fail_on

# Written out a second time: whatever is not like the others must be meant.
OPEN = {"/healthz", "/readyz", "/static/x", "/favicon.ico", "/login"}
CHANGED_BY_READERS = {"/logout"}
OF_ALL_PROJECTS = {"/metrics", "/v1/audit", "/audit", "/setup"}
UNCOUNTED = {"/healthz", "/readyz", "/static/x", "/favicon.ico"}
UNAUDITED = {"POST /v1/jobs/validate"}
UNKNOWN = [("GET", "/v1/nothing", 404), ("PUT", "/v1/jobs", 405), ("POST", "/nothing", 404)]
PERSON = {"Accept": "text/html,*/*;q=0.8"}
CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}


def test_what_is_not_like_the_others_is_meant(client: FlaskClient) -> None:
    known = list(calls(client.application))
    assert {call.path for call in known if call.policy.needs is None} == OPEN
    assert {call.path for call in known if call.is_change and call.policy.needs is Scope.READ} == CHANGED_BY_READERS
    assert {call.path for call in known if call.policy.needs_all_projects} == OF_ALL_PROJECTS
    assert {call.path for call in known if not call.policy.is_limited} == UNCOUNTED
    assert {str(call) for call in known if call.is_change and not call.policy.is_audited} == UNAUDITED
    assert {call.path for call in known if call.method == "POST" and not call.policy.body} == {
        "/login",
        "/logout",
        "/jobs/chosen",
    }


def test_a_view_without_a_policy_is_an_error_at_the_start(client: FlaskClient) -> None:
    client.application.add_url_rule("/bare", "bare", lambda: "open")
    with pytest.raises(RuntimeError, match="without a policy: bare"):
        check_policies(client.application)


def test_a_view_is_still_the_function_that_was_written() -> None:
    def show(number: int) -> int:
        return number

    assert route("GET", "/x", READ)(show)(2) == 2


def test_whoever_brings_no_token_is_let_in_only_where_all_are(client: FlaskClient, grant: Granting) -> None:
    grant()
    statuses = {call: call.send(client).status_code for call in calls(client.application)}
    fail_on(
        f"{call} {status}"
        for call, status in statuses.items()
        if (status == 401) != (call.policy.needs is not None or str(call) == "POST /login")
    )
    for method, path, status in UNKNOWN:
        assert client.open(path, method=method, data="x").status_code == status  # told before everything else


@pytest.mark.parametrize("name", ["root.etl%0A", "a%0Ab", "%0A", "a/%0D%0A/b"])
def test_a_name_with_a_line_break_is_no_way_around_the_token(client: FlaskClient, grant: Granting, name: str) -> None:
    headers = grant("read")
    assert client.get(f"/v1/queues/{name}/series").status_code == 401
    assert client.get(f"/v1/queues/{name}/series", headers=headers).status_code == 404


def test_a_persons_browser_is_led_to_the_login_from_pages(client: FlaskClient, grant: Granting) -> None:
    grant()
    for call in calls(client.application):
        if call.policy.needs and call.method == "GET":
            answer = call.send(client, headers=PERSON)
            assert (answer.status_code == 303) == call.policy.leads_to_login == (not call.path.startswith("/v1/")), call


def test_a_scope_that_is_not_enough_is_refused(client: FlaskClient, grant: Granting) -> None:
    headers = grant("read")
    for call in calls(client.application):
        answer = call.send(client, headers=headers)
        is_refused = call.policy.needs in {Scope.WRITE, Scope.APPROVE, Scope.ADMIN} and call.method != "OPTIONS"
        assert (answer.status_code == 403) == is_refused, call
        if is_refused and call.method != "HEAD":
            told = answer.json["detail"] if answer.is_json else answer.text  # of a page
            assert f"found read, needed is {call.policy.needs}" in told


def test_what_shows_all_projects_is_not_for_a_token_of_some(client: FlaskClient, grant: Granting) -> None:
    headers = grant("read", "etl")
    for call in calls(client.application):
        if call.method == "GET" and call.policy.needs is Scope.READ:
            assert (call.send(client, headers=headers).status_code == 403) == call.policy.needs_all_projects, call


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
def test_a_body_larger_than_a_view_takes_is_refused(client: FlaskClient, grant: Granting, is_chunked: bool) -> None:
    headers = grant("admin")
    for call in calls(client.application):
        if not call.is_change:
            continue
        is_form = call.policy.logs_in or call.policy.takes_form
        content = b"token=" + b"x" * 30_000 if is_form else b'{"job_name": "' + b"x" * 30_000 + b'"}'
        answer = client.open(
            call.path,
            method=call.method,
            input_stream=io.BytesIO(content),
            content_type="application/x-www-form-urlencoded" if is_form else "application/json",
            headers=headers | ({} if is_chunked else {"Content-Length": str(len(content))}),
            environ_overrides=CHUNKED if is_chunked else {},
        )
        if call.path.startswith("/v1/uploads"):  # a file; what it may have is tested in test_uploads.py
            continue
        is_refused = answer.status_code == 413 or (
            is_form and is_chunked and answer.status_code in {401, 422}
        )  # cut off: no valid token, or no field that is known
        assert is_refused == bool(call.policy.body or call.policy.max_body_bytes), call


def test_a_view_that_takes_json_takes_nothing_else(client: FlaskClient, grant: Granting) -> None:
    headers = grant("admin")
    for call in calls(client.application):
        if call.is_change:
            statuses = [call.send(client, data=data, headers=headers).status_code for data in (None, b"x")]
            assert [status == 415 for status in statuses] == [
                bool(call.policy.body) and not call.policy.body_is_optional,
                bool(call.policy.body),
            ], call


def test_a_change_by_a_session_needs_what_only_our_own_pages_send(client: FlaskClient, grant: Granting) -> None:
    client.post("/login", data={"token": grant("admin")["Authorization"].removeprefix("Bearer ")})
    for call in calls(client.application):
        if not call.policy.logs_in:
            assert (call.send(client).status_code == 403) == call.is_change, call


def test_calls_are_counted_wrong_addresses_and_methods_too(
    client: FlaskClient, make_app: MakeApp, everything: Settings, grant: Granting
) -> None:
    grant()
    strict = make_app(everything.model_copy(update={"rate_limit": "1/minute"})).test_client()
    addresses = (f"192.0.2.{number}" for number in range(250))
    for call, address in zip(calls(strict.application), addresses, strict=False):
        answers = [call.send(strict, environ_overrides={"REMOTE_ADDR": address}) for _ in range(2)]
        assert [answer.status_code == 429 for answer in answers] == [False, call.policy.is_limited], call
    for (method, path, status), address in zip(UNKNOWN, addresses, strict=False):
        answers = [strict.open(path, method=method, environ_overrides={"REMOTE_ADDR": address}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [status, 429]


def test_a_change_leaves_one_audit_line(client: FlaskClient, grant: Granting) -> None:
    headers = grant("read")
    for call in calls(client.application):
        with capture_logs() as lines:
            answer = call.send(client, headers=headers)
        noted = [(line["what"], line["outcome"]) for line in lines if line["event"] == "audit"]
        expected = [(call.endpoint.rpartition(".")[2], answer.status_code)]  # most are refused: the token may only read
        assert noted == (expected if call.policy.is_audited and call.is_change else []), call
    with capture_logs() as lines:
        for method, path, _ in UNKNOWN:
            client.open(path, method=method, headers=headers)
    assert lines == []


def test_without_its_store_the_service_answers_what_asks_nobody(
    run_state: RunState, make_app: MakeApp, storeless: Settings, tmp_path: Path
) -> None:
    client = make_app(storeless).test_client()
    for call in calls(client.application):
        answer = call.send(client)
        assert str(tmp_path) not in str(answer.data)  # a stranger does not learn where things lie
        is_away = call.policy.identifies or (call.path == "/readyz" and call.method != "OPTIONS")
        assert (answer.status_code == 503, answer.headers.get("Retry-After")) == (is_away, "5" if is_away else None), call
    checks = client.get("/readyz").json["checks"]
    assert (checks["broker"], "cannot be reached" in checks["store"]) == ("ok", True)
    assert run_state.active() == set()
    assert [client.open(path, method=method).status_code for method, path, _ in UNKNOWN] == [404, 405, 404]

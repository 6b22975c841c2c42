"""Logging in with a token: the cookie, how long it opens anything, and what other pages cannot do with it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest
from flask.testing import FlaskClient

from api.edge.login import COOKIE
from api.edge.remembered import LIFE_SECONDS
from shared.config.settings import Settings
from shared.domain.tokens import SESSION_LIFE
from shared.store import Store
from tests.api.bodies import a_body
from tests.api.scene import Granting, Headers, MakeApp
from tests.polling import eventually

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HTMX = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}  # as a browser sends it for a page of ours


def secret_in(headers: Headers) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


def log_in(client: FlaskClient, headers: Headers, **options: str) -> None:
    assert client.post("/login", data={"token": secret_in(headers)}, **options).status_code == 303


def session_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


@pytest.fixture
def elsewhere(client: FlaskClient, everything: Settings, make_app: MakeApp) -> FlaskClient:
    """Another process of the same fleet."""
    return make_app(everything).test_client()


def test_a_page_leads_to_the_login_and_back(client: FlaskClient, grant: Granting) -> None:
    headers = grant()
    away = client.get("/docs?x=1", headers=PAGE)
    assert (away.status_code, away.location) == (303, "/login?next=/docs%3Fx%3D1")
    page = client.get(away.location, headers=PAGE)
    assert page.status_code == 200
    assert 'value="/docs?x=1"' in page.text
    back = client.post("/login", data={"token": f" {secret_in(headers)}\n", "next": "/docs?x=1"})
    assert (back.status_code, back.location) == (303, "/docs?x=1")
    assert client.get("/docs", headers=PAGE).status_code == 200


@pytest.mark.parametrize("address", ["/queues/%252E%252E", "/queues/a%20b/c%3Fd%23e?job=x%26y"])
def test_the_page_of_any_queue_is_found_again_after_the_login(client: FlaskClient, grant: Granting, address: str) -> None:
    headers = grant()
    away = client.get(address, headers=PAGE)
    form = client.get(away.location, headers=PAGE).text
    target = unescape(form.partition('name="next" type="hidden" value="')[2].partition('"')[0])
    assert client.post("/login", data={"token": secret_in(headers), "next": target}).location == address


@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("http://localhost/queues/root.etl?day=1", "/queues/root.etl%3Fday%3D1"),
        ("http://localhost/queues/%252E%252E", "/queues/%25252E%25252E"),
        *((other, "/") for other in ("http://[", "//[", "javascript:alert(1)", "http://evil.example//evil", "\\", "")),
    ],
)
def test_a_part_of_a_page_sends_the_whole_page_to_the_login(
    client: FlaskClient, grant: Granting, address: str, back: str
) -> None:
    grant()
    answer = client.get("/docs", headers=PAGE | HTMX | {"HX-Current-URL": address})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, f"/login?next={back}")


def test_the_cookie_is_for_us_alone(client: FlaskClient, grant: Granting) -> None:
    answer = client.post("/login", data={"token": secret_in(grant())})
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={int(SESSION_LIFE.total_seconds())}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert secret_in(grant()) not in cookie


def test_over_https_the_cookie_stays_there(client: FlaskClient, grant: Granting) -> None:
    answer = client.post("/login", data={"token": secret_in(grant())}, base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize("token", ["", "qc_wrong", "x" * 10_000, "\x00"])
def test_a_wrong_token_shows_the_page_again(client: FlaskClient, grant: Granting, token: str) -> None:
    grant()
    answer = client.post("/login", data={"token": token, "next": "/docs"})
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "unknown, expired or revoked" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *(
            "/\t/evil.example",
            "/x\r\nSet-Cookie: a=b",
            "",
            "http:///evil.example",
            "/\x00",
            "//",
            "evil.example",
            "//[",
            "http://[",
        ),
    ],
)
def test_it_leads_to_no_other_place(client: FlaskClient, grant: Granting, elsewhere: str) -> None:
    answer = client.post("/login", data={"token": secret_in(grant()), "next": elsewhere})
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/login", query_string={"next": elsewhere}).location == "/"


def test_what_is_written_on_the_page_is_text(client: FlaskClient, grant: Granting) -> None:
    grant()
    assert "<script>" not in client.get("/login", query_string={"next": '/"><script>alert(1)</script>'}).text


def test_a_session_ends_with_its_token(client: FlaskClient, grant: Granting, store: Store) -> None:
    log_in(client, grant())
    assert client.get("/v1/jobs").status_code == 200
    store.tokens.revoke(store.tokens.all()[0].token_id, datetime.now(UTC))
    eventually(lambda: client.get("/v1/jobs").status_code == 401, within=LIFE_SECONDS + 30, what="the session's end")


@pytest.mark.parametrize(
    "cookie",
    [
        *("", "x", "x.y.z", "\xff", "." * 3_000, "A" * 43),
        "IjNmOWFjMDFiMjIi.aVsu3w.7D0pXgT4b8vAn3mQK1zYc2LrJ5s",  # as earlier releases signed one
    ],
)
def test_a_cookie_that_is_none_of_ours_opens_nothing(client: FlaskClient, grant: Granting, cookie: str) -> None:
    grant()
    client.set_cookie(COOKIE, cookie)
    assert client.get("/v1/jobs").status_code == 401
    assert client.get("/login").status_code == 200
    log_in(client, grant())
    assert client.get("/v1/jobs").status_code == 200


def test_logging_out_ends_the_session_in_all_processes(client: FlaskClient, grant: Granting, elsewhere: FlaskClient) -> None:
    log_in(client, grant("read"))
    cookie = session_of(client)
    elsewhere.set_cookie(COOKIE, cookie)
    assert elsewhere.get("/v1/jobs").status_code == 200
    assert client.post("/logout").status_code == 403
    answer = client.post("/logout", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login")
    assert client.get_cookie(COOKIE) is None
    client.set_cookie(COOKIE, cookie)  # whoever has copied it
    assert client.get("/v1/jobs").status_code == client.post("/logout", headers=HTMX).status_code == 401
    eventually(lambda: elsewhere.get("/v1/jobs").status_code == 401, within=LIFE_SECONDS + 30, what="the session's end")


def test_logging_in_again_ends_the_session_before(client: FlaskClient, grant: Granting) -> None:
    headers = grant()
    log_in(client, headers)
    before = session_of(client)
    log_in(client, headers)
    assert session_of(client) != before
    client.set_cookie(COOKIE, before)
    assert client.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),  # a form of any page
        ({"Origin": "http://localhost"}, 403),
        (HTMX | {"Origin": "http://evil.example"}, 403),
        (HTMX | {"Origin": "null"}, 403),
        (HTMX | {"Origin": "ftp://localhost"}, 403),
        (HTMX | {"Sec-Fetch-Site": "cross-site"}, 403),
        (HTMX | {"Sec-Fetch-Site": "same-site"}, 403),
        ({"HX-Request": "true"}, 403),  # says nothing of where it comes from
        ({"HX-Request": "true", "Origin": "http://localhost"}, 404),
        (HTMX, 404),
        (HTMX | {"Origin": "http://localhost"}, 404),
    ],
)
def test_with_a_session_only_our_own_pages_change_anything(
    client: FlaskClient, grant: Granting, headers: Headers, status: int
) -> None:
    log_in(client, grant())
    answer = client.post("/v1/jobs/nobody/cancel", headers=headers)
    assert answer.status_code == status
    assert status == 404 or answer.json["type"] == "urn:queuecast:cross-site-request"


def test_a_bearer_needs_neither_origin_nor_htmx(client: FlaskClient, grant: Granting) -> None:
    assert client.post("/v1/jobs", json=a_body(), headers=grant("write") | {"Origin": "http://tool.example"}).status_code == 202


@pytest.mark.parametrize(
    ("url", "origin", "status"),
    [
        ("http://localhost", "http://evil.example", 403),
        ("https://localhost", "http://localhost", 403),  # a page without TLS is none of a service that has it
        ("https://localhost", "https://localhost", 303),
    ],
)
def test_no_page_but_ours_logs_a_browser_in(client: FlaskClient, grant: Granting, url: str, origin: str, status: int) -> None:
    answer = client.post("/login", data={"token": secret_in(grant())}, base_url=url, headers={"Origin": origin})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (status, status == 303)


def test_a_session_has_the_scope_of_its_token(client: FlaskClient, grant: Granting) -> None:
    log_in(client, grant("read"))
    assert client.post("/v1/jobs/x/cancel", headers=HTMX).status_code == 403


def test_a_wrong_bearer_is_not_saved_by_a_cookie(client: FlaskClient, grant: Granting) -> None:
    log_in(client, grant())
    assert client.get("/v1/jobs", headers={"Authorization": "Bearer qc_wrong"}).status_code == 401


def test_without_any_token_there_is_nothing_to_log_in_to(client: FlaskClient) -> None:
    assert client.get("/login?next=/docs").location == "/docs"
    answer = client.post("/login", data={"next": "/docs"})
    assert (answer.status_code, answer.location) == (303, "/docs")
    assert "Set-Cookie" not in answer.headers

"""Pages that lead from every page: time zone, terms, who is logged in, audit trail, setup, API."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.dashboard import terms_page
from api.dashboard.terms_page import TERMS
from shared.domain.audits import AuditEntry
from shared.domain.jobs import JobState
from shared.store import Store
from tests.api.scene import Granting
from tests.factories import a_forecast, a_job

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TEMPLATES = Path(terms_page.__file__).parent / "templates"
LONG_AGO = datetime(2025, 1, 5, 23, 30, tzinfo=UTC)


def entry(number: int) -> AuditEntry:
    at, why = datetime.now(UTC) - timedelta(hours=number), f"why {number:03d} <b>"
    told = {"cluster": "prod", "project": "", "subject": f"d{number}", "who": "t1", "name": "ops", "reason": why}
    return AuditEntry(entry_id=f"d{number}.approved", at=at, what="approved", **told)


def test_a_person_chooses_a_zone_and_all_pages_tell_times_in_it(client: FlaskClient, store: Store) -> None:
    store.jobs.add(a_job(state=JobState.FAILED, created_at=LONG_AGO))
    assert 'data-zone="UTC"' in client.get("/jobs").text
    answer = client.get("/timezone?zone=Asia/Kathmandu&next=/jobs")
    assert (answer.status_code, answer.location) == (303, "/jobs")
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    page = client.get("/jobs").text
    assert 'data-zone="Asia/Kathmandu"' in page
    assert "Mon 6 Jan 2025, 05:15" in page
    client.get("/timezone?zone=&next=/jobs")
    assert "Sun 5 Jan 2025, 23:30" in client.get("/jobs").text


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "UTC\x00", "a" * 5_000])
def test_no_zone_is_refused_and_a_cookie_with_none_does_not_count(client: FlaskClient, zone: str) -> None:
    assert client.get("/timezone", query_string={"zone": zone}).status_code == 422
    client.set_cookie("queuecast_zone", zone[:1_000].replace("\x00", "%00"))
    assert 'data-zone="UTC"' in client.get("/").text


def test_a_zone_leads_back_to_our_own_pages_alone_and_no_other_site_chooses_it(client: FlaskClient) -> None:
    assert client.get("/timezone?zone=UTC&next=//evil.example").location == "/"
    foreign = client.get("/timezone?zone=Asia/Kathmandu", headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, "Set-Cookie" in foreign.headers) == (200, False)


def test_every_term_has_an_address(client: FlaskClient) -> None:
    page = client.get("/terms").text
    assert all(f'id="{term.replace(" ", "-")}"' in page for term in TERMS)
    assert 'href="/terms"' in client.get("/").text
    linked = {name for path in TEMPLATES.glob("*.html") for name in re.findall(r'term\("([^"]+)"', path.read_text())}
    assert linked
    assert linked <= TERMS.keys()


def test_a_term_leads_to_what_it_means_where_it_stands_first(client: FlaskClient, store: Store) -> None:
    store.forecasts.save(a_forecast())
    assert 'Usually <a class="term" href="/terms#off-by">off by</a>' in client.get("/queues/root.etl").text


def test_where_nothing_is_to_be_decided_the_page_says_what_to_do_next(client: FlaskClient, grant: Granting) -> None:
    assert "Look now</button>" in client.get("/decisions").text
    seen = client.get("/decisions", headers=grant("read")).text
    assert ("Look now" in seen, 'href="/account"' in seen) == (False, True)


def test_the_api_page_has_every_call_field_and_link(client: FlaskClient) -> None:
    page, document = client.get("/docs").text, client.get("/openapi.json").get_json()
    for path, item in document["paths"].items():
        for method in item:
            assert f"<code>{method.upper()} {path}</code>" in page
    for name, schema in document["components"]["schemas"].items():
        assert f'id="schema-{name}"' in page
        assert all(f"<code>{field}</code>" in page for field in schema.get("properties", {}))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_example_of_a_job_is_one_that_is_taken(client: FlaskClient) -> None:
    page = client.get("/docs").text
    [body] = re.findall(r"curl -X POST \S+/v1/jobs \\.*?-d &#39;(\{.*?\})&#39;", page, re.DOTALL)
    assert client.post("/v1/jobs", json=json.loads(body.replace("&#34;", '"'))).status_code == 202


def test_the_api_page_is_small(client: FlaskClient) -> None:
    assert len(client.get("/docs", headers={"Accept-Encoding": "gzip"}).data) < 60_000


def test_the_trail_is_searched_and_turned_over(client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing was done in this time" in client.get("/audit").text
    for number in range(60):
        store.audits.add(entry(number))
    first, second = client.get("/audit?days=7").text, client.get("/audit?days=7&page=2").text
    assert (first.count("why "), second.count("why ")) == (50, 10)
    assert first.index("why 000") < first.index("why 049")
    assert "why 000 &lt;b&gt;" in first
    assert client.get("/audit?q=WHY 007").text.count("why 007") == 1
    assert "Show everything" in client.get("/audit?q=nobody").text
    assert client.get("/audit?days=x").status_code == 422
    monkeypatch.setattr("api.dashboard.audit_page.MAX_ENTRIES", 3)
    cut = client.get("/audit").text
    assert "the newest of it are searched and shown" in cut
    assert [f"why {number:03}" in cut for number in (0, 2, 3, 59)] == [True, True, False, False]


def test_trail_and_setup_are_for_administrators(client: FlaskClient, grant: Granting) -> None:
    admin = grant("admin")
    for path in ("/audit", "/setup"):
        assert client.get(path, headers=PERSON).location == f"/login?next={path}"
        for scope, projects in (("read", ()), ("approve", ()), ("approve", ("red",))):
            assert client.get(path, headers=PERSON | grant(scope, *projects)).status_code == 403
        assert client.get(path, headers=PERSON | admin).status_code == 200
        assert f'href="{path}"' in client.get("/", headers=admin).text
        assert f'href="{path}"' not in client.get("/", headers=grant("write")).text


def test_setup_tells_connections_and_tokens_and_no_address_and_no_secret(client: FlaskClient, grant: Granting) -> None:
    admin = grant("admin")
    page = client.get("/setup", headers=admin).text
    for told in ("archive", "mongodb", "influxdb", "files", "No policy was made", "admin"):
        assert told in page
    secret = admin["Authorization"].removeprefix("Bearer ")
    for kept in ("mongodb://", "localhost:8086", "yarn_2025", secret, secret[-20:]):
        assert kept not in page


def test_who_has_logged_in_is_told(client: FlaskClient, grant: Granting) -> None:
    assert "everybody on this machine" in client.get("/account").text
    headers = grant("write", "red")
    client.post("/login", data={"token": headers["Authorization"].removeprefix("Bearer ")})
    page = client.get("/account").text
    assert all(told in page for told in ("write", "red", "Logged in until", "Log out", "also submits jobs"))
    assert 'href="/account"' in client.get("/").text

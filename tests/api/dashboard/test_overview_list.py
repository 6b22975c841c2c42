"""The list of the overview over HTTP: filters as chips that count what they lead to, the tree, the file, owners."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from shared.domain.policies import Group, Policy, QueueRule
from shared.domain.reports import Point, RunFailure
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from shared.store import Store
from tests.factories import a_forecast

HOUR = timedelta(hours=1)
NOW = TimeGrid(3_600).bucket_start(datetime.now(UTC))
CHIP = re.compile(r'<a class="chip" href="([^"]+)"([^>]*)><bdi>([^<]+)</bdi> <span class="muted">(\d+)</span>')
COUNT = re.compile(r'<p class="count inline" role="status"><span>(\d+) of')


def keep(store: Store, queue: str, upper: float, *, issued_at: datetime = NOW, **changes: object) -> None:
    """A day that is highest in its second step."""
    flat = (20.0,) * 22
    values = {"prediction": (20.0, upper - 20, *flat), "lower_bound": (10.0,) * 24, "upper_bound": (30.0, upper, *flat)}
    store.forecasts.save(a_forecast(queue=queue, issued_at=issued_at, created_at=issued_at, **(values | changes)))


@pytest.fixture
def known(store: Store) -> Store:
    """Seven queues of two clusters, one of them in memory, one over and one not renewed; a name that would be a formula."""
    keep(store, "root.etl.nightly", 130.0, model="ets")
    keep(store, "root.etl.hourly", 110.0)
    keep(store, "root.etl", 50.0)
    keep(store, "root.lab", 90.0, cluster="b")
    keep(store, "root.gone", 90.0, issued_at=NOW - 40 * HOUR)
    keep(store, "=cmd", 130.0, maximum=300.0, project="")
    memory = {"metric": "used_memory_mb", "unit": Unit.MEGABYTES, "guaranteed": 40_960.0}
    keep(store, "root.bi", 20_500.0, job="memory", **memory)
    [etl] = store.forecasts.find("root.etl")
    store.actuals.save(etl.series, [Point(timestamp=NOW - HOUR, value=41.5)])
    failed = RunFailure(series_id=etl.series_id, job=etl.job, job_id="job-9", at=NOW + HOUR, reason="the source is away")
    store.run_failures.save([failed])
    return store


def page(client: FlaskClient, address: str = "/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def counted(text: str) -> int:
    found = COUNT.search(text)
    assert found is not None
    return int(found[1])


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row" class="name[^"]*"><(?:a|span)[^>]*><bdi>([^<]+)</bdi>', text)


@pytest.mark.parametrize("start", ["/", "/?q=root", "/?view=tree&cluster=files%3A", "/?level=80.0", "/?project=&sort=queue"])
def test_each_chip_leads_to_as_many_queues_as_it_counts_and_back(known: Store, client: FlaskClient, start: str) -> None:
    chips = CHIP.findall(page(client, start))
    assert len(chips) > 4
    for address, is_on, label, count in chips:
        there = page(client, html.unescape(address))
        assert 'aria-current="true"' in is_on or counted(there) == int(count), (label, address)


def test_chips_of_what_the_list_has(known: Store, client: FlaskClient) -> None:
    told = {label: int(count) for _, _, label, count in CHIP.findall(page(client))}
    assert told == {
        "all": 7,
        "may reach their limit": 2,
        "may pass 80\u202f%": 3,
        "may use more than their share": 1,
        "no forecast of what is ahead": 1,
        "forecast is old": 1,
        "last job failed": 1,
        "files:": 6,
        "b": 1,
        "capacity forecasting": 6,
        "no project": 1,
        "used_capacity": 6,
        "used_memory_mb": 1,
        "Resource Forecasting": 6,
        "memory": 1,
        "seasonal_naive": 6,
        "ets": 1,
    }


def test_a_chip_that_is_on_is_taken_away_by_itself(known: Store, client: FlaskClient) -> None:
    text = page(client, "/?cluster=b&q=root&sort=queue")
    assert names(text) == ["root.lab"]
    without = [html.unescape(each) for each in re.findall(r'href="([^"]+)" aria-current="true"><bdi>', text)]
    assert "/?q=root&sort=queue" in without
    assert "/?cluster=b&sort=queue" in without
    assert names(page(client, "/?project=")) == ["=cmd"]


def test_a_value_of_many_has_no_chip_but_is_told(store: Store, client: FlaskClient) -> None:
    for number in range(15):
        keep(store, f"q{number}", 50.0, cluster=f"c{number:02d}")
    text = page(client)
    assert "3 more have fewer queues" in text
    assert counted(page(client, "/?cluster=c14")) == 1


def test_the_tree_has_parents_without_a_forecast_too(known: Store, client: FlaskClient) -> None:
    text = page(client, "/?view=tree&sort=queue&project=capacity+forecasting")
    assert names(text) == ["root", "bi", "etl", "hourly", "nightly", "gone", "root", "lab"]
    assert re.findall(r"(\d+) below", text) == ["5", "2", "1"]
    assert "root.etl.nightly" in text  # under the pointer


def test_a_page_of_a_tree_begins_with_the_parents_of_its_first_queue(store: Store, client: FlaskClient) -> None:
    for number in range(70):
        keep(store, f"root.many.q{number:02d}", 50.0)
    text = page(client, "/?view=tree&sort=queue&page=2")
    assert names(text) == ["root", "many", *(f"q{number}" for number in range(58, 70))]


def test_the_file_has_what_the_list_shows(known: Store, client: FlaskClient) -> None:
    answer = client.get("/queues.csv?sort=queue&target=used_capacity")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=queues.csv"
    rows = [*csv.DictReader(io.StringIO(answer.text))]
    assert [row["queue"] for row in rows] == [
        "'=cmd",
        *(f"root.{name}" for name in ("etl", "etl.hourly", "etl.nightly", "gone", "lab")),
    ]
    etl = rows[1]
    assert (etl["used"], etl["used_at"], etl["guaranteed"], etl["unit"]) == ("41.5", (NOW - HOUR).isoformat(), "100.0", "percent")
    assert (etl["peak"], etl["peak_at"], etl["last_failure"]) == ("30.0", (NOW + HOUR).isoformat(), "the source is away")
    risks = ["likely beyond share", "none", "possible at limit", "likely at limit", "forecast is over", "possible above 80 %"]
    assert [row["risk"] for row in rows] == risks
    assert rows[0]["risk_from"] == (NOW + HOUR).isoformat()
    assert client.get("/queues.csv?q=nothing").text.strip() == "queue"
    assert client.get("/queues.csv?sort=beauty").status_code == 422


def test_owners_are_told_where_policies_name_them(known: Store, client: FlaskClient) -> None:
    assert ">Owner</th>" not in page(client)
    group = Group("capacity forecasting", "files:", "")
    rule = QueueRule(queue="root.etl.nightly", owners=("maria",))
    known.policies.replace(Policy(**group._asdict()), Policy(**group._asdict(), version=1, queues=(rule,), owners=("ben",)))
    text = page(client, "/?sort=queue")
    assert re.findall(r'<td class="owner">(?:<bdi>)?([^<]+)', text) == ["–", "ben", "ben", "ben", "ben, maria", "ben", "–"]
    assert "ben, maria" in client.get("/queues.csv").text

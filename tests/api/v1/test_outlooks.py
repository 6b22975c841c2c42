"""The outlook of a queue over HTTP: chances with the limits that are known, and what if they were others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.domain.distribution import Paths
from shared.domain.timegrid import TimeGrid
from shared.domain.units import Unit
from shared.store import Store
from tests.factories import a_forecast

HOUR = timedelta(hours=1)
NOW = TimeGrid(3_600).bucket_start(datetime.now(UTC)) + HOUR  # nothing of it is over while these tests run
OUTLOOK = "/v1/queues/root.etl/outlook"


def keep(store: Store, *, hours: int = 48, blocks: int = 14, **changes: Any) -> None:
    """Half of the paths are at 90 all the time, half at 120 from the seventh hour on."""
    rows = [[90.0] * hours, [90.0] * 6 + [120.0] * (hours - 6)] * 32
    flat = (100.0,) * hours
    paths = Paths.of(rows, blocks=blocks, windows=7)
    same = {"prediction": flat, "lower_bound": flat, "upper_bound": flat, "issued_at": NOW, "paths": paths}
    store.forecasts.save(a_forecast(**same | changes))


def test_the_outlook_tells_borrowing_and_waiting_apart_in_all_and_by_day(client: FlaskClient, store: Store) -> None:
    keep(store, maximum=121.0)
    told = client.get(OUTLOOK).json
    assert (told["unit"], told["work_unit"], told["reason"], told["then"], told["sentence"]) == (
        "percent",
        "%·h",
        None,
        None,
        None,
    )
    now = told["now"]
    assert (now["guaranteed"], now["maximum"]) == (100.0, 121.0)
    whole, days = now["whole"], now["days"]
    seventh = f"{NOW + 6 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    borrowing = whole["borrowing"]
    assert [borrowing[name] for name in ("level", "likelihood", "probability", "hours")] == [100.0, "50 %", 0.5, 21.0]
    assert [borrowing["shortfall"], borrowing["slack"]] == pytest.approx([420.0, 270.0], rel=1e-3)
    assert [borrowing["first_at"], borrowing["not_before"]] == [seventh, seventh]
    assert (whole["waiting"]["likelihood"], whole["waiting"]["hours"], whole["waiting"]["shortfall"]) == ("50 %", 21.0, 0.0)
    assert (whole["lent"], whole["lent_share"]) == (pytest.approx(420.0, rel=1e-3), pytest.approx(420 / 4_950, rel=1e-3))
    assert (whole["peak"]["q0.25"], whole["peak"]["q0.95"]) == (pytest.approx(90.0), pytest.approx(120.0))
    assert [day["borrowing"]["hours"] for day in days] == [9.0, 12.0]


def test_a_what_if_has_now_and_then_side_by_side(client: FlaskClient, store: Store) -> None:
    keep(store)
    told = client.get(f"{OUTLOOK}?capacity=1.3x&horizon=24h").json
    assert (told["now"]["whole"]["borrowing"]["likelihood"], told["then"]["whole"]["borrowing"]["likelihood"]) == (
        "50 %",
        "< 5 %",
    )
    assert (told["now"]["guaranteed"], told["then"]["guaranteed"], told["then"]["days"]) == (100.0, 130.0, [])
    assert told["sentence"] == ("Chance to be above its guarantee of 130 %: < 5 %, 0.0 h expected; now 50 %, 9.0 h expected.")
    lost = client.get(f"{OUTLOOK}?nodes=20%25&scale=0.5").json["then"]
    assert (lost["guaranteed"], lost["whole"]["borrowing"]["likelihood"]) == (80.0, "< 5 %")
    shared = client.get(f"{OUTLOOK}?capacity=80%&ceiling=110").json  # as people type it
    assert (shared["then"]["guaranteed"], shared["then"]["maximum"], shared["now"]["maximum"]) == (80.0, 110.0, None)
    assert shared["notes"] == ["percentages are of what the queue is guaranteed now, not of its parent"]


def test_a_share_of_an_amount_is_one_of_what_the_parent_is_guaranteed(client: FlaskClient, store: Store) -> None:
    memory = {"metric": "used_memory_mb", "unit": Unit.MEGABYTES}
    keep(store, **memory, guaranteed=100.0)
    refused = client.get(f"{OUTLOOK}?capacity=30%25")
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, ["capacity"])
    assert "what the parent is guaranteed is not known" in refused.json["detail"]
    keep(store, queue="root", **memory, guaranteed=400.0)
    then = client.get(f"{OUTLOOK}?capacity=30%25&ceiling=50%25").json["then"]
    assert (then["guaranteed"], then["maximum"]) == (120.0, 200.0)


def test_where_nothing_can_be_told_it_is_said_why(client: FlaskClient, store: Store) -> None:
    keep(store, blocks=3)
    told = client.get(f"{OUTLOOK}?capacity=120").json
    assert (told["now"], told["then"]) == (None, None)
    assert told["reason"].endswith("3 windows of the backtest, of which 7 are needed")
    keep(store, issued_at=NOW - 100 * HOUR, queue="root.old")
    assert "is over" in client.get("/v1/queues/root.old/outlook").json["reason"]
    keep(store, paths=None, queue="root.bare")
    few = "its joint paths are not kept: too few windows of the backtest could be scored to draw any from"
    assert client.get("/v1/queues/root.bare/outlook").json["reason"] == few
    keep(store, hours=401, paths=None, queue="root.long")
    long = "its joint paths are not kept: it has 401 steps, and only those of up to 400 have any"
    assert client.get("/v1/queues/root.long/outlook").json["reason"] == long


def test_more_than_the_parent_or_the_cluster_has_is_noted(client: FlaskClient, store: Store) -> None:
    memory = {"metric": "used_memory_mb", "unit": Unit.MEGABYTES}
    keep(store, **memory, guaranteed=100.0)
    assert client.get(f"{OUTLOOK}?capacity=100x").json["notes"] == []  # nothing is known of the parent
    keep(store, queue="root", **memory, guaranteed=400.0)
    note = "root is guaranteed 400 MB, less than {} MB: it would have to get more, too"
    for asked, amount in (("100x", "10,000"), ("500%25", "2,000")):
        assert client.get(f"{OUTLOOK}?capacity={asked}").json["notes"] == [note.format(amount)]
    assert client.get(f"{OUTLOOK}?capacity=400").json["notes"] == []
    whole = client.get("/v1/queues/root/outlook?capacity=2x").json["notes"]
    assert whole == ["the cluster has 400 MB, less than 800 MB: it would have to grow"]


@pytest.mark.parametrize(
    ("asked", "field", "accepted"),
    [
        ("capacity=a lot", "capacity", "accepted is a number in the unit of the forecast (48), a share (30%)"),
        ("capacity=+20%25", "capacity", "accepted is a number"),  # a + is a space there
        ("capacity=", "capacity", "accepted is a number"),
        ("ceiling=-1", "ceiling", "accepted is a number"),
        ("ceiling=50", "ceiling", "accepted are ceilings from 100 % on"),
        ("scale=0", "scale", "0.01"),
        ("scale=nan", "scale", "finite"),
        ("nodes=3", "nodes", "accepted is the share of the cluster's capacity that is lost"),
        ("horizon=10min", "horizon", "accepted are lengths from there on"),
        ("horizon=1mo", "horizon", "not in months"),
        ("parent=root.b", "parent", ""),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_is(
    client: FlaskClient, store: Store, asked: str, field: str, accepted: str
) -> None:
    keep(store)
    refused = client.get(f"{OUTLOOK}?{asked}")
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [field])
    assert accepted in refused.json["detail"]

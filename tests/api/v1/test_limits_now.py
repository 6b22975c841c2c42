"""Limits of now are those of the cluster's tree, wherever a forecast is told of, whatever they were when it was issued."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from shared.domain.capacities import Resources
from shared.domain.units import Unit
from shared.store import Store
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.api.families import keep, keep_cluster, of_tree
from tests.shared.yarn.trees import prefixed

DAILY = "/v1/queues/root.etl.daily"
OUTLOOK = f"{DAILY}/outlook"
CEILING = "the ceiling is raised with what is guaranteed, which is never above it"


def guarantees(side: dict[str, Any]) -> tuple[float, float, dict[str, float]]:
    """Of one parent now and then, and of the siblings there now."""
    siblings = {each["queue"]: each["now"]["guaranteed"] for each in side["siblings"]}
    return side["now"]["guaranteed"], side["then"]["guaranteed"], siblings


def test_now_is_what_the_tree_says_after_a_change_and_what_was_is_noted(
    client: FlaskClient, services: Services, store: Store
) -> None:
    keep_cluster(store)
    of_tree(services, store, etl_daily="60", etl_hourly="40")
    answer = client.get(OUTLOOK).json
    assert (answer["now"]["guaranteed"], answer["then"]) == (240.0, None)
    assert answer["notes"] == ["when the forecast was issued it was guaranteed 300 MB; now is what the cluster's tree says"]
    lost = client.get(f"{OUTLOOK}?nodes=10%25").json
    assert (lost["now"]["guaranteed"], lost["then"]["guaranteed"]) == (240.0, pytest.approx(216.0))
    assert client.get(f"{OUTLOOK}?capacity=2x").json["then"]["guaranteed"] == 480.0
    hourly = client.get("/v1/queues/root.etl.hourly/outlook").json["now"]
    assert hourly["guaranteed"] == 160.0


def test_a_move_counts_with_what_parents_and_siblings_have_in_the_tree(
    client: FlaskClient, services: Services, store: Store
) -> None:
    keep_cluster(store)
    of_tree(services, store, etl="50", bi="50", etl_daily="60", etl_hourly="40", bi_reports="50", bi_adhoc="50")
    moved = client.get(f"{OUTLOOK}?parent=root.bi&capacity=50%25").json["moved"]
    assert guarantees(moved["old_parent"]) == (300.0, 300.0, {"root.etl.hourly": 120.0})
    assert guarantees(moved["new_parent"]) == (300.0, 300.0, {"root.bi.reports": 150.0, "root.bi.adhoc": 150.0})
    assert client.get("/v1/queues/root.etl/outlook").json["children"]["now"]["guaranteed"] == 300.0


def test_a_queue_that_the_tree_has_no_more_is_no_parent_and_no_sibling(
    client: FlaskClient, services: Services, store: Store
) -> None:
    keep_cluster(store)
    keep(store, "root.finance", *[1.0] * 8, cluster="prod", guaranteed=50.0)
    keep(store, "root.finance.gl", *[1.0] * 8, cluster="prod", guaranteed=50.0)
    keep(store, "root.etl.old", *[1.0] * 8, cluster="prod", guaranteed=50.0)
    of_tree(services, store)
    refused = client.get(f"{OUTLOOK}?parent=root.finance&capacity=1")
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, ["parent"])
    assert "root.finance is not in the cluster's tree any more" in refused.json["detail"]
    assert '<option value="root.finance">' not in client.get("/queues/root.etl.daily").text.partition('id="move"')[2]
    assert client.get(OUTLOOK).json["exposure"]["now"]["siblings"] == ["root.etl.hourly"]
    gone = {"queue": "root.etl.old", "reason": "it is not in the cluster's tree any more"}
    assert client.get("/v1/queues/root.etl/outlook").json["children"]["missing"] == [gone]
    old = client.get("/v1/queues/root.etl.old/outlook").json
    assert (old["now"]["guaranteed"], old["notes"]) == (
        50.0,
        ["root.etl.old is not in the cluster's tree any more: its limits are those of when the forecast was issued"],
    )


def test_paths_that_end_at_a_ceiling_of_then_say_so(client: FlaskClient, services: Services, store: Store) -> None:
    keep(store, "root.etl.daily", *[200.0] * 8, cluster="prod", guaranteed=100.0, maximum=200.0)
    of_tree(services, store)
    answer = client.get(OUTLOOK).json
    assert (answer["now"]["guaranteed"], answer["now"]["maximum"]) == (300.0, 600.0)
    was, cut = answer["notes"]
    assert was.startswith("when the forecast was issued it was guaranteed 100 MB and could get at most 200 MB; now")
    assert cut == "the forecast ends at the ceiling of when it was issued, 200 MB: above it, more may be wanted than is counted"


def test_every_answer_and_page_tells_the_same_limit_of_now(client: FlaskClient, services: Services, store: Store) -> None:
    keep_cluster(store)
    of_tree(services, store, etl_daily="60", etl_hourly="40")
    series = client.get(f"{DAILY}/series").json
    assert (series["guaranteed"], series["beyond_share"]["level"]) == (240.0, 240.0)
    assert {breach["level"] for breach in series["breaches"]} == {240.0, 600.0}
    listed = {each["queue"]: each for each in client.get("/v1/queues").json["queues"]}
    assert (listed["root.etl.daily"]["guaranteed"], listed["root.etl.daily"]["limit"]) == (240.0, 600.0)
    page = client.get("/queues/root.etl.daily").text
    assert "Chance to be above 240\u202fMB" in page
    assert 'data-present="240"' in page
    assert "300\u202fMB" not in page


def test_alerts_are_of_the_limit_of_now(client: FlaskClient, services: Services, store: Store) -> None:
    keep(store, "root.etl.daily", *[100.0] * 8, cluster="prod", guaranteed=300.0, created_at=datetime.now(UTC))
    of_tree(services, store, etl_daily="15", etl_hourly="85")
    begin = "queuecast_queue_beyond_share_steps{"
    counts = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith(begin) and 'certainty="likely"' in line
    ]
    assert [line.rpartition(" ")[2] for line in counts] == ["24.0"]
    assert "60\u202fMB" in client.get("/").text


def test_percentages_keep_the_limits_that_they_were_read_with(client: FlaskClient, services: Services, store: Store) -> None:
    keep(store, "root.etl.daily", *[90.0] * 8, cluster="prod", unit=Unit.PERCENT, metric="used_capacity", maximum=150.0)
    of_tree(services, store, etl_daily="60", etl_hourly="40")
    answer = client.get(OUTLOOK).json
    assert (answer["now"]["guaranteed"], answer["now"]["maximum"], answer["notes"]) == (100.0, 150.0, [])
    room = "root.etl is guaranteed 166.6666667 % of what the queue is guaranteed, less than 200 %: it would have to get more, too"
    assert client.get(f"{OUTLOOK}?capacity=2x").json["notes"] == [room, CEILING]
    assert client.get(f"{OUTLOOK}?capacity=140").json["notes"] == []


def test_a_tree_that_the_project_may_not_see_is_not_asked(client: FlaskClient, services: Services, store: Store) -> None:
    keep_cluster(store)
    of_tree(services, store, etl_daily="60", etl_hourly="40")
    [connection] = services.settings.connections.values()
    closed = connection.model_copy(update={"projects": ("others",)})
    services.settings = services.settings.model_copy(update={"connections": {"yarn": closed}})
    answer = client.get(OUTLOOK).json
    assert (answer["now"]["guaranteed"], answer["notes"]) == (300.0, [])
    assert client.get(f"{DAILY}/series").json["guaranteed"] == 300.0


def test_a_tree_read_later_is_seen_at_the_next_look(client: FlaskClient, services: Services, store: Store) -> None:
    keep_cluster(store)
    of_tree(services, store)
    assert client.get(OUTLOOK).json["now"]["guaranteed"] == 300.0
    names = {"root.queues": "etl", "root.etl.queues": "daily", "root.etl.capacity": "100", "root.etl.daily.capacity": "100"}
    store.trees.put("prod", resolved(tree_of(prefixed(names)), {"": Resources(memory_mb=450, vcores=4)}), datetime.now(UTC))
    assert client.get(OUTLOOK).json["now"]["guaranteed"] == 450.0

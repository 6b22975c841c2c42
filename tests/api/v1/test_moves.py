"""What if a queue had another parent: both parents and the siblings there before and after, against a count by hand."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from api.edge.context import Services
from shared.domain.units import Unit
from shared.store import Store
from tests.api.families import BLOCKS, HOURS, Rows, keep, keep_cluster, of_tree

OUTLOOK = "/v1/queues/root.etl.daily/outlook"


def counted(rows: Rows, guaranteed: float) -> tuple[float, float]:
    """Hours above and the work beyond, path by path, in GB·h."""
    above = [value - guaranteed for row in rows for value in row if value > guaranteed]
    return len(above) / len(rows), sum(above) / len(rows) / 1024


def summed(paths: dict[str, Rows], *queues: str, scale: float = 1.0) -> Rows:
    moved = {
        name: [[value * (scale if name == "root.etl.daily" else 1) for value in row] for row in paths[name]] for name in queues
    }
    return [[sum(moved[name][path][step] for name in queues) for step in range(HOURS)] for path in range(len(BLOCKS))]


def told(side: dict[str, Any]) -> tuple[float, float]:
    borrowing = (side.get("whole") or side)["borrowing"]
    return borrowing["hours"], borrowing["shortfall"]


def test_a_move_tells_of_both_parents_and_of_siblings_what_a_count_by_hand_says(
    client: FlaskClient, services: Services, store: Store
) -> None:
    paths = keep_cluster(store)
    of_tree(services, store)
    answer = client.get(f"{OUTLOOK}?parent=root.bi&capacity=30%25&scale=1.2").json
    assert (answer["now"]["guaranteed"], answer["then"]["guaranteed"]) == (300.0, pytest.approx(60.0))
    assert told(answer["then"]) == pytest.approx(counted(summed(paths, "root.etl.daily", scale=1.2), 60.0))
    old, new = answer["moved"]["old_parent"], answer["moved"]["new_parent"]
    assert told(old["now"]) == pytest.approx(counted(summed(paths, "root.etl.daily", "root.etl.hourly"), 400.0))
    assert told(old["then"]) == pytest.approx(counted(paths["root.etl.hourly"], 400.0))
    both = ("root.bi.reports", "root.bi.adhoc")
    assert told(new["now"]) == pytest.approx(counted(summed(paths, *both), 200.0))
    assert told(new["then"]) == pytest.approx(counted(summed(paths, *both, "root.etl.daily", scale=1.2), 200.0))
    then = {each["queue"]: each["then"] for side in (old, new) for each in side["siblings"]}
    expected = {"root.etl.hourly": 400.0, "root.bi.reports": 105.0, "root.bi.adhoc": 35.0}  # all of etl · 70 % of bi
    for name, guaranteed in expected.items():
        assert then[name]["guaranteed"] == pytest.approx(guaranteed)
        assert told(then[name]) == pytest.approx(counted(paths[name], guaranteed))
    assert answer["notes"] == []


def test_without_a_tree_capacities_are_taken_as_amounts_and_it_is_said(client: FlaskClient, store: Store) -> None:
    keep_cluster(store)
    answer = client.get(f"{OUTLOOK}?parent=root.bi&capacity=60&nodes=10%25").json
    siblings = {each["queue"]: each["then"]["guaranteed"] for each in answer["moved"]["new_parent"]["siblings"]}
    assert siblings == {"root.bi.adhoc": pytest.approx(31.5), "root.bi.reports": pytest.approx(94.5)}  # 180 − 54 in 3 : 1
    [hourly] = answer["moved"]["old_parent"]["siblings"]
    assert (hourly["now"]["guaranteed"], hourly["then"]["guaranteed"]) == (100.0, pytest.approx(90.0))
    assert [note.partition(" are")[0] for note in answer["notes"]] == [
        "how the capacities below root.etl",
        "how the capacities below root.bi",
    ]
    assert answer["moved"]["new_parent"]["then"]["guaranteed"] == pytest.approx(180.0)


def test_lost_nodes_take_what_the_configuration_of_the_tree_comes_to(
    client: FlaskClient, services: Services, store: Store
) -> None:
    keep_cluster(store)
    of_tree(services, store, etl="[memory=400,vcores=400]", bi="[memory=200,vcores=200]")
    answer = client.get("/v1/queues/root.bi.reports/outlook?nodes=25%25").json
    assert answer["then"]["guaranteed"] == pytest.approx(112.5, rel=0.01)  # as all shrink alike where nothing is left over
    of_tree(services, store, etl="[memory=300,vcores=300]", bi="[memory=100,vcores=100]")
    answer = client.get("/v1/queues/root.bi.reports/outlook?nodes=25%25").json
    assert (answer["now"]["guaranteed"], answer["then"]["guaranteed"]) == (75.0, 75.0)  # 450 MB are left, 400 are asked for
    assert answer["notes"] == [
        "when the forecast was issued it was guaranteed 150 MB; now is what the cluster's tree says",
        "with fewer nodes, guarantees and ceilings are what the cluster's configuration comes to, as it was read last",
    ]
    other = client.get("/v1/queues/root.etl.daily/outlook?nodes=25%25&parent=root.bi&capacity=50%25").json
    assert other["then"]["guaranteed"] == pytest.approx(50.0)
    moved = other["moved"]["new_parent"]
    assert (moved["now"]["guaranteed"], moved["then"]["guaranteed"]) == (100.0, 100.0)


def test_children_of_the_tree_that_no_run_has_forecast_are_missing_in_the_sum(
    client: FlaskClient, services: Services, store: Store
) -> None:
    keep_cluster(store)
    of_tree(services, store, bi_adhoc="20", more={"root.bi.queues": "reports,adhoc,idle", "root.bi.idle.capacity": "5"})
    children = client.get("/v1/queues/root.bi/outlook").json["children"]
    assert children["queues"] == ["root.bi.adhoc", "root.bi.reports"]
    assert children["missing"] == [{"queue": "root.bi.idle", "reason": "this run has no forecast of it"}]


def test_a_tree_that_the_project_may_not_see_tells_nothing(client: FlaskClient, services: Services, store: Store) -> None:
    keep_cluster(store)
    of_tree(services, store)
    [connection] = services.settings.connections.values()
    closed = connection.model_copy(update={"projects": ("others",)})
    services.settings = services.settings.model_copy(update={"connections": {"yarn": closed}})
    answer = client.get(f"{OUTLOOK}?nodes=10%25&parent=root.bi&capacity=60").json
    assert any("is not known" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("asked", "field", "why"),
    [
        ("parent=root.etl", "parent", "the parent already"),
        ("parent=root.etl.daily", "parent", "below itself"),
        ("parent=root.nowhere", "parent", "root.nowhere is not known"),
        ("parent=root.bi", "capacity", "root.bi is guaranteed 200 MB, less than 300 MB; give a capacity"),
        ("parent=root.bi&capacity=201", "capacity", "accepted is what it has"),
        ("parent=root.bi%00", "parent", ""),
        ("parent=", "parent", ""),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_what_can(
    client: FlaskClient, store: Store, asked: str, field: str, why: str
) -> None:
    keep_cluster(store)
    refused = client.get(f"{OUTLOOK}?{asked}")
    assert (refused.status_code, refused.json["errors"][0]["loc"]) == (422, [field])
    assert why in refused.json["detail"]


def test_a_queue_of_that_name_or_values_that_do_not_add_up_are_in_the_way(client: FlaskClient, store: Store) -> None:
    keep_cluster(store)
    keep(store, "root.bi.daily", *[1.0] * 8, cluster="prod")
    assert "has a queue of the name daily already" in client.get(f"{OUTLOOK}?parent=root.bi&capacity=1").json["detail"]
    keep(store, "root.x.y", *[1.0] * 8, unit=Unit.PERCENT, metric="used_capacity")
    assert "do not add up" in client.get("/v1/queues/root.x.y/outlook?parent=root.bi").json["detail"]


def test_the_page_has_a_form_for_it_that_needs_no_script(client: FlaskClient, services: Services, store: Store) -> None:
    keep_cluster(store)
    of_tree(services, store)
    page = client.get("/queues/root.etl.daily").text.partition('id="move"')[2]
    assert '<option value="root.bi">' in page
    assert '<option value="root.etl">' not in page
    told = client.get("/queues/root.etl.daily?parent=root.bi&capacity=30%25&days=30").text
    assert "Before and after the move" in told
    assert '<option value="root.bi" selected>' in told
    assert '<input type="hidden" name="days" value="30">' in told
    assert "105\u202fMB" in told  # of reports
    for asked, why in (
        ("capacity=500", "less than 500 MB"),
        ("capacity=much", "accepted is a number"),
        ("capacity=1&days=7", ""),
    ):
        assert why in client.get(f"/queues/root.etl.daily?parent=root.bi&{asked}").text
    assert "is not known" in client.get("/queues/root.etl.daily?parent=root.x").text

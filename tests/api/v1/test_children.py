"""The sum of a queue's children beside its own outlook: their paths drawn together, over those of the same run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from shared.domain.distribution import Paths
from shared.domain.forecasts import FROM_PARENT
from shared.domain.jobs import QueueState
from shared.domain.joint import Joint
from shared.domain.units import Unit
from shared.store import Store
from tests.api.families import HOURS, NOW, keep

OUTLOOK = "/v1/queues/root.etl/outlook"


def keep_family(store: Store) -> None:
    keep(store, "root.etl", *[100.0] * 8, guaranteed=100.0, maximum=130.0)
    keep(store, "root.etl.a", *[20.0] * 4, *[80.0] * 4, guaranteed=50.0)
    keep(store, "root.etl.b", *[30.0] * 4, *[60.0] * 4, guaranteed=40.0)


def test_a_parent_has_the_sum_of_its_children_beside_its_own_outlook(client: FlaskClient, store: Store) -> None:
    keep_family(store)
    keep(store, "root.etl.b.deep", *[900.0] * 8)
    told = client.get(OUTLOOK).json
    children = told["children"]
    assert (children["queues"], children["missing"], children["reason"]) == (["root.etl.a", "root.etl.b"], [], None)
    whole = children["now"]["whole"]
    assert (children["now"]["guaranteed"], children["then"]) == (100.0, None)
    assert whole["peak"]["q0.25"] == pytest.approx(50.0)  # of 50 and 140: low with low, high with high
    assert whole["peak"]["q0.75"] == pytest.approx(140.0)
    assert (whole["borrowing"]["likelihood"], whole["waiting"]["likelihood"]) == ("50 %", "50 %")
    assert (told["now"]["whole"]["borrowing"]["hours"], whole["borrowing"]["hours"]) == (0.0, 12.0)
    then = client.get(f"{OUTLOOK}?scale=0.5").json["children"]["then"]
    assert then["whole"]["peak"]["q0.75"] == pytest.approx(70.0)


def test_it_is_said_which_children_are_missing_and_why(client: FlaskClient, store: Store) -> None:
    keep_family(store)
    keep(store, "root.etl.c", 1.0, state=QueueState.FAILED)
    keep(store, "root.etl.d", *[1.0] * 8, unit=Unit.VCORES)
    keep(store, "root.etl.e", *[1.0] * 8)
    keep(store, "root.etl.e", *[1.0] * 8, job_id="job-2", created_at=NOW + timedelta(hours=1))
    keep(store, "root.etl.f", *[1.0] * 8, paths=Paths.of([[1.0] * HOURS] * 8, blocks=8))
    keep(store, "root.etl.g", *[1.0] * 8, model=FROM_PARENT)
    children = client.get(f"{OUTLOOK}?job_id=job-1").json["children"]
    assert children["queues"] == ["root.etl.a", "root.etl.b"]
    assert {each["queue"]: each["reason"].partition(":")[0].partition(",")[0] for each in children["missing"]} == {
        "root.etl.c": "this run has no forecast of it",
        "root.etl.d": "its values are counted in another unit",
        "root.etl.e": "its joint paths are not kept",
        "root.etl.f": "its paths are of an earlier release",
        "root.etl.g": "it is too new",
    }


def test_what_does_not_add_up_is_not_added(client: FlaskClient, store: Store) -> None:
    keep(store, "root.etl", *[50.0] * 8, unit=Unit.PERCENT, metric="used_capacity")
    assert client.get(OUTLOOK).json["children"] is None
    keep(store, "root.etl.a", *[50.0] * 8, unit=Unit.PERCENT, metric="used_capacity")
    children = client.get(OUTLOOK).json["children"]
    assert children["now"] is None
    assert "do not add up" in children["reason"]


def test_children_with_too_few_windows_in_common_are_not_added(client: FlaskClient, store: Store) -> None:
    keep_family(store)
    keep(store, "root.etl.c", *[1.0] * 3)
    children = client.get(OUTLOOK).json["children"]
    assert (children["now"], children["queues"]) == (None, [])
    assert children["reason"].endswith("3 windows in common, of which 7 are needed")


def test_the_sum_is_exactly_that_of_the_childrens_paths(store: Store) -> None:
    keep_family(store)
    parent = store.forecasts.with_paths(store.forecasts.newest_of_each("root.etl")[0])
    names = store.reports.queues(parent.job_id)[1:]
    assert names == ["root.etl.a", "root.etl.b"]
    joint = Joint.of(store.forecasts.beside(parent, names))
    each = [joint.rows_of(name) for name in names]
    assert [*map(list, joint.total())] == [[a + b for a, b in zip(*both, strict=True)] for both in zip(*each, strict=True)]
    assert [*map(list, joint.total(without="root.etl.b"))] == [[*row] for row in each[0]]


def test_the_page_has_both_side_by_side_and_says_what_is_missing(client: FlaskClient, store: Store) -> None:
    keep_family(store)
    keep(store, "root.etl.<c>", 1.0, state=QueueState.FAILED)
    page = client.get("/queues/root.etl").text
    assert "What its children add up to" in page
    assert "root.etl.&lt;c&gt;" in page
    assert 'href="/queues/root.etl.a?job_id=job-1"' in page
    assert "What its children add up to" not in client.get("/queues/root.etl.a").text

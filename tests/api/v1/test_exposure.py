"""What preemption may take, over HTTP: counted on siblings' paths where all are known, else on the queue's own."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from shared.domain.jobs import QueueState
from shared.domain.units import Unit
from shared.store import Store
from tests.api.families import BLOCKS, HOURS, keep, keep_cluster

OUTLOOK = "/v1/queues/root.etl.daily/outlook"


def test_only_what_siblings_leave_idle_may_be_taken(client: FlaskClient, store: Store) -> None:
    paths = keep_cluster(store)
    told = client.get(f"{OUTLOOK}?capacity=200&scale=1.5").json["exposure"]
    for side, guaranteed, scale in (("now", 300.0, 1.0), ("then", 200.0, 1.5)):
        by_hand = [
            scale * paths["root.etl.daily"][path][step] - guaranteed
            for path in range(len(BLOCKS))
            for step in range(HOURS)
            if scale * paths["root.etl.daily"][path][step] > guaranteed and paths["root.etl.hourly"][path][step] < 100.0
        ]
        assert (told[side]["counted_on"], told[side]["siblings"], told[side]["reason"]) == ("siblings", ["root.etl.hourly"], None)
        assert told[side]["exposed"]["amount"] == pytest.approx(sum(by_hand) / len(BLOCKS) / 1024)
        assert told[side]["exposed"]["hours"] == pytest.approx(len(by_hand) / len(BLOCKS))


def test_a_move_brings_other_siblings(client: FlaskClient, store: Store) -> None:
    keep_cluster(store)
    told = client.get(f"{OUTLOOK}?capacity=50&parent=root.bi").json["exposure"]
    assert told["now"]["siblings"] == ["root.etl.hourly"]
    assert told["then"]["siblings"] == ["root.bi.adhoc", "root.bi.reports"]


def test_where_siblings_are_not_all_known_all_that_is_lent_counts_and_it_is_said(client: FlaskClient, store: Store) -> None:
    keep_cluster(store)
    keep(store, "root.etl.new", 1.0, cluster="prod", state=QueueState.FAILED)
    answer = client.get(OUTLOOK).json
    now = answer["exposure"]["now"]
    assert (now["counted_on"], now["reason"]) == ("own", "the paths of some siblings are not known")
    assert [each["queue"] for each in now["missing"]] == ["root.etl.new"]
    assert now["exposed"]["amount"] == pytest.approx(answer["now"]["whole"]["lent"])
    keep(store, "root.bi.free", *[1.0] * 8, cluster="prod", guaranteed=None)
    assert "guaranteed is not known" in client.get("/v1/queues/root.bi.adhoc/outlook").json["exposure"]["now"]["reason"]


def test_of_a_queue_without_siblings_its_own_paths_count(client: FlaskClient, store: Store) -> None:
    keep_cluster(store)
    keep(store, "root", *[500.0] * 8, cluster="prod", guaranteed=600.0)
    reasons = {
        queue: client.get(f"/v1/queues/{queue}/outlook").json["exposure"]["now"]["reason"] for queue in ("root", "root.bi")
    }
    assert reasons == {"root": "it has no parent", "root.bi": None}
    keep(store, "alone.a", *[50.0] * 8, cluster="prod")
    assert client.get("/v1/queues/alone.a/outlook").json["exposure"]["now"]["reason"] == "no sibling of it is known"
    keep(store, "root.x", *[50.0] * 8, unit=Unit.PERCENT, metric="used_capacity")
    assert "do not add up" in client.get("/v1/queues/root.x/outlook").json["exposure"]["now"]["reason"]

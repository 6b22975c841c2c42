"""Trees, how they were configured and what of that has changed, held with every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.capacities import Capacity
from shared.domain.configuration_change import ConfigChange, as_configured
from shared.domain.queue_tree import Queue, QueueTree, Share
from shared.store import Store
from shared.store.trees import CONFIGURED, NEWEST, KeptTree
from tests.factories import MONDAY
from tests.worker.collect.cluster import a_tree

DAY = timedelta(days=1)
CHANGE = ConfigChange(
    cluster="prod",
    queue="root.etl",
    partition="default",
    changed_at=MONDAY,
    mode="percentage",
    capacity="60",
    maximum="100",
    weight=None,
    state="RUNNING",
    by="seen",
    before="40, maximum 100, RUNNING",
)


def test_the_newest_tree_of_each_cluster_is_kept_and_no_older_one_replaces_it(store: Store) -> None:
    assert store.trees.newest("prod") is None
    for used, at in ((1, MONDAY), (2, MONDAY + DAY), (3, MONDAY)):
        store.trees.put("prod", a_tree(used), at)
    store.trees.put("test", a_tree(9), MONDAY)
    assert store.trees.newest("prod") == KeptTree(cluster="prod", at=MONDAY + DAY, tree=a_tree(2))
    assert store.trees.clusters() == ["prod", "test"]
    assert store.trees.at("prod", MONDAY + DAY) is None


def test_a_tree_is_found_as_it_was_configured_at_a_moment_without_what_was_used(store: Store) -> None:
    for percent, days in ((60.0, 0), (50.0, 3), (50.0, 3)):
        store.trees.put("prod", a_tree(percent=percent), MONDAY + days * DAY, is_changed=True)
    assert store.trees.at("prod", MONDAY - DAY) is None
    assert store.trees.at("test", MONDAY) is None
    for days, percent, since in ((0, 60.0, 0), (2, 60.0, 0), (3, 50.0, 3), (9, 50.0, 3)):
        found = store.trees.at("prod", MONDAY + days * DAY)
        assert found == KeptTree(cluster="prod", at=MONDAY + since * DAY, tree=as_configured(a_tree(percent=percent)))
    (newest,) = store.retention.records.find(NEWEST)
    assert newest.at == MONDAY + 3 * DAY


def test_what_is_used_and_what_comes_and_goes_is_not_configured() -> None:
    user = Queue(path="root.etl.ada", is_dynamic=True)
    tree = a_tree()
    configured = as_configured(replace(tree, queues=(*tree.queues, user)))
    assert [queue.path for queue in configured.queues] == ["root", "root.etl", "root.adhoc"]
    share = configured.by_path["root.etl"].shares[0]
    assert (share.capacity, share.demand, share.used) == (Capacity.of_percent(60.0), None, None)
    busy = Queue(path="root", apps_active=3, users_active=2, shares=(Share(absolute_used_capacity=3.0),))
    assert as_configured(QueueTree(queues=(busy,))).root == Queue(path="root")


def test_changes_are_told_of_a_queue_a_partition_and_a_time_newest_first(store: Store) -> None:
    later = replace(CHANGE, changed_at=MONDAY + DAY, capacity="50", before=CHANGE.said)
    other = replace(CHANGE, queue="root.adhoc", partition="gpu", changed_at=MONDAY + 2 * DAY)
    for _ in range(2):
        store.changes.save([CHANGE, later, other, replace(CHANGE, cluster="test")])
    store.changes.save([])
    assert store.changes.of("prod") == [other, later, CHANGE]
    assert store.changes.of("prod", limit=1) == [other]
    assert store.changes.of("prod", "root.etl") == [later, CHANGE]
    assert store.changes.of("prod", partition="gpu") == [other]
    assert store.changes.of("prod", since=MONDAY + DAY) == [other, later]
    assert store.changes.of("prod", "root.etl", "default", until=MONDAY + DAY) == [CHANGE]
    assert later.before == "60, maximum 100, RUNNING"


def test_the_configuration_that_holds_stays_however_old_it_is(store: Store) -> None:
    for days in (0, 1, 5):
        store.trees.put("prod", a_tree(percent=50.0 + days), MONDAY + days * DAY, is_changed=True)
    store.trees.put("test", a_tree(), MONDAY, is_changed=True)
    assert [store.retention.forget(CONFIGURED, MONDAY + 4 * DAY, 9) for _ in range(2)] == [1, 0]
    held = store.trees.at("prod", MONDAY + 4 * DAY)
    assert held is not None
    assert held.at == MONDAY + DAY
    assert store.trees.at("test", MONDAY + 9 * DAY) is not None
    assert store.retention.forget(NEWEST, MONDAY + 4 * DAY, 9) == 1
    assert store.trees.clusters() == ["prod"]


def test_since_when_a_cluster_is_known_is_that_of_its_first_tree(store: Store) -> None:
    assert store.trees.since("prod") is None
    for days in (2, 0, 1):
        store.trees.put("prod", QueueTree(queues=(Queue(path="root"),)), MONDAY + timedelta(days=days), is_changed=True)
    assert (store.trees.since("prod"), store.trees.since("test")) == (MONDAY, None)

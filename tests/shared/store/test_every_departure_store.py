"""Queues that are gone from their cluster are told, with every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.aliases import Alias
from shared.domain.configuration_change import GONE
from shared.store import Store
from tests.api.a_cluster import a_change
from tests.factories import MONDAY
from tests.worker.collect.cluster import a_tree

MINUTE = timedelta(minutes=1)
OLD = a_change(queue="root.old", changed_at=MONDAY + 5 * MINUTE, state=GONE)
READ_AT = MONDAY + 10 * MINUTE
NAMES = ("root", "root.etl", "root.etl/*", "root.old", "root.ada", "etl")


def test_a_queue_that_the_newest_tree_does_not_have_is_gone(store: Store) -> None:
    assert store.departures.of("prod", NAMES) == {}
    store.trees.put("prod", a_tree(), READ_AT)
    store.changes.save([OLD])
    found = store.departures.of("prod", NAMES, read_since=MONDAY)
    assert {name: gone.words for name, gone in found.items()} == {
        "root.old": f"gone since {OLD.changed_at:%Y-%m-%d %H:%M} UTC",
        "root.ada": f"gone: the cluster did not have it when it was read, {READ_AT:%Y-%m-%d %H:%M} UTC",
    }
    assert store.departures.of("test", NAMES) == {}


def test_a_tree_that_is_older_tells_of_those_alone_that_were_seen_to_go(store: Store) -> None:
    store.trees.put("prod", a_tree(), READ_AT)
    store.changes.save([OLD])
    assert set(store.departures.of("prod", NAMES, read_since=READ_AT + MINUTE)) == {"root.old"}


def test_a_queue_that_was_renamed_and_is_gone_is_told_with_its_name_of_now(store: Store) -> None:
    store.trees.put("prod", a_tree(), READ_AT)
    store.aliases.add(Alias(cluster="prod", old="root.old", new="root.etl", renamed_at=None, stated_at=MONDAY, stated_by="ops"))
    gone = store.departures.of("prod", NAMES)["root.old"]
    assert (gone.renamed_to, gone.words) == ("root.etl", "renamed: it is root.etl now, which goes on from its history")


def test_what_went_later_was_there_at_an_earlier_moment(store: Store) -> None:
    back = replace(OLD, changed_at=MONDAY + 8 * MINUTE, state="RUNNING")
    store.changes.save([OLD, back])
    known = {
        minutes: store.departures.before("prod", "root.old", "default", MONDAY + minutes * MINUTE) is not None
        for minutes in (4, 5, 7, 8)
    }
    assert known == {4: False, 5: True, 7: True, 8: False}
    assert store.departures.before("prod", "root.old", "gpu", MONDAY + 6 * MINUTE) is None

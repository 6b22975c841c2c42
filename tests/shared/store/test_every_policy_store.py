"""Policies and the audit trail, held with every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.audits import AuditEntry
from shared.domain.policies import Group, Policy, QueueClass, QueueRule, Sight
from shared.store import Store
from tests.factories import MONDAY

RULE = QueueRule(queue="root.etl", queue_class=QueueClass.CRITICAL, floor=20.0, owners=("t1",))
OF_ROOT = Policy(cluster="prod", parent="root", queues=(RULE,), version=1, changed_at=MONDAY, changed_by="ops")
ENTRY = AuditEntry(
    entry_id="d1.approved", at=MONDAY, what="approved", cluster="prod", project="", subject="d1", who="t1", name="ops"
)


def test_what_holds_is_what_was_said_last_and_the_default_before(store: Store) -> None:
    default = store.policies.of(Group("", "prod", "root"))
    assert default == Policy(cluster="prod", parent="root")
    assert store.policies.replace(default, OF_ROOT)
    assert store.policies.of(Group("", "prod", "root")) == OF_ROOT
    assert store.policies.of(Group("", "prod", "root", "gpu")).version == 0
    assert store.policies.of(Group("", "test", "root")).version == 0


def test_who_has_read_a_policy_before_another_changed_it_changes_nothing(store: Store) -> None:
    default = store.policies.of(Group("", "prod", "root"))
    assert store.policies.replace(default, OF_ROOT)
    assert not store.policies.replace(default, replace(OF_ROOT, max_changes=1))
    second = replace(OF_ROOT, max_changes=2, version=2)
    assert store.policies.replace(OF_ROOT, second)
    assert not store.policies.replace(OF_ROOT, replace(OF_ROOT, max_changes=3))
    assert store.policies.of(Group("", "prod", "root")) == second
    assert not store.policies.replace(replace(second, cluster="gone"), replace(second, cluster="gone", max_changes=4))


def test_policies_are_found_by_clusters_and_of_queues_without_a_tree_by_projects(store: Store) -> None:
    of_others, mine = replace(OF_ROOT, cluster="test"), Policy(cluster="prod", parent="", project="web", version=1)
    theirs, nobodys = replace(mine, project="shop"), replace(mine, project="")
    for policy in (OF_ROOT, of_others, mine, theirs, nobodys):
        assert store.policies.replace(replace(policy, version=0, queues=()), policy)
    web = Sight(clusters=("prod",), projects=("web",))
    assert store.policies.find(web) == [mine, OF_ROOT]
    assert all(web.shows(policy.group) for policy in (mine, OF_ROOT))
    assert not any(web.shows(policy.group) for policy in (of_others, theirs, nobodys))
    assert store.policies.find(web, ("prod", "root")) == [OF_ROOT]
    assert store.policies.find(Sight(clusters=(), projects=())) == []
    assert len(store.policies.find(None)) == 5


def test_what_was_done_is_kept_once_in_the_order_of_time(store: Store) -> None:
    later = replace(ENTRY, entry_id="d1.exported", what="exported", at=MONDAY + timedelta(hours=1))
    other = replace(ENTRY, entry_id="d0.rejected", subject="d0", what="rejected")
    for entry in (later, ENTRY, other, replace(ENTRY, name="somebody else")):
        store.audits.add(entry)
    assert store.audits.of("d1") == [ENTRY, later]
    assert store.audits.between() == [other, ENTRY, later]
    assert store.audits.between(MONDAY + timedelta(minutes=1)) == [later]
    assert store.audits.between(None, MONDAY + timedelta(minutes=1), limit=1) == [other]

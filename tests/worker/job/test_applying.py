"""A decision is put into force once, whatever is lost, doubled, refused or killed on the way; against ResourceManagers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import urllib3

from deploy.fake_cluster import FakeCluster
from deploy.fake_rm import Fleet, running
from shared.config.settings import Settings
from shared.decisions import begin_applying, carry, make_known
from shared.domain.applying import ANSWERED, LOOKED, SETTLED
from shared.domain.policies import Freeze
from shared.domain.property_change import PropertyChange
from shared.domain.proposal_states import ProposalState
from shared.domain.proposals import Proposal, Step
from shared.drivers import yarn_changes
from shared.drivers.yarn import YarnCluster
from shared.drivers.yarn_changes import YarnChanges
from shared.errors import BrokerAway, ProposalForbids, ServiceError
from shared.yarn.fingerprint import fingerprint
from tests.decisions import a_proposal
from tests.factories import MONDAY
from tests.shared.yarn.trees import properties
from worker.job.applying import apply
from worker.job.resources import Resources

PREFIX = "yarn.scheduler.capacity.root"
BEFORE = properties(etl="60", bi="40")
PATCH = (
    PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5"),
    PropertyChange(queue="root.bi", key="capacity", before="40", after="44.5"),
)
APPROVED = Step(state=ProposalState.APPROVED, at=MONDAY, who="t1", name="ops")
APPLYING = Step(state=ProposalState.APPLYING, at=MONDAY, who="t2", name="sre", source="10.0.0.7")
NOW = MONDAY + timedelta(seconds=5)


@dataclass
class Scene:
    """A cluster of two ResourceManagers, and a proposal about it that is being applied."""

    fleet: Fleet
    resources: Resources
    proposal: Proposal

    def apply(self, now: datetime = NOW) -> Proposal:
        apply(self.resources, self.proposal.decision_id, now)
        return self.now

    @property
    def now(self) -> Proposal:
        return self.resources.store.proposals.get(self.proposal.decision_id)

    @property
    def capacity(self) -> str:
        return self.fleet.cluster.properties[f"{PREFIX}.etl.capacity"]

    @property
    def puts(self) -> int:
        return sum(json.loads(fake(url))["asked"].get("PUT scheduler-conf", 0) for url in self.fleet.urls)

    def begin(self, proposal: Proposal) -> None:
        make_known(self.resources.store, proposal)
        carry(self.resources.store, proposal.decision_id, APPROVED)
        begin_applying(self.resources.store, self.resources.settings, proposal.decision_id, APPLYING, lambda _: None)


def fake(url: str, **wanted: str) -> str:
    query = "".join(f"?{name}={value}" for name, value in wanted.items())
    return urllib3.request("POST" if wanted else "GET", f"{url}/fake{query}", retries=False).data.decode()


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with running(FakeCluster(BEFORE), [0, 0]) as fleet:
        yield fleet


@pytest.fixture
def scene(settings: Settings, fleet: Fleet) -> Iterator[Scene]:
    reading = {"kind": "yarn", "cluster": "prod", "addresses": fleet.urls}
    connections = {"prod": reading, "prod_apply": reading | {"may_apply": True}}
    own = Settings.model_validate(settings.model_dump(exclude={"connections"}) | {"connections": connections})
    tree = YarnCluster(fleet.urls).snapshot().tree
    resources = Resources(own)
    scene = Scene(fleet, resources, a_proposal(patch=PATCH, tree_hash=fingerprint(tree, "root", "")))
    scene.begin(scene.proposal)
    with closing(resources.store):
        yield scene


def test_what_is_approved_is_sent_once_and_seen(scene: Scene) -> None:
    now = scene.apply()
    assert (now.state, now.put_at, scene.capacity) == (ProposalState.SEEN, NOW, "55.5")
    tree = YarnCluster(scene.fleet.urls).snapshot().tree
    assert now.steps[-1] == Step(state=ProposalState.SEEN, at=NOW, tree_hash=fingerprint(tree, "root", ""))
    assert [entry.what for entry in scene.resources.store.audits.of(now.decision_id)] == [
        "proposed",
        "approved",
        "applying",
        "seen",
    ]
    assert scene.apply() == now
    assert scene.puts == 1


def test_a_doubled_message_sends_nothing_twice(scene: Scene) -> None:
    def one(_: int) -> None:
        with closing(Resources(scene.resources.settings).store):
            apply(Resources(scene.resources.settings), scene.proposal.decision_id, NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    assert (scene.apply(NOW + SETTLED).state, scene.puts) == (ProposalState.SEEN, 1)


def test_an_answer_that_is_lost_is_made_good_by_reading(scene: Scene) -> None:
    fake(scene.fleet.urls[0], misbehave="unanswered")
    assert (scene.apply().state, scene.capacity, scene.puts) == (ProposalState.SEEN, "55.5", 1)


def test_a_standby_is_passed_over(scene: Scene) -> None:
    scene.fleet.active = 2
    assert (scene.apply().state, scene.puts) == (ProposalState.SEEN, 1)


def changing(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object], after: Callable[[], object] = bool) -> None:
    """Have something done just before a change is sent, and just after it was answered."""
    change = YarnChanges.change

    def changed(self: YarnChanges, *about: object) -> None:
        before()
        change(self, *about)  # type: ignore[arg-type] # whatever is passed
        after()

    monkeypatch.setattr(YarnChanges, "change", changed)


def test_a_failover_in_between_changes_nothing_and_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, scene.fleet.fail_over)
    assert (scene.apply().state, scene.capacity) == (ProposalState.APPLYING, "60")
    later = scene.apply(NOW + SETTLED)
    assert (later.state, later.put_at, scene.puts) == (ProposalState.EXPORTED, None, 1)
    assert "shows nothing of it; it may be applied again" in later.steps[-1].reason


def test_what_came_to_nothing_may_be_applied_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as once:
        changing(once, scene.fleet.fail_over)
        scene.apply()
    again_at = NOW + SETTLED
    scene.apply(again_at)
    step = replace(APPLYING, at=again_at)
    begin_applying(scene.resources.store, scene.resources.settings, scene.proposal.decision_id, step, lambda _: None)
    assert (scene.apply(again_at).state, scene.capacity) == (ProposalState.SEEN, "55.5")


def test_what_the_cluster_refuses_has_failed_with_its_words(scene: Scene) -> None:
    broken = (replace(PATCH[0], after="99"), PATCH[1])
    scene.resources.store.proposals.change(scene.proposal.decision_id, lambda known: replace(known, patch=broken))
    now = scene.apply()
    assert (now.state, scene.capacity, scene.puts) == (ProposalState.FAILED, "60", 1)
    assert "Illegal capacity sum of 1.435 for children of queue root" in now.steps[-1].reason
    assert "nothing was changed" in now.steps[-1].reason


def other_hand(scene: Scene, **capacities: str) -> None:
    wanted = dict(scene.fleet.cluster.properties) | {f"{PREFIX}.{name}.capacity": text for name, text in capacities.items()}
    assert scene.fleet.cluster.changed(wanted, 0.0) is None


def test_what_somebody_has_changed_is_superseded_and_nothing_is_sent(scene: Scene) -> None:
    other_hand(scene, etl="70", bi="30")
    now = scene.apply()
    assert (now.state, scene.puts) == (ProposalState.SUPERSEDED, 0)
    assert now.steps[-1].reason == "nothing was sent: it was changed meanwhile: root.etl has capacity 70; root.bi has capacity 30"


def test_another_part_of_the_tree_that_has_changed_supersedes_it_too(scene: Scene) -> None:
    wanted = dict(scene.fleet.cluster.properties) | {f"{PREFIX}.bi.maximum-capacity": "50"}
    assert scene.fleet.cluster.changed(wanted, 0.0) is None
    now = scene.apply()
    assert (now.state, scene.puts) == (ProposalState.SUPERSEDED, 0)
    assert "a child of it is configured otherwise" in now.steps[-1].reason
    assert now.steps[-1].name == "queuecast"


def test_what_is_in_force_already_is_seen_and_nothing_is_sent(scene: Scene) -> None:
    other_hand(scene, etl="55.50", bi="44.5")
    now = scene.apply()
    assert (now.state, scene.puts, now.steps[-1].reason) == (
        ProposalState.SEEN,
        0,
        "it was in force already, and nothing was sent",
    )


def test_a_change_between_reading_and_sending_is_noticed_by_the_cluster(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, lambda: other_hand(scene, etl="70", bi="30"))
    now = scene.apply()
    assert (now.state, scene.capacity) == (ProposalState.FAILED, "70")
    assert "Precondition Failed; root.etl has capacity 70, not 55.5" in now.steps[-1].reason
    assert "inverse.xml" in now.steps[-1].reason


def test_applying_can_be_stopped_at_any_time(scene: Scene) -> None:
    scene.resources.settings = scene.resources.settings.model_copy(update={"apply": "off"})
    now = scene.apply()
    assert (now.state, now.put_at, scene.puts) == (ProposalState.EXPORTED, None, 0)
    assert "QUEUECAST_APPLY is off" in now.steps[-1].reason
    with pytest.raises(ProposalForbids, match="QUEUECAST_APPLY is off"):
        begin_applying(scene.resources.store, scene.resources.settings, now.decision_id, APPLYING, lambda _: None)


def test_nothing_is_applied_without_a_connection_for_it_in_a_freeze_or_too_late(scene: Scene) -> None:
    store, settings = scene.resources.store, scene.resources.settings
    carry(store, scene.proposal.decision_id, Step(state=ProposalState.EXPORTED, at=NOW))
    unable = settings.model_copy(update={"connections": {"prod": settings.connections["prod"]}})
    policy = store.policies.of(scene.proposal.group)
    for own, at, why in (
        (unable, NOW, "no connection may apply to the cluster prod"),
        (settings, scene.proposal.end_at, "it was for the time until"),
    ):
        with pytest.raises(ProposalForbids, match=why):
            begin_applying(store, own, scene.proposal.decision_id, replace(APPLYING, at=at), lambda _: None)
    freeze = Freeze(start_at=MONDAY, end_at=MONDAY + timedelta(hours=1), reason="end of year")
    assert store.policies.replace(policy, replace(policy, freezes=(freeze,), version=1))
    with pytest.raises(ProposalForbids, match="end of year"):
        begin_applying(store, settings, scene.proposal.decision_id, replace(APPLYING, at=NOW), lambda _: None)
    assert scene.puts == 0


def test_a_parent_is_changed_once_in_six_hours_and_a_cluster_three_times_a_day(scene: Scene) -> None:
    scene.apply()
    again = replace(a_proposal(at=MONDAY + timedelta(hours=1), patch=PATCH), end_at=MONDAY + timedelta(days=3))
    with pytest.raises(ProposalForbids, match="from 2026-01-05 06:00 UTC on"):
        scene.begin(again)
    for hour, parent in ((2, "root.a"), (3, "root.b")):
        sent = replace(a_proposal(parent=parent), state=ProposalState.SEEN, put_at=MONDAY + timedelta(hours=hour))
        scene.resources.store.proposals.add(sent)
    step = replace(APPLYING, at=MONDAY + timedelta(hours=8))
    with pytest.raises(ProposalForbids, match="changed 3 times in 24 h; accepted are 3, so from 2026-01-06 00:00 UTC on"):
        begin_applying(scene.resources.store, scene.resources.settings, again.decision_id, step, lambda _: None)


def test_two_of_one_parent_that_are_applied_at_once_are_not_both_sent(scene: Scene) -> None:
    other = replace(a_proposal(patch=PATCH, proposed_by="t9"), tree_hash=scene.proposal.tree_hash)
    scene.begin(other)
    scene.resources.store.proposals.change(other.decision_id, lambda known: replace(known, put_at=NOW))
    now = scene.apply()
    assert (now.state, now.put_at, scene.puts) == (ProposalState.EXPORTED, None, 0)
    assert "accepted is one change in 6 h" in now.steps[-1].reason


def killed(run: Callable[[], object]) -> None:
    """Run it in a process of its own, which does not live to end it."""
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            run()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_before_it_sends_leaves_nothing_sent(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    own = scene.resources.settings
    with monkeypatch.context() as once:
        changing(once, die)
        killed(lambda: apply(Resources(own), scene.proposal.decision_id, NOW))
    assert scene.now.put_at == NOW
    assert scene.apply(NOW + timedelta(seconds=30)).state is ProposalState.APPLYING
    assert (scene.apply(NOW + SETTLED).state, scene.puts, scene.capacity) == (ProposalState.EXPORTED, 0, "60")


def test_a_worker_that_dies_after_it_has_sent_is_replaced_by_one_that_reads(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = scene.resources.settings
    with monkeypatch.context() as once:
        changing(once, bool, die)
        killed(lambda: apply(Resources(own), scene.proposal.decision_id, NOW))
    assert scene.now.state is ProposalState.APPLYING
    assert (scene.apply(NOW + timedelta(seconds=30)).state, scene.puts) == (ProposalState.SEEN, 1)


def test_a_cluster_that_is_away_is_waited_for_and_then_given_up(scene: Scene) -> None:
    for url in scene.fleet.urls:
        fake(url, misbehave="gone")
    with pytest.raises(ServiceError):
        scene.apply()
    now = scene.apply(MONDAY + ANSWERED)
    assert (now.state, now.put_at) == (ProposalState.EXPORTED, None)
    assert now.steps[-1].reason == "nothing was sent: The source cannot be reached"


def test_what_was_sent_to_a_cluster_that_never_answers_again_has_failed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(monkeypatch, bool, lambda: [fake(url, misbehave="gone") for url in scene.fleet.urls])
    with pytest.raises(ServiceError):
        scene.apply()
    with pytest.raises(ServiceError):
        scene.apply(NOW + SETTLED)
    now = scene.apply(NOW + LOOKED)
    assert now.state is ProposalState.FAILED
    assert "nobody knows what became of it" in now.steps[-1].reason
    assert scene.fleet.urls[0].removeprefix("http://") not in now.steps[-1].reason


def test_a_cluster_whose_configuration_is_a_file_is_sent_nothing(scene: Scene) -> None:
    scene.fleet.has_store = False
    now = scene.apply()
    assert (now.state, scene.puts) == (ProposalState.EXPORTED, 0)
    assert now.steps[-1].reason.startswith("nothing was sent: ")


def test_a_broker_that_is_away_keeps_no_decision_from_being_applied_later(scene: Scene) -> None:
    store = scene.resources.store
    carry(store, scene.proposal.decision_id, Step(state=ProposalState.EXPORTED, at=NOW))

    def wake(_: str) -> None:
        raise BrokerAway

    begin_applying(store, scene.resources.settings, scene.proposal.decision_id, APPLYING, wake)
    assert scene.apply().state is ProposalState.SEEN


def test_a_change_is_tried_without_being_taken_up(scene: Scene) -> None:
    changes = scene.resources.settings.connections["prod_apply"].changes()  # type: ignore[attr-defined]
    assert isinstance(changes, yarn_changes.YarnChanges)
    assert changes.validate(b"<sched-conf></sched-conf>") == ""
    body = b'{"update-queue": [{"queue-name": "root.etl", "params": {"entry": [{"key": "capacity", "value": "99"}]}}]}'
    assert "Illegal capacity sum" in changes.validate(body)
    assert scene.capacity == "60"

"""Plans of several levels as decisions: what one counts on, and how the tree is configured once that is in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Capacity, Resources
from shared.domain.decision_requests import asked_by_hand, asked_by_job
from shared.domain.jobs import DataPlaces
from shared.domain.places import Place
from shared.domain.policies import Group
from shared.domain.proposals import Proposal
from shared.domain.queue_tree import Queue, QueueTree, Share, State, Totals
from shared.fleet.runstate import RunState
from shared.yarn.capacity_text import capacity_of
from shared.yarn.fingerprint import fingerprint
from tests.factories import a_request
from tests.worker.job.decided import MB, NOW, ended_job, keep_queue
from worker.job.deciding import decide
from worker.job.resources import Resources as Held
from worker.job.resources import use

TOTAL = Resources(memory_mb=1_000 * 1_024, vcores=1_000)
MEANS = {"root.a.q1": 340.0, "root.a.q2": 120.0, "root.b.q1": 90.0, "root.b.q2": 90.0}


def a_queue(path: str, percent: float, part: int, *, is_leaf: bool) -> Queue:
    has = Resources(memory_mb=TOTAL.memory_mb // part, vcores=TOTAL.vcores // part)
    share = Share(capacity=Capacity.of_percent(percent), guaranteed=has, ceiling=TOTAL)
    return Queue(path=path, is_leaf=is_leaf, shares=(share,), state=State.RUNNING)


TREE = QueueTree(
    queues=(
        a_queue("root", 100.0, 1, is_leaf=False),
        *(a_queue(path, 50.0, 2, is_leaf=False) for path in ("root.a", "root.b")),
        *(a_queue(path, 50.0, 4, is_leaf=True) for path in MEANS),
    ),
    totals=Totals(total=TOTAL),
)


@pytest.fixture
def here(settings: Settings, run_state: RunState, tmp_path: Path) -> Iterator[Held]:
    yarn = YarnConnection(cluster="prod", addresses=("http://127.0.0.1:9",), samples="lake")
    connections = {"prod": yarn, "lake": FilesConnection(path=tmp_path)}
    with use(Held(settings.model_copy(update={"connections": connections}))) as given:
        given.store.trees.put("prod", TREE, NOW)
        for seed, (path, mean) in enumerate(MEANS.items()):
            keep_queue(given.store, path, mean * MB, 1.0, seed=seed, metric="demand_memory_mb", cluster="prod", where="")
        yield given
        given.store.close()


def ended(here: Held) -> str:
    """The request of a job that has forecast them all."""
    data = DataPlaces(source=Place(name="prod"), destination=Place(name="files"))
    meant = {"target": "demand_memory_mb", "cluster": "prod", "project": "capacity forecasting"}
    job = ended_job(here.store, request=a_request(data=data, job_name="Resource Forecasting", **meant))
    return asked_by_job(job, NOW).decision_id


def in_force(proposal: Proposal) -> QueueTree:
    """The tree as a cluster tells it once somebody has put a proposal's texts into force."""
    texts = {change.queue: change.after for change in proposal.patch if change.key == "capacity"}

    def now(queue: Queue) -> Queue:
        if queue.path not in texts:
            return queue
        return replace(queue, shares=(replace(queue.shares[0], capacity=capacity_of(texts[queue.path])),))

    return replace(TREE, queues=tuple(map(now, TREE.queues)))


def test_a_decision_is_of_the_tree_with_that_in_force_which_it_counts_on(here: Held) -> None:
    decide(here, ended(here), NOW)
    made = {proposal.parent: proposal for proposal in here.store.proposals.find()}
    root, child = made["root"], made["root.a"]
    assert root.patch
    assert child.patch
    assert (root.follows, child.follows) == (None, root.decision_id)
    assert child.tree_hash == fingerprint(in_force(root), "root.a", "")
    assert child.tree_hash != fingerprint(TREE, "root.a", "")
    assert root.tree_hash == fingerprint(TREE, "root", "")
    assert child.because[-1] == f"Amounts are those once {root.decision_id} is in force."


def test_what_is_asked_for_by_hand_counts_on_no_decision_that_nobody_has_made(here: Held) -> None:
    ended(here)
    asked = asked_by_hand(Group("", "prod", "root.a"), NOW, "t1", "ops")
    here.store.decision_requests.add(asked)
    decide(here, asked.decision_id, NOW)
    [made] = here.store.proposals.find()
    assert (made.decision_id, made.follows) == (asked.decision_id, None)
    assert made.tree_hash == fingerprint(TREE, "root.a", "")

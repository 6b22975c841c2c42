"""What happens in two days to a cluster and its collector, and whether all of it was kept as it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from math import isclose

from shared.domain.collected import ClusterSample, QueueSample
from shared.domain.configuration_change import GONE, ConfigChange
from tests.worker.collect.moved_clock import Days, entry
from worker.collect.rollups import beginning_of
from worker.collect.tables import CLUSTER, CONFIG, QUEUES, ROLLUPS, Rollup

GOES, GROWS = "root.archive", "root.finance"  # a queue that is deleted, and the one that has its capacity meanwhile
LOST_NODES = 24
KINDS = ("demand", "used", "reserved", "pending", "guaranteed", "maximum")
RESOURCES = tuple(f"{kind}_{unit}" for kind in KINDS for unit in ("memory_mb", "vcores"))
Away = Callable[[], AbstractContextManager[None]]


def two_days(days: Days, away: Away) -> None:
    """Let them pass; in `away` the sink takes nothing."""
    _first_day(days)
    _second_day(days, away)


def _first_day(days: Days) -> None:
    days.until(5)
    days.put(active="none")
    days.happens("nobody is active")
    days.until(5.5, is_answered=False)
    days.put(active=2)
    days.happens("the other is active")
    days.until(9)
    days.until(9.2, step=timedelta(seconds=30))
    days.happens("capacity")
    days.configure(update_queue=[entry("root.adhoc", capacity=7.54), entry("root.llap", capacity=21.31, maximum_capacity=25)])
    days.until(12)
    days.happens("nodes are lost")
    days.put(lost_nodes=LOST_NODES)
    days.until(14)
    days.put(lost_nodes=0)
    days.happens("nodes are back")
    days.until(15.1)
    days.restart()
    days.until(18)
    days.happens("stopped")
    days.configure(update_queue=[entry(GOES, state="STOPPED")])
    days.until(18.5)
    days.happens("deleted")
    days.configure(remove_queue=[GOES], update_queue=[entry(GROWS, capacity=4.8)])


def _second_day(days: Days, away: Away) -> None:
    days.until(23.95)
    with away():
        days.happens("sink away")
        days.until(24.3)
        days.configure(update_queue=[entry(GROWS, maximum_capacity=7)])
        days.happens("changed while away")
        days.until(24.6)
    days.happens("sink back")
    days.until(27)
    days.happens("made again")
    days.configure(add_queue=[entry(GOES, capacity=1.92)], update_queue=[entry(GROWS, capacity=2.88)])
    days.until(30)
    days.watches.append(days.new_watch())
    days.until(31)
    days.watches.pop()
    days.until(36)
    days.happens("nobody collects")
    days.clock.at += timedelta(hours=2)
    days.restart()
    days.happens("somebody collects")
    days.until(40)
    for fault in ("garbage", "cut", "elsewhere", "gone", "broken"):
        days.put(2, misbehave=fault)
        days.look(is_answered=False)
        days.clock.at += days.step
    days.put(2, misbehave="none")
    days.until(48)


def assert_all_was_kept(days: Days) -> None:
    """Each sample that could be had, once, as it was; none between; and five minutes that are what their samples are."""
    kept, seen = (sorted(rows, key=_key) for rows in (days.kept(QUEUES, QueueSample), days.seen))
    assert list(map(_key, kept)) == list(map(_key, seen))
    for name in RESOURCES:
        assert [getattr(row, name) for row in kept] == [getattr(row, name) for row in seen], name
    assert {row.timestamp for row in days.kept(CLUSTER, ClusterSample)} == {row.timestamp for row in seen}
    _assert_whole(kept, days.kept(ROLLUPS, Rollup))


def _assert_whole(samples: list[QueueSample], together: list[Rollup]) -> None:
    """Every five minutes that are over have a row for each queue, with all its samples, and these add up to what it says."""
    own: dict[tuple[object, ...], list[QueueSample]] = defaultdict(list)
    for sample in samples:
        if sample.timestamp < beginning_of(samples[-1].timestamp):
            own[sample.queue, sample.partition, beginning_of(sample.timestamp)].append(sample)
    rows = {(row.queue, row.partition, row.timestamp): row for row in together}
    assert len(rows) == len(together)
    assert rows.keys() == own.keys()
    for key, row in rows.items():
        assert row.samples == len(own[key]), key
        for name in RESOURCES:
            told = [value for sample in own[key] if (value := getattr(sample, name)) is not None]
            mean = getattr(row, name, None)
            assert name not in row.__slots__ or (told == [] and mean is None) or isclose(mean * len(told), sum(told)), (key, name)


def assert_gaps_are_no_zeros(days: Days) -> None:
    """Neither of a cluster without an answer nor of a queue that is stopped or gone."""
    times, own = days.times, [row for row in days.kept(QUEUES, QueueSample) if row.queue == GOES]
    moments = {row.timestamp for row in days.seen}
    for begin, end in (("nobody is active", "the other is active"), ("nobody collects", "somebody collects")):
        assert not [moment for moment in moments if times[begin] <= moment < times[end]]
    stopped = [row for row in own if times["stopped"] <= row.timestamp < times["deleted"]]
    assert stopped
    assert {(row.is_running, row.demand_memory_mb, row.used_memory_mb, row.apps_active) for row in stopped} == {
        (0, None, None, None)
    }
    assert all(row.guaranteed_memory_mb for row in stopped)
    assert not [row for row in own if times["deleted"] <= row.timestamp < times["made again"]]
    assert [row for row in own if row.timestamp >= times["made again"] and row.demand_memory_mb]


def assert_changes_are_told(days: Days) -> None:
    """Each once, with its time and what was before, also where the sink was away."""
    rows, times = days.kept(CONFIG, ConfigChange), days.times
    told = {(row.changed_at, row.queue, row.before, row.said) for row in rows if row.before}
    assert told == {
        (times["capacity"], "root.adhoc", "11.54, maximum 34.62, RUNNING", "7.54, maximum 34.62, RUNNING"),
        (times["capacity"], "root.llap", "17.31, maximum 17.31, RUNNING", "21.31, maximum 25, RUNNING"),
        (times["stopped"], GOES, "1.92, maximum 3.84, RUNNING", "1.92, maximum 3.84, STOPPED"),
        (times["deleted"], GOES, "1.92, maximum 3.84, STOPPED", f"1.92, maximum 3.84, {GONE}"),
        (times["deleted"], GROWS, "2.88, maximum 5.76, RUNNING", "4.8, maximum 5.76, RUNNING"),
        (times["changed while away"], GROWS, "4.8, maximum 5.76, RUNNING", "4.8, maximum 7, RUNNING"),
        (times["made again"], GOES, f"1.92, maximum 3.84, {GONE}", "1.92, maximum 100, RUNNING"),
        (times["made again"], GROWS, "4.8, maximum 7, RUNNING", "2.88, maximum 7, RUNNING"),
    }
    assert len([row for row in rows if not row.before]) == len({row.queue for row in rows})


def assert_lost_nodes_change_limits_alone(days: Days) -> None:
    """Guarantee and ceiling step when nodes are lost and when they are back; what is wanted goes on as it would have."""
    times, cluster, clock = days.times, days.cluster, days.clock
    rows = {(row.queue, row.timestamp): row for row in days.kept(QUEUES, QueueSample)}
    for name in ("nodes are lost", "nodes are back"):
        at = times[name]
        before = max(moment for _, moment in rows if moment < at)
        queues = [queue for queue, moment in rows if moment == at and queue != "root" and not queue.endswith("/*")]
        fixed = [queue for queue in queues if (queue, before) in rows and not queue.startswith("root.sandbox.")]
        few, many = (at, before) if name == "nodes are lost" else (before, at)
        for queue in fixed:
            less, more = rows[queue, few], rows[queue, many]
            assert (less.guaranteed_memory_mb or 0) < (more.guaranteed_memory_mb or 0), queue
            assert (less.maximum_memory_mb or 0) < (more.maximum_memory_mb or 0), queue
    clock.at, cluster.lost_nodes = times["nodes are lost"], 0
    whole = {queue.path: share for queue in cluster.tree().queues if queue.is_leaf for share in queue.shares}
    for path, share in whole.items():
        if (row := rows.get((path, clock.at))) is not None and share.demand is not None and path != GOES:
            assert row.demand_memory_mb == share.demand.memory_mb, path


def _key(row: QueueSample) -> tuple[object, ...]:
    return row.timestamp, row.queue, row.partition

"""Days of a made-up cluster: its ResourceManagers answer over HTTP, a collector looks at them, and its clock is moved on.

What the cluster was at each look that was answered is known, so that what was kept can be compared with it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import urllib3
from pydantic import PrivateAttr

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet, running
from shared.connections.yarn import YarnConnection
from shared.domain.collected import QueueSample
from shared.domain.queue_tree import QueueTree
from shared.drivers.yarn import Snapshot, YarnCluster
from shared.fleet.runstate import RunState
from shared.store import Store
from worker.collect.keeping import FIRST, Keeping
from worker.collect.sampler import queue_samples
from worker.collect.sinks.base import SampleSink
from worker.collect.tables import Table
from worker.collect.watch import Outcome, Watch

CLUSTER = "prod"
RowT = TypeVar("RowT")


@dataclass
class Clock:
    """What time it is for the cluster and whoever looks at it."""

    at: datetime


class MovedCluster(FakeCluster):
    """As it is by another clock than the machine's."""

    def __init__(self, clock: Clock, queues: int) -> None:
        super().__init__(simulated(queues))
        self.clock = clock

    def tree(self, now: float = 0.0) -> QueueTree:
        """At the time of the clock."""
        return super().tree(self.clock.at.timestamp())


class MovedManagers(YarnCluster):
    """Asked as ever. A pause after a failure is over with the next look."""

    clock: Clock

    def snapshot(self) -> Snapshot:
        """With the time of the clock."""
        self._rests_until = 0.0
        return replace(super().snapshot(), at=self.clock.at)


class MovedConnection(YarnConnection):
    """To such ResourceManagers."""

    _clock: Clock = PrivateAttr()

    def resource_managers(self) -> YarnCluster:
        """With the clock."""
        managers = MovedManagers(self.addresses)
        managers.clock = self._clock
        return managers


@dataclass
class Days:
    """A cluster with two ResourceManagers, and one collector or several that look at it."""

    clock: Clock
    cluster: MovedCluster
    fleet: Fleet
    sink: SampleSink
    store: Store
    run_state: RunState
    begin: datetime
    step: timedelta
    watches: list[Watch] = field(default_factory=list)
    seen: list[QueueSample] = field(default_factory=list)  # what there was to be seen at each look that was answered
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    times: dict[str, datetime] = field(default_factory=dict)  # of what happened

    def new_watch(self) -> Watch:
        """A collector that has just been started."""
        connection = MovedConnection(cluster=CLUSTER, addresses=tuple(self.fleet.urls), keep_samples="forever")
        connection._clock = self.clock
        keeping = Keeping(connection, self.sink, self.store)
        return Watch("hadoop", connection, keeping, self.run_state, threading.Event())

    def restart(self) -> None:
        """Whoever looks is killed, and others begin."""
        self.watches = [self.new_watch() for _ in self.watches]

    def look(self, *, is_answered: bool = True) -> None:
        """All look at this moment, and then it is over."""
        for watch in self.watches:
            self.run_state.client.delete(f"asked:{CLUSTER}")  # ten seconds later
            self.outcomes[watch.look()] += 1
        if is_answered:
            self.seen += queue_samples(self.cluster.tree(), CLUSTER, self.clock.at)

    def until(self, hours: float, *, step: timedelta | None = None, is_answered: bool = True) -> None:
        """Look every so often up to so many hours after the beginning."""
        while self.clock.at < self.begin + timedelta(hours=hours):
            self.look(is_answered=is_answered)
            self.clock.at += step or self.step

    def happens(self, name: str) -> None:
        """Something does, now."""
        self.times[name] = self.clock.at

    def put(self, number: int = 1, **wanted: object) -> None:
        """Change how things are, at the ResourceManager of this number."""
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        answer = urllib3.request("POST", f"{self.fleet.urls[number - 1]}/fake?{query}", retries=False)
        assert answer.status == 200, answer.data

    def configure(self, **mutation: object) -> None:
        """Change the configuration as an administrator does, at the one that is active."""
        url = f"{self.fleet.urls[(self.fleet.active or 1) - 1]}/ws/v1/cluster/scheduler-conf"
        told = {name.replace("_", "-"): value for name, value in mutation.items()}
        answer = urllib3.request("PUT", url, json=told, retries=False)
        assert answer.status == 200, answer.data

    def kept(self, table: Table, kind: type[RowT]) -> list[RowT]:
        """All rows that the sink has."""
        rows = self.sink.read(table, CLUSTER, FIRST, self.clock.at + timedelta(days=1))
        return [row for row in rows if isinstance(row, kind)]


def entry(queue: str, **params: object) -> dict[str, object]:
    """What of a queue is to be changed."""
    entries = [{"key": key.replace("_", "-"), "value": str(value)} for key, value in params.items()]
    return {"queue-name": queue, "params": {"entry": entries}}


@contextmanager
def days(begin: datetime, step: timedelta, sink: SampleSink, store: Store, run_state: RunState) -> Iterator[Days]:
    """From this moment on, with one collector that looks every `step`."""
    clock = Clock(at=begin)
    cluster = MovedCluster(clock, queues=12)
    with running(cluster, [0, 0]) as fleet:
        made = Days(clock, cluster, fleet, sink, store, run_state, begin, step)
        made.watches.append(made.new_watch())
        yield made

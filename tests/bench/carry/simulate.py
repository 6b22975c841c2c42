"""A job's way through a fleet as discrete events: slots, one broker, one store, the reaper; our rules of who is let in, and when.

Each task holds a slot while the broker is asked, it computes, the store writes and the broker is told. Broker and SQLite do one
thing after the other; what processes cost that have nothing to do makes the broker that much slower.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from shared.domain.lanes import Lane
from shared.domain.search_space import candidates_of
from shared.fleet.runstate.values import Room
from tests.bench.carry.costs import Costs
from tests.factories import a_request
from worker.job.catalogue import model_cards
from worker.job.concurrency import room
from worker.reaper.reaper import PERIOD_SECONDS

SLOTS = 8  # of a process
JOBS = 10  # that the queues are spread over, each of a project of its own
POLLED_SECONDS = 5.0  # whoever waits for a job asks so often in the end
ORDER = (Lane.SELECT, Lane.PLAN, Lane.SCORE)  # the lanes of a worker


@dataclass
class Single:
    """What does one thing after the other, at this part of its speed."""

    speed: float = 1.0
    free_at: float = 0.0
    busy: float = 0.0

    def serve(self, now: float, milliseconds: float) -> float:
        """When it has done so much more."""
        seconds = milliseconds / 1e3 / self.speed
        self.free_at = max(self.free_at, now) + seconds
        self.busy += seconds
        return self.free_at


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of a fleet that has done so many queues: shares of the time, rates a second, the longest look of the reaper in seconds."""

    queues: int
    workers: int
    seconds: float
    slots: float
    broker: float
    store: float
    commands: float
    messages: float
    rows: float
    polls: float
    api: float
    look: float
    megabytes: float

    @property
    def wall(self) -> str:
        """What is used up first; workers are what one wants to be used up."""
        used = {"broker": self.broker, "store": self.store, "reaper": self.look / (self.look + PERIOD_SECONDS), "API": self.api}
        worst = max(used, key=used.__getitem__)
        if self.slots >= ENOUGH or max(used.values()) < self.slots:
            return "workers" if self.slots >= ENOUGH else "window"
        return worst


ENOUGH = 0.85


@dataclass
class Queue:
    """One of a job, and how many of its blocks are still to be scored."""

    job: int
    blocks_left: int


@dataclass
class Fleet:
    """So many workers, which are slots of processes, with so many queues to do, told what everything costs."""

    costs: Costs
    queues: int
    workers: int
    store_ms: float
    jobs: int = JOBS
    planned: int = 0
    now: float = 0.0
    ended: int = 0
    computed: float = 0.0
    look: float = 0.0
    most_running: int = 0
    broker: Single = field(default_factory=Single)
    store: Single = field(default_factory=Single)
    to_come: list[int] = field(default_factory=list)
    running: list[int] = field(default_factory=list)
    lanes: dict[Lane, deque[Queue]] = field(default_factory=lambda: {lane: deque() for lane in ORDER})
    events: list[tuple[float, int, Iterator[float]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        idle = self.processes * self.costs.idle_ms / 1e3
        self.broker.speed = max(0.01, 1.0 - idle)
        self.planned = self.planned or len(candidates_of(a_request(model="auto"), model_cards()))
        self.room: Room = room({Lane.SCORE.value: self.workers})
        self.free = self.workers
        self.to_come = [self.queues // self.jobs] * self.jobs
        self.running = [0] * self.jobs

    @property
    def processes(self) -> int:
        """Those that the workers' slots are in."""
        return -(-self.workers // SLOTS)

    def run(self) -> Outcome:
        """All of it."""
        self.begin(self.reaper())
        self.let_in()
        while any(self.to_come) or any(self.running):
            self.now, _, process = heapq.heappop(self.events)
            self.go_on(process)
        return self.outcome()

    def begin(self, process: Iterator[float]) -> None:
        self.go_on(process)

    def go_on(self, process: Iterator[float]) -> None:
        """Up to the next moment that it waits for."""
        until = next(process, None)
        if until is not None:
            heapq.heappush(self.events, (until, next(self.numbers), process))

    def let_in(self) -> None:
        """As `let_in` of scripts.lua, for jobs of one lane: projects in turn, those of which none runs even without room."""
        while True:
            job = self.whose_turn()
            if job is None:
                return
            self.to_come[job] -= 1
            self.running[job] += 1
            self.lanes[Lane.PLAN].append(Queue(job, self.costs.blocks))
            self.most_running = max(self.most_running, sum(self.running))
            self.take()

    def whose_turn(self) -> int | None:
        """The job that has fewest queues inside, of those that wait, while there is room."""
        inside = sum(self.running)
        tasks, its = inside * self.planned, self.room
        is_open = inside < its.always or (inside < its.few and tasks < its.few_tasks) or tasks < its.score_tasks
        waiting = [job for job in range(self.jobs) if self.to_come[job] and (is_open or not self.running[job])]
        return min(waiting, key=self.running.__getitem__, default=None)

    def take(self) -> None:
        """Free slots take what waits, from the first lane that has something."""
        while self.free:
            lane = next((lane for lane in ORDER if self.lanes[lane]), None)
            if lane is None:
                return
            self.free -= 1
            self.begin(self.task(lane, self.lanes[lane].popleft()))

    def task(self, lane: Lane, queue: Queue) -> Iterator[float]:
        """One task, from the moment in which a slot takes it."""
        costs = self.costs
        asked = costs.broker_ms / (costs.blocks + 2) / 2
        ingest, score, select = (share * costs.worker_seconds for share in costs.shares)
        computing = {Lane.PLAN: ingest, Lane.SCORE: score / costs.blocks, Lane.SELECT: select}[lane]
        yield self.broker.serve(self.now, asked)
        self.computed += computing
        yield self.now + computing
        if lane is not Lane.SCORE:
            yield self.store.serve(self.now, self.store_ms / 2)
        yield self.broker.serve(self.now, asked)
        if lane is Lane.PLAN:
            self.lanes[Lane.SCORE].extend(queue for _ in range(costs.blocks))
        elif lane is Lane.SCORE:
            queue.blocks_left -= 1
            if not queue.blocks_left:
                self.lanes[Lane.SELECT].append(queue)
        else:
            yield self.broker.serve(self.now, costs.let_in_ms * self.open_jobs())
            self.running[queue.job] -= 1
            self.ended += 1
            self.let_in()
        self.free += 1
        self.take()

    def open_jobs(self) -> int:
        return sum(1 for job in range(self.jobs) if self.to_come[job] or self.running[job])

    def reaper(self) -> Iterator[float]:
        """Look, rest, look again: at all names of the jobs that are open, and at each queue that runs."""
        while True:
            began, costs = self.now, self.costs
            named, running = self.open_jobs() * (self.queues // self.jobs), sum(self.running)
            yield self.broker.serve(self.now, named * costs.named_ms + running * costs.running_ms / 2)
            yield self.now + (named * costs.look_ms + running * costs.running_ms / 2) / 1e3
            self.look = max(self.look, self.now - began)
            yield self.now + PERIOD_SECONDS

    def outcome(self) -> Outcome:
        costs, rate, polls = self.costs, self.queues / self.now, self.jobs / POLLED_SECONDS
        idle = self.processes * costs.idle_commands
        return Outcome(
            queues=self.queues,
            workers=self.workers,
            seconds=self.now,
            slots=self.computed / self.now / self.workers,
            broker=self.broker.busy * self.broker.speed / self.now + 1.0 - self.broker.speed,
            store=self.store.busy / self.now,
            commands=costs.commands * rate + idle,
            messages=costs.messages * rate,
            rows=costs.rows * rate,
            polls=polls,
            api=polls * costs.poll_ms * self.queues / self.jobs / 1e3,
            look=self.look,
            megabytes=(self.most_running * costs.queue_kb + self.queues * costs.name_kb) / 1e3,
        )

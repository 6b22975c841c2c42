"""Measures on this machine what the simulation is told. CPU seconds wherever there are any; a few minutes."""

from __future__ import annotations

import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import psutil
import redis

from shared.domain.jobs import QueueState
from shared.domain.reports import Point
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from shared.store import Store, open_store
from tests.bench.carry.costs import Costs
from tests.bench.fleet.figures import meanwhile
from tests.bench.fleet.stage import Stage, broker, request_of, stage_over, write_table
from tests.factories import MONDAY, a_forecast, a_load, a_report, a_request, a_score
from tests.servers import MongoServer
from worker.job.concurrency import FEW_QUEUES, fill

FEW, MANY = 10, 40  # queues of the jobs whose difference is the price of a queue
NAMED, RUNNING, OPEN_JOBS = 10_000, 100, 50
STORED, CANDIDATES, WINDOWS = 100, 20, 14  # queues, and what `auto` tries on each
ENDED = re.compile(r"Task queuecast\.(ingest|score|select)\[[^]]*\] succeeded in ([0-9.]+)s")


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Commands and CPU seconds of the broker, messages, CPU seconds of the workers."""

    commands: float
    broker: float
    messages: float
    worker: float

    def times(self, seconds: float) -> Spent:
        """So much of it."""
        return Spent(**{name: value * seconds for name, value in asdict(self).items()})

    def less(self, other: Spent, by: float = 1.0) -> Spent:
        """What there is more than in the other, divided."""
        theirs = asdict(other)
        return Spent(**{name: (value - theirs[name]) / by for name, value in asdict(self).items()})


def measure() -> Costs:
    """All of them, on fleets and servers of its own."""
    with stage_over(write_table, MANY) as here:
        idle = idleness(here)
        few = spent_on(here, FEW, idle)
        client = redis_client(redis_server(here.settings).run_state, is_patient=True)
        empty, seen = memory_of(client), [0.0]
        with meanwhile(lambda: seen.append(memory_of(client)), 0.05):
            many = spent_on(here, MANY, idle)
        each = many.less(few, MANY - FEW)
        here.worker.terminate()
        here.worker.wait(60)
        without = _of_the_reaper(client)
        seconds = _seconds_of_tasks((here.settings.data_dir / "fleet.log").read_text())
    ingest, score, select = (sum(seconds[name]) for name in ("ingest", "score", "select"))
    whole = ingest + score + select
    return Costs(
        blocks=max(1, round(len(seconds["score"]) / len(seconds["select"]))),
        worker_seconds=each.worker,
        shares=(ingest / whole, score / whole, select / whole),
        broker_ms=1e3 * each.broker,
        commands=each.commands,
        messages=each.messages,
        idle_ms=max(0.0, 1e3 * (idle.broker - without.broker)),
        idle_commands=max(0.0, idle.commands - without.commands),
        queue_kb=(max(seen) - empty) / 1e3 / min(MANY, FEW_QUEUES),
        **_of_the_run_state(),
        **_of_the_stores(),
    )


def spent_on(here: Stage, queues: int, idle: Spent) -> Spent:
    """A job of `auto` over so many queues, less what the same time costs when idle."""
    before, began = spent(here), time.monotonic()
    here.run(model="auto", queues=tuple(f"root.q{number:04d}" for number in range(queues)), data=request_of("quick", 1)["data"])
    return spent(here).less(before).less(idle.times(time.monotonic() - began))


def spent(here: Stage) -> Spent:
    """Since the start."""
    client = redis_client(redis_server(here.settings).run_state, is_patient=True)
    calls = commands_of(client)
    return Spent(commands=sum(calls.values()), broker=cpu_of(client), messages=calls.get("lpush", 0), worker=here.worker_cpu())


def commands_of(client: redis.Redis) -> dict[str, int]:
    """Command → how often, by the broker's own word."""
    said = cast("Mapping[str, Mapping[str, int]]", client.info("commandstats"))
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in said.items()}


def cpu_of(client: redis.Redis) -> float:
    """CPU seconds of the broker."""
    said = cast("Mapping[str, float]", client.info("cpu"))
    return said["used_cpu_user"] + said["used_cpu_sys"]


def idleness(here: Stage, seconds: float = 10.0) -> Spent:
    before = spent(here)
    time.sleep(seconds)  # no wait for anything: the time over which idleness is measured
    return spent(here).less(before, seconds)


def _of_the_reaper(client: redis.Redis, seconds: float = 10.0) -> Spent:
    """Of the broker a second, once the workers have gone."""
    before, cpu = sum(commands_of(client).values()), cpu_of(client)
    time.sleep(seconds)  # no wait for anything, likewise
    commands = (sum(commands_of(client).values()) - before) / seconds
    return Spent(commands=commands, broker=(cpu_of(client) - cpu) / seconds, messages=0, worker=0)


def _seconds_of_tasks(log: str) -> Mapping[str, Sequence[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    auto = log[log.rindex("job planned") :]  # the last and largest job
    for name, seconds in ENDED.findall(auto):
        found[name].append(float(seconds))
    return found


def _of_the_run_state() -> dict[str, float]:
    """What grows with the queues of a job, with those that run, and with the jobs that are open."""
    far = datetime.now(UTC) + timedelta(days=1)
    with broker() as settings:
        run_state = RunState.open(settings, is_patient=True)
        client, names = run_state.client, [f"root.q{number:05d}" for number in range(NAMED)]
        alone, _ = _price(client, lambda: fill(run_state))
        for number in range(OPEN_JOBS):
            run_state.begin_job(f"open-{number}", far)
            run_state.name_queues(f"open-{number}", ["a", "b", "c", "d"], MONDAY, planned=100, project=str(number))
        fill(run_state)
        let_in = (_price(client, lambda: fill(run_state))[0] - alone) / OPEN_JOBS
        client.flushdb()
        empty = memory_of(client)
        run_state.begin_job("big", far)
        run_state.name_queues("big", names, MONDAY, planned=1)
        named = memory_of(client)
        look, own = _price(client, lambda: run_state.running_queues("big"))
        _, poll = _price(client, lambda: run_state.queue_states("big"))
        run_state.members.announce(LivingWorker(worker_id="w", lanes=("score",), slots=RUNNING))
        running = len(fill(run_state))
        more = sum(_price(client, lambda: run_state.running_queues("big"))) - look - own
    return {
        "let_in_ms": max(0.0, let_in),
        "named_ms": look / NAMED,
        "look_ms": own / NAMED,
        "running_ms": max(0.0, more) / running,
        "poll_ms": poll / NAMED,
        "name_kb": (named - empty) / NAMED / 1e3,
    }


def _price(client: redis.Redis, work: Callable[[], object], times: int = 20) -> tuple[float, float]:
    """CPU milliseconds of the broker and of this process, each time."""
    work()
    before, began = cpu_of(client), time.process_time()
    for _ in range(times):
        work()
    return 1e3 * (cpu_of(client) - before) / times, 1e3 * (time.process_time() - began) / times


def memory_of(client: redis.Redis) -> int:
    """Bytes that the broker uses."""
    return int(cast("Mapping[str, int]", client.info("memory"))["used_memory"])


def _of_the_stores() -> dict[str, float]:
    """What the writer of a store has to do a queue: that of SQLite is this process, that of MongoDB mongod."""
    with tempfile.TemporaryDirectory() as name:
        store = open_store(f"sqlite:///{name}/queuecast.db")
        began = time.process_time()
        rows = _write(store)
        sqlite = 1e3 * (time.process_time() - began) / STORED
        store.close()
        (Path(name) / "mongod").mkdir()
        server = MongoServer(Path(name) / "mongod")
        server.start()
        try:
            [mongod] = [each for each in psutil.Process().children() if "mongod" in each.name()]
            store = open_store(server.url_of("queuecast"))
            before = sum(mongod.cpu_times()[:2])
            _write(store)
            mongodb = 1e3 * (sum(mongod.cpu_times()[:2]) - before) / STORED
            store.close()
        finally:
            server.stop()
    return {"rows": rows, "sqlite_ms": sqlite, "mongodb_ms": mongodb}


def _write(store: Store) -> float:
    """What `ingest` and `select` keep of each queue; returns the rows a queue."""
    load = a_load()
    points = [Point(timestamp=MONDAY - timedelta(hours=hour), value=value) for hour, value in enumerate(load.tolist())]
    steps = tuple(load.to_numpy()[:24].tolist())
    window = replace(a_score().windows[0], actual=steps, prediction=steps)
    outcomes = tuple(a_score(windows=(window,) * WINDOWS) for _ in range(CANDIDATES))
    for number in range(STORED):
        queue = f"root.q{number}"
        forecast = a_forecast(queue=queue, prediction=steps, lower_bound=steps, upper_bound=steps)
        running = a_report(queue=queue, state=QueueState.RUNNING, outcomes=(), winner=None)
        store.reports.save(running)
        store.actuals.save(a_request().series(queue), points)
        store.forecasts.save(forecast)
        store.reports.save(replace(running, state=QueueState.SUCCEEDED, outcomes=outcomes, winner=outcomes[0].candidate))
    return 3 + len(outcomes) + len(points)

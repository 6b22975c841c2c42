"""Faults: each hits a running fleet once, at random where it can be, and says whether there was anything to hit."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import psutil
import redis

from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_client, redis_server
from tests.chaos.fleet import ChaosFleet, kill, kill_tree
from tests.polling import eventually

Fault = Callable[[ChaosFleet, Random], bool]

FROZEN_SECONDS = 3.0
FULL_SECONDS = 3.0


def child_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for a process of some worker's pool."""
    pool = _pool(fleet, rng)
    return bool(pool) and kill(rng.choice(pool))


def main_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for Celery's main process: its pool and its watchdog must end with it."""
    main = _main(fleet, rng)
    return main is not None and kill(main)


def tree_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for a whole worker: watchdog, main process, pool."""
    main = _main(fleet, rng)
    with suppress(psutil.NoSuchProcess):
        if main is not None:
            kill_tree(_watchdog(main) or main)
            return True
    return False


def worker_terminated(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGTERM for a watchdog, as a deployment does it."""
    return _signal(fleet, rng, signal.SIGTERM)


def worker_quit(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGQUIT: tasks are thrown away; under load it may hang, and the watchdog has to kill it."""
    return _signal(fleet, rng, signal.SIGQUIT)


def worker_frozen_for_a_while(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGSTOP for a main process, and SIGCONT."""
    main = _main(fleet, rng)
    return main is not None and _freeze(main)


def worker_frozen(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGSTOP for a main process, for ever."""
    main = _main(fleet, rng)
    return main is not None and kill(main, signal.SIGSTOP)


def broker_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for Valkey; the supervisor starts it again after half a second."""
    return _hit(fleet, "broker", signal.SIGKILL)


def broker_terminated(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGTERM for Valkey."""
    return _hit(fleet, "broker", signal.SIGTERM)


def broker_frozen(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGSTOP for Valkey, and SIGCONT."""
    return _freeze_program(fleet, "broker")


def broker_full(fleet: ChaosFleet, rng: Random) -> bool:
    """No memory left in Valkey for a while: every write is refused."""
    with suppress(redis.RedisError):
        client = fleet.run_state.client
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) // 2)
        time.sleep(FULL_SECONDS)  # no wait for anything: so long there is no memory, as in the design's fault table
        eventually(lambda: client.config_set("maxmemory", 0), what="memory for the broker")
        return True
    return False


def reaper_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for the reaper, which holds a lock."""
    return _hit(fleet, "reaper", signal.SIGKILL)


def reaper_frozen(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGSTOP for the reaper, and SIGCONT."""
    return _freeze_program(fleet, "reaper")


def api_killed(fleet: ChaosFleet, rng: Random) -> bool:
    """SIGKILL for the API's first process: its workers must end with it."""
    return _hit(fleet, "api", signal.SIGKILL)


def message_lost(fleet: ChaosFleet, rng: Random) -> bool:
    """A message that waits is gone, as BRPOP and a kill at the wrong moment make it."""
    with suppress(redis.RedisError):
        return lanes_client(fleet).rpop(rng.choice(list(Lane)).value) is not None
    return False


def messages_doubled(fleet: ChaosFleet, rng: Random) -> bool:
    """Every message that waits comes a second time, with a delivery tag of its own; what was doubled is not doubled again."""
    doubled = 0
    with suppress(redis.RedisError):
        client = lanes_client(fleet)
        for lane in Lane:
            for text in client.lrange(lane.value, 0, -1):
                message = json.loads(text)
                if message["properties"]["delivery_tag"].endswith("-again"):
                    continue
                message["properties"]["delivery_tag"] += "-again"
                client.lpush(lane.value, json.dumps(message))
                doubled += 1
    return doubled > 0


def lanes_client(fleet: ChaosFleet) -> redis.Redis:
    """The broker's own database."""
    return redis_client(redis_server(fleet.settings).broker, is_patient=True)


def _main(fleet: ChaosFleet, rng: Random) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        return fleet.main(rng.choice(fleet.workers))
    return None


def _watchdog(main: psutil.Process) -> psutil.Process | None:
    """The watchdog of a worker's main process; None = it has just died, and whoever adopts orphans is its parent: init, or we."""
    parent = main.parent()
    return None if parent is None or parent.pid in {1, os.getpid()} else parent


def _pool(fleet: ChaosFleet, rng: Random) -> list[psutil.Process]:
    main = _main(fleet, rng)
    with suppress(psutil.NoSuchProcess):
        return main.children() if main else []
    return []


def _signal(fleet: ChaosFleet, rng: Random, number: int) -> bool:
    main = _main(fleet, rng)
    with suppress(psutil.NoSuchProcess):
        watchdog = _watchdog(main) if main else None
        return watchdog is not None and kill(watchdog, number)
    return False


def _freeze_program(fleet: ChaosFleet, program: str) -> bool:
    with suppress(psutil.NoSuchProcess):
        return _freeze(fleet.watchdog(program))
    return False


def _freeze(process: psutil.Process) -> bool:
    if not kill(process, signal.SIGSTOP):
        return False
    time.sleep(FROZEN_SECONDS)  # no wait for anything: so long the process stands still, as in the design's fault table
    return kill(process, signal.SIGCONT)


def _hit(fleet: ChaosFleet, program: str, number: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return kill(fleet.watchdog(program), number)
    return False

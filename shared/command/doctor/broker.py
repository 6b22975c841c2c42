"""What `queuecast doctor` asks of the broker's server: is it the master, does it keep what it has, and has it room?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from shared.command.doctor.findings import Finding, asked
from shared.command.doctor.fleet import look_at_fleet
from shared.config.settings import Settings
from shared.fleet.runstate import RunState

FULLEST_SHARE = 0.7  # alarm at 70 % of the broker's memory; at 100 % jobs stand still


def look_at_broker(settings: Settings) -> list[Finding]:
    """All that is asked of the broker's server: first whether it answers at all, as a master."""
    state = RunState.open(settings, is_patient=False)
    with closing(state):
        state.ping()
        info = state.server_says()
        return [
            Finding(name="broker", detail=f"answers (Redis {info.get('redis_version')}, {info.get('role', 'master')})"),
            *asked("broker's durability", lambda: _durability(info)),
            *asked("run state", lambda: [_run_state(state)]),
            *look_at_fleet(settings, state),
        ]


def _run_state(state: RunState) -> Finding:
    state.active()
    return Finding(name="run state", detail="is readable")


def _durability(info: Mapping[str, object]) -> list[Finding]:
    """Whether a restart of the server loses nothing, nothing is evicted, and there is room."""
    has_file, policy = bool(info.get("aof_enabled")), str(info.get("maxmemory_policy"))
    limit, used = (float(str(info.get(name) or 0)) for name in ("maxmemory", "used_memory"))
    share = used / limit if limit else 0.0
    room = f"{share:.0%} of {limit / 2**20:.0f} MiB used" if limit else f"{used / 2**20:.0f} MiB used, no limit set"
    return [
        Finding(
            name="broker's file",
            detail=f"appendonly {'yes' if has_file else 'no'}",
            is_well=has_file,
            advice="" if has_file else "set `appendonly yes`: without it a restart of the broker loses every waiting task",
        ),
        Finding(
            name="broker's eviction",
            detail=f"maxmemory-policy {policy}",
            is_well=policy == "noeviction",
            advice="" if policy == "noeviction" else "set `maxmemory-policy noeviction`: eviction loses tasks",
        ),
        Finding(
            name="broker's memory",
            detail=room,
            is_well=share < FULLEST_SHARE,
            advice="" if share < FULLEST_SHARE else "raise `maxmemory`: at 100 % jobs stand still",
        ),
    ]

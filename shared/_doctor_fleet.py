"""What `queuecast doctor` asks about the fleet as a whole; and a finding, which is the answer to one question."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from shared.drivers.faults import translated
from shared.errors import BrokerAway
from shared.forecasts import Lane
from shared.lanes import Lanes
from shared.runstate import RunState
from shared.settings import Settings
from shared.storage import open_store

MOST_SKEW_SECONDS = 5.0  # deadlines and dead workers are told by the clocks of several machines
OLD_JOB_SECONDS = 7_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question; `advice` says what to do."""

    name: str
    detail: str
    is_well: bool = True
    is_away: bool = False  # ill because a service cannot be reached
    advice: str = ""

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.is_well:
            return "note" if self.advice else "ok"
        return "away" if self.is_away else "ill"


def look_at_fleet(settings: Settings, state: RunState) -> list[Finding]:
    """Reaper, clocks, what waits, and the oldest job; raises BrokerAway, StoreAway."""
    return [_reaper(state), _clock(state), *_waiting(settings), _oldest_job(settings)]


def _reaper(state: RunState) -> Finding:
    """Whether one holds the lock, which it renews every few seconds."""
    with translated(BrokerAway):
        is_there = bool(state.client.exists("reaper"))
    advice = "" if is_there else "start one: `queuecast reap`; without it what is lost stays lost, and no schedule fires"
    return Finding(name="reaper", detail="runs" if is_there else "none runs", is_well=is_there, advice=advice)


def _clock(state: RunState) -> Finding:
    """How far this machine's clock is from the broker's."""
    with translated(BrokerAway):
        seconds, micros = cast("tuple[int, int]", state.client.time())
    skew = time.time() - (seconds + micros / 1e6)
    is_well = abs(skew) <= MOST_SKEW_SECONDS
    advice = "" if is_well else "let all machines take their time from the same place (NTP)"
    return Finding(name="clock", detail=f"{skew:+.1f} s from the broker's", is_well=is_well, advice=advice)


def _waiting(settings: Settings) -> list[Finding]:
    view = Lanes.open(settings).look()
    depth = ", ".join(f"{lane.value} {view.depth(lane)} + {view.running(lane)}" for lane in Lane)
    return [Finding(name="messages", detail=f"waiting + taken: {depth}")]


def _oldest_job(settings: Settings) -> Finding:
    """Every job ends by its deadline: one that is far older than that shows that nobody looks after it."""
    with closing(open_store(settings.store_location, patience_seconds=1)) as store:
        oldest = min(store.open_jobs(), key=lambda job: job.asked_at, default=None)
    if oldest is None:
        return Finding(name="oldest job", detail="none is open")
    age = (datetime.now(UTC) - oldest.asked_at).total_seconds()
    is_late = datetime.now(UTC) > oldest.deadline_at and age > OLD_JOB_SECONDS
    advice = "its deadline is over and nobody has ended it: see the reaper's log" if is_late else ""
    return Finding(name="oldest job", detail=f"{oldest.job_id}, {age / 60:.0f} min", is_well=not is_late, advice=advice)

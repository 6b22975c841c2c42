"""A process that runs tasks, or ends jobs, and its fleet: it starts with what the others have, or not at all.

What must be equal, and why:

    QUEUECAST_TASK_SECONDS         messages that are not acknowledged for twice as long count as lost: at a worker with a smaller
                                   limit, tasks that still run at another would be given away, and run twice
    QUEUECAST_TASK_SOFT_SECONDS    which candidates fail would depend on the worker that tries them

The API runs no task. Threads, memory and concurrency may differ from machine to machine.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.config.settings import PREFIX, Settings
from shared.errors import BrokerAway, FleetDiffers
from shared.fleet.runstate import RunState

EQUAL = ("task_seconds", "task_soft_seconds")
BEAT_SECONDS = 3.0
LIFE_SECONDS = 10  # without a beat
PATIENCE_SECONDS = 12.0  # for whoever was killed, and counts as living until then

log = structlog.get_logger(__name__)


def equal_of(settings: Settings) -> dict[str, str]:
    """What a fleet of these settings has the same everywhere."""
    return {PREFIX + setting.upper(): str(getattr(settings, setting)) for setting in EQUAL}


class Membership:
    """Of one process; its name is unlike that of any other, and that of the process before it in the same place.

    While the broker is away nobody can be asked; whoever starts meanwhile asks with its first beat that is answered.
    """

    def __init__(self, settings: Settings, run_state: RunState, name: str) -> None:
        self._values = equal_of(settings)
        self.run_state = run_state
        self._name = f"{name}@{socket.gethostname()}"
        self._is_member = False
        self._beat_at = 0.0
        self._differed: dict[str, str] = {}

    def join(self) -> None:
        """Become a member; raises FleetDiffers when others live who have something else, a while later still."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.beat()
            except BrokerAway:
                return None
            except FleetDiffers:
                if time.monotonic() >= until:
                    raise
                time.sleep(1.0)

    def beat(self) -> None:
        """Stay a member, every few seconds, or become one; raises FleetDiffers for whoever is none yet, and BrokerAway.

        One that is a member goes on all the same: the server may have lost what was agreed, and have been told otherwise since.
        """
        if self._is_member and time.monotonic() < self._beat_at:
            return
        theirs = self.run_state.agreement.join(self._name, self._values, LIFE_SECONDS)
        self._beat_at = time.monotonic() + BEAT_SECONDS
        if theirs and not self._is_member:
            raise FleetDiffers(self._explained(theirs))
        if theirs != self._differed and theirs:
            log.error("the fleet has other settings than this process, which goes on", fleet=theirs, here=self._values)
        self._is_member, self._differed = True, theirs

    def leave(self) -> None:
        """Be no member any more, so that who comes next need not wait; without a broker that is so by itself soon."""
        try:
            if self._is_member:
                self.run_state.agreement.leave(self._name)
        except BrokerAway:
            pass

    def _explained(self, theirs: dict[str, str]) -> str:
        differing = ", ".join(f"{name} is {self._values[name]} here and {value} there" for name, value in sorted(theirs.items()))
        living = ", ".join(self.run_state.agreement.members())
        return (
            f"{differing}. The fleet's value counts as long as any of its processes lives ({living}): start this one with it. To "
            "change it for all, stop every worker and the reaper, then start them with the new one"
        )


@contextmanager
def membership(settings: Settings, name: str) -> Iterator[Membership]:
    """Inside, this process belongs to its fleet as long as it beats; raises FleetDiffers when it must not begin."""
    mine = Membership(settings, RunState.open(settings, is_patient=False), name)
    mine.join()
    try:
        yield mine
    finally:
        mine.leave()

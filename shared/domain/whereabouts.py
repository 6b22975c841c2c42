"""Where a connection led when a job read over it. Its name is no identity: an administrator may lead it elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where a job last read the series of a connection that no cluster is named for.

    database: which of the connection's databases requests named; "" = none.
    addresses: as `Connection.leads_to` has them; none = its administrator has accepted that it leads elsewhere.
    left: those of before that, which workers may still tell for a while.
    """

    connection: str
    database: str
    addresses: tuple[str, ...]
    job_id: str
    known_at: datetime  # aware UTC
    left: tuple[str, ...] = ()


def is_elsewhere(before: Iterable[str], now: Iterable[str]) -> bool:
    """Whether nothing is left of where it was before: a set of servers that takes in others stays what it was."""
    known = frozenset(before)
    return bool(known) and known.isdisjoint(now)

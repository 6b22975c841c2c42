"""The store: our own records, each kind a part on top of one database. `open_store(url)` gives the one that the URL names."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TypeVar

from shared.errors import InvalidSettings, StoreAway
from shared.store.accuracy import Accuracies
from shared.store.actuals import Actuals
from shared.store.aliases import Aliases
from shared.store.audits import Audits
from shared.store.calibration import Calibrations
from shared.store.decision_requests import DecisionRequests
from shared.store.departures import Departures
from shared.store.forecasts import Forecasts
from shared.store.hidden_names import KeptHiddenNames
from shared.store.jobs import Jobs
from shared.store.notices import Notices
from shared.store.policies import Policies
from shared.store.proposals import Proposals
from shared.store.records import OneOf, Records, Where, of_key
from shared.store.replays import Replays
from shared.store.reports import Reports
from shared.store.retention import Retention
from shared.store.run_failures import RunFailures
from shared.store.schedules import Schedules
from shared.store.schema import Tell, telling
from shared.store.sessions import Sessions
from shared.store.sqlite import SqliteRecords
from shared.store.sqlite_place import StorePlace
from shared.store.tables import Table
from shared.store.tokens import Tokens
from shared.store.trees import Changes, Trees
from shared.store.usage import Usages
from shared.store.whereabouts import KnownWhereabouts
from shared.store.winners import Winners

T = TypeVar("T")

__all__ = ["Store", "is_new", "lead_on", "open_store", "sqlite_path"]

ACCEPTED = "sqlite:///absolute/path or mongodb://host:port/database"
API_PATIENCE_SECONDS = 1.0
TURN_SECONDS = 10.0


class Store:
    """All our records, by kind."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.jobs = Jobs(records)
        self.reports = Reports(records)
        self.forecasts = Forecasts(records)
        self.actuals = Actuals(records)
        self.accuracy = Accuracies(records)
        self.aliases = Aliases(records)
        self.audits = Audits(records)
        self.calibrations = Calibrations(records)
        self.decision_requests = DecisionRequests(records)
        self.hidden_names = KeptHiddenNames(records)
        self.notices = Notices(records)
        self.policies = Policies(records)
        self.proposals = Proposals(records)
        self.replays = Replays(records)
        self.schedules = Schedules(records)
        self.tokens = Tokens(records)
        self.sessions = Sessions(records)
        self.winners = Winners(records)
        self.run_failures = RunFailures(records)
        self.whereabouts = KnownWhereabouts(records)
        self.trees = Trees(records)
        self.changes = Changes(records)
        self.departures = Departures(self.trees, self.changes, self.aliases)
        self.usages = Usages(records)
        self.retention = Retention(records)

    def get(self, table: Table[T], key: str, *, projects: Sequence[str] | None = None) -> T:
        """The record of this key; raises the table's own error, also for one that is of none of these projects; None = of any."""
        where: Where = [*of_key(table, [key]), *([OneOf("project", projects)] if projects is not None else [])]
        if (record := self._records.first(table, where)) is None:
            raise table.missing(**{table.key[0]: key})
        return record

    def together(self) -> AbstractContextManager[object]:
        """Inside, what this thread reads and writes is of one moment, where the database has transactions at no price."""
        return self._records.together()

    def check(self) -> None:
        """A real write, for readiness; raises StoreAway."""
        self._records.check()

    def close(self) -> None:
        """Let go of the connection; the store is not used afterwards."""
        self._records.close()


def open_store(url: str, *, patience_seconds: float = 30.0) -> Store:
    """The store that `url` names; nothing is opened before its first use. Raises InvalidSettings.

    Args:
        url: `sqlite:///absolute/path`, taken as it is (no %-escapes), or `mongodb://host:port/database`.
        patience_seconds: how long a locked database is waited for: 30 in workers, 1 in the API, which answers within two.
    """
    scheme, _, _rest = url.partition(":")  # never shown whole: it may hold a password
    match scheme:
        case "sqlite":
            return Store(SqliteRecords(sqlite_path(url), patience_seconds=patience_seconds))
        case "mongodb" | "mongodb+srv":
            from shared.store.mongodb import MongoRecords  # pymongo, which only this database needs

            return Store(MongoRecords(url, patience="api" if patience_seconds <= API_PATIENCE_SECONDS else "store"))
        case _:
            raise InvalidSettings(f"the store's URL has the scheme {scheme[:20]!r}; accepted is {ACCEPTED}")


def lead_on(url: str, tell: Tell) -> None:
    """Lead what a release before has kept on to this one, before anything asks of it; in one process, the others wait for it.

    How far that is goes to `tell`. Nothing is made where nothing was kept. A store that is away stays as it is: whoever needs it
    is told. Raises InvalidSettings for one of a newer release.
    """
    while not is_new(url):
        try:
            with telling(tell), closing(open_store(url, patience_seconds=TURN_SECONDS)) as store:
                store.tokens.were_made()  # any question opens it
        except StoreAway:
            if not (url.startswith("sqlite:") and StorePlace(sqlite_path(url)).is_behind):
                return
            tell("the store is led on by another process, which is waited for")
        else:
            return


def sqlite_path(url: str) -> Path:
    """The file that an SQLite URL names; raises InvalidSettings."""
    path = url.removeprefix("sqlite:")
    if not path.startswith("///") or path.endswith("/"):
        raise InvalidSettings(f"the store's URL {url!r} names no file by an absolute path; accepted is {ACCEPTED}")
    return Path("/" + path.lstrip("/"))


def is_new(url: str) -> bool:
    """Whether nothing was ever kept there, as far as it can be told without making it; a server is only known by asking it."""
    return url.startswith("sqlite:") and StorePlace(sqlite_path(url)).is_new

"""What of a server with databases requests may reach: what they may read there, and where forecasts may be written.

readable = ["queue_*", "archive.usage"]     queue_* of the databases that the connection names, and one of another
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr

from shared.config.connection import BOTH, Connection, PlaceField, Role
from shared.domain import identifiers
from shared.domain.collected import KEPT_NAMES
from shared.domain.places import Place
from shared.domain.texts import PlaceName
from shared.errors import InvalidRequest

MAX_SHOWN = 10  # patterns that a message names
Pattern = tuple[str, str]  # of the database's name, of the name in it


def of_the_caller(is_reserved: Callable[[str], bool]) -> AfterValidator:
    """Refuses the names that a database keeps for itself."""

    def check(name: str) -> str:
        if is_reserved(name):
            raise ValueError(f"{name!r} belongs to the database itself; accepted are names of your own")
        return name

    return AfterValidator(check)


DatabaseName = Annotated[PlaceName, of_the_caller(identifiers.is_reserved_database)]
DATABASE = PlaceField(accepts=DatabaseName, hint="unless the connection's own")


class DatabaseConnection(Connection):
    """A server with databases, each with names to read from and to write to (`noun`: what these are called in a request)."""

    roles = BOTH
    noun: ClassVar[str]
    named_in: ClassVar[str] = "its `database`"  # the connection's own database

    url: SecretStr = Field(description="it may hold credentials, hence secret")
    database: str | None = Field(None, description="the database of requests that name none; default: the one in the URL")
    databases: tuple[str, ...] = Field((), description="further databases that a request may name")
    readable: tuple[str, ...] | None = Field(
        None,
        description="globs of what may be read: names in the databases above, or database.name;"
        " none given = all that is in the databases above",
    )
    writable: tuple[str, ...] | None = Field(None, description="likewise where forecasts may be written to")
    writable_databases: tuple[str, ...] | None = Field(
        None, description="globs of the databases in which names of `writable` are meant; none given = the databases above"
    )

    _hidden: tuple[DatabaseConnection, ...] = PrivateAttr(())  # that keep what others collect

    @property
    def own_database(self) -> str | None:
        """The database of requests that name none."""
        return self.database

    @property
    def own_databases(self) -> tuple[str, ...]:
        """Every database that the connection names."""
        return (*([self.own_database] if self.own_database else []), *self.databases)

    @property
    def written_in(self) -> tuple[str, ...]:
        """Globs of the databases in which names of `writable` are meant."""
        return self.own_databases if self.writable_databases is None else self.writable_databases

    @property
    def servers(self) -> frozenset[str]:
        """Each that the URL names, without credentials."""
        address = self.url.get_secret_value().partition("://")[2].partition("?")[0].rstrip("/")
        return frozenset({address.rpartition("@")[2].lower()})

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - a server lies in no folder
        """The servers; with the database that the connection names, where the place names none."""
        own = "" if place.database is not None else f"/{self.own_database or ''}"
        return frozenset(server + own for server in self.servers)

    def may_read(self, database: str, name: str) -> bool:
        """Whether requests may read what has this name in the database."""
        return not self.hides(database, name) and _is_in(self._open("source"), database, name)

    def hides(self, database: str | None, name: str | None) -> bool:
        """Whether what has this name is what is collected of a cluster of others: for whoever asks it is not there."""
        same = (each for each in self._hidden if each.own_database == database and each.servers & self.servers)
        return name in KEPT_NAMES and any(same)

    def without(self, keepers: Sequence[Connection]) -> Self:
        """The same for a project for which what the collector writes is not there, whichever connection leads to it."""
        limited = self.model_copy()
        limited._hidden = tuple(each for each in keepers if isinstance(each, DatabaseConnection))
        return limited

    def check_reach(self, place: Place, role: Role) -> None:
        """Whether this place may be read, or written to; raises InvalidRequest with what may."""
        database, name = self._named(place, role)
        if role == "destination" and name in KEPT_NAMES:
            raise InvalidRequest(f"found {name!r}, which `queuecast collect` writes to", field=f"data.{role}.{self.noun}")
        accepted = self._open(role)
        if _is_in(accepted, database, name):
            return
        field, value = (self.noun, name) if any(fnmatchcase(database, own) for own, _ in accepted) else ("database", database)
        says = f"{place.name} is read in" if role == "source" else f"{place.name} takes forecasts for"
        raise InvalidRequest(f"found {value!r} ({database}.{name}); {says} {_shown(accepted)}", field=f"data.{role}.{field}")

    def _open(self, role: Role) -> list[Pattern]:
        if role == "source":
            return list(_patterns(self.readable, self.own_databases))
        return list(_patterns(self.writable, self.written_in))

    def _named(self, place: Place, role: Role) -> Pattern:
        """Database, and the name in it; raises InvalidRequest without one, or for one that is the server's own."""
        database, name = place.database or self.own_database, place.given[self.noun]
        if database is None:
            how = f"name it in the request, or give the connection one: {self.named_in}"
            raise InvalidRequest(f"no database: {how}", field=f"data.{role}.database")
        if identifiers.is_reserved_database(database):
            raise InvalidRequest(f"found {database!r}, which belongs to the server itself", field=f"data.{role}.database")
        if identifiers.is_reserved_collection(name):
            raise InvalidRequest(f"found {name!r}, which belongs to the server itself", field=f"data.{role}.{self.noun}")
        return database, name


def _patterns(globs: Sequence[str] | None, own: Sequence[str]) -> Iterator[Pattern]:
    """Globs of database and name. A name may have dots: each dot of a glob may be the one after the database."""
    for glob in ("*",) if globs is None else globs:
        dots = [place for place, character in enumerate(glob) if character == "."]
        yield from [(glob[:dot], glob[dot + 1 :]) for dot in dots] or [(database, glob) for database in own]


def _is_in(patterns: Sequence[Pattern], database: str, name: str) -> bool:
    return any(fnmatchcase(database, of_database) and fnmatchcase(name, of_name) for of_database, of_name in patterns)


def _shown(patterns: Sequence[Pattern]) -> str:
    globs = dict.fromkeys(".".join(pattern) for pattern in patterns)
    nothing = "nothing: its administrator gives it a `database`, or names what as `database.name`"
    return identifiers.first_of(globs, MAX_SHOWN) or nothing

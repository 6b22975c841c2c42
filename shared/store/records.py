"""Records: what we ask of a database, said once. The parts of the store speak to this, whatever lies below.

Every write may be repeated and changes nothing the second time. A database that cannot be reached raises StoreAway, and only
what the outside world causes becomes one of our errors. A record that cannot be read, written by hand or by a newer release, is
left out of a list and logged; asked for by its key it raises RecordUnreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from shared.store.tables import Table

T = TypeVar("T")

Order = Sequence[tuple[str, bool]]  # columns, and whether each goes up
Waiting = Mapping[str, int]  # id → weight of a record that somebody is about to add


@dataclass(frozen=True, slots=True)
class Is:
    """The column has this value."""

    column: str
    value: object


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column has one of these values; with `not_`, none of them."""

    column: str
    values: Sequence[object]
    not_: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """The column has a value in [start, end); None = open on that side. A column without a value is in no interval."""

    column: str
    start: object = None
    end: object = None


@dataclass(frozen=True, slots=True)
class Exists:
    """Another table has a record that agrees in the columns `same`; with `not_`, it has none.

    Args:
        same: columns that both tables have.
        where: what else must hold of the other record.
        later: a column in which the other record is later than this one.
    """

    table: Table[Any]
    same: tuple[str, ...]
    where: Sequence[Is | OneOf | Between] = ()
    later: str | None = None
    not_: bool = False


Condition = Is | OneOf | Between | Exists
Where = Sequence[Condition]


def given(**values: object) -> list[Is | OneOf | Between]:
    """The conditions that these columns have these values; None = any."""
    return [Is(name, value) for name, value in values.items() if value is not None]


def of_key(table: Table[T], key: Sequence[object]) -> list[Is]:
    """The conditions that the columns of the key have these values."""
    return [Is(name, value) for name, value in zip(table.key, key, strict=True)]


class Records(Protocol):
    """Values by table, in one database."""

    def add(self, table: Table[T], value: T) -> bool:
        """Keep a new record; False = one of its key, or of its unique columns, is there already, and stays as it is.

        Raises RecordRefused when something else of the database is in the way.
        """

    def get(self, table: Table[T], *key: object) -> T:
        """The record of this key; raises the table's own error when there is none."""

    def find(
        self,
        table: Table[T],
        where: Where = (),
        *,
        order: Order = (),
        limit: int | None = None,
        before: Sequence[object] | None = None,
        newest_of: Sequence[str] = (),
    ) -> list[T]:
        """The records that match.

        Args:
            order: by which columns; those of the key where nothing is said.
            limit: the first ones that can be read: a list that is not full means that there are no more.
            before: values of the columns of `order`, all of which go down: only records strictly after these in that order.
            newest_of: only the newest record of each group with the same values in these columns, as the table's `newest` has it.
                The group has all records of its values, or none of them: conditions are on what those have in common.
        """

    def first(self, table: Table[T], where: Where, *, order: Order = ()) -> T | None:
        """The first record that matches; None = none does. Raises RecordUnreadable, where `find` would go on to the next one."""

    def update_if(self, table: Table[T], key: Sequence[object], change: Callable[[T], T | None]) -> bool:
        """Compare-and-set: replace the record by what `change` makes of it, if nobody else has changed it meanwhile.

        Args:
            change: pure, as it may be called again; None = leave the record as it is.

        Returns:
            Whether this call changed it. Raises the table's own error when there is no such record.
        """

    def put_many(self, table: Table[T], values: Sequence[T]) -> None:
        """Keep records; one of the same key is replaced. Many are written in several transactions."""

    def delete_some(self, table: Table[T], where: Where, *, order: Order = (), limit: int | None = None) -> int:
        """Drop what matches, the first `limit` in this order; how many went."""

    def sum_by(self, table: Table[T], where: Where, by: str, columns: Sequence[str]) -> dict[Any, dict[str, float]]:
        """Value of the column `by`, in its order → the sums of these columns, and under "count" how many records there are."""

    def distinct(self, table: Table[T], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """The different values of the first columns of the key, in their order; each is found by one look into the index."""

    def has_any(self, table: Table[T]) -> bool:
        """Whether there is a record, also one that cannot be read."""

    def together(self) -> AbstractContextManager[object]:
        """Inside, all writes of this thread are one transaction, where the database has transactions at no price."""

    def admitting(
        self, account: str, record_id: str, weight: int, check: Callable[[Waiting], None]
    ) -> AbstractContextManager[None]:
        """Inside, `check` has found room for one more record of this account, and nobody else has taken it meanwhile.

        Args:
            check: raises when there is no room; it is given what others are about to add, this record left out.
        """

    def had_tokens(self) -> bool:
        """Whether it was noted that a token was ever made; the note outlives the table."""

    def note_tokens(self) -> None:
        """Note that a token is about to be made."""

    def check(self) -> None:
        """A real write, for readiness; raises StoreAway."""

    def close(self) -> None:
        """Let go of the connection; nothing is asked afterwards."""

"""What this release would do to a store of an earlier one, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.jobs import JobState
from shared.store import schema

OPEN = tuple(state.value for state in JobState if not state.is_terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step from a form of the store to a later one.

    records: table or collection → how many records it reads or writes anew.
    """

    of_schema: int
    about: str
    records: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a store is, and what becomes of it.

    found: the number of its form; None = nothing is there yet.
    made: tables, views and indexes that would be made.
    size_bytes: of all that a backup holds, before it is compressed; free_bytes: of its disk, None = not told.
    """

    found: int | None
    wanted: int = schema.VERSION
    migrations: tuple[Migration, ...] = ()
    made: tuple[str, ...] = ()
    size_bytes: int = 0
    free_bytes: int | None = None
    open_jobs: int = 0

    @property
    def is_newer(self) -> bool:
        """Whether a newer release has made it, so that this one refuses it."""
        return self.found is not None and self.found > self.wanted

    @property
    def changes(self) -> bool:
        """Whether anything in it would be changed."""
        return self.found is not None and bool(self.migrations or self.made)


def migrations_from(found: int, records: Mapping[int, Mapping[str, int]]) -> tuple[Migration, ...]:
    """The steps that lead from this form to ours. `records`: what each of them touches."""
    return tuple(
        Migration(of_schema=number, about=about, records=records.get(number, {}))
        for number, about in schema.ABOUT.items()
        if found <= number < schema.VERSION
    )

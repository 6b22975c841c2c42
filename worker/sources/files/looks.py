"""What files were found to be when they were looked at: a process looks again only at those that have changed since.

Every queue of a place asks what its files are, and opening a file costs more than reading a queue of it. What is kept is what a
look needs and no row; rows are always read from the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.domain.samples import CsvForm
from shared.errors import UnreadableData
from worker.sources.files.csv_head import CsvHead
from worker.sources.files.listing import Files
from worker.sources.files.tables import Table

MAX_PLACES = 3  # usage, covariates, regressors

Mark = tuple[int, ...]
Look = Callable[[str], Table]


@dataclass(slots=True)
class Looks:
    """The files of one place, by their name: what they were, and what a look at them has shown.

    columns, heads: what many files have alike, once.
    """

    seen: dict[str, tuple[Mark, Table | UnreadableData]] = field(default_factory=dict)
    columns: dict[str, Table] = field(default_factory=dict)
    heads: dict[CsvHead, CsvHead] = field(default_factory=dict)

    def at(self, files: Files, look: Look) -> tuple[dict[str, Table], dict[str, UnreadableData]]:
        """The files that can be read, and what is wrong with the others.

        Args:
            look: opens one file; raises UnreadableData.
        """
        known, self.seen = self.seen, {}
        tables: dict[str, Table] = {}
        broken: dict[str, UnreadableData] = {}
        for name in files.paths:
            mark = _mark(files, name)
            before = known.get(name)
            found = before[1] if before and mark and before[0] == mark else self._look(name, look)
            self.seen[name] = mark, found
            if isinstance(found, Table):
                tables[name] = found
            else:
                broken[name] = UnreadableData(found.detail, **found.ids)  # each that is raised keeps its traceback
        if max(len(self.columns), len(self.heads)) > len(files.paths):  # of files that are not so any more
            self.columns, self.heads = {}, {}
        return tables, broken

    def _look(self, name: str, look: Look) -> Table | UnreadableData:
        try:
            table = look(name)
        except UnreadableData as error:
            return UnreadableData(error.detail, **error.ids)  # the other one holds the file by its traceback
        like = self.columns.setdefault(repr((table.columns, table.repeated)), table)
        head = None if table.head is None else self.heads.setdefault(table.head, table.head)
        return replace(table, columns=like.columns, repeated=like.repeated, ragged=like.ragged, head=head)


_kept: dict[tuple[object, ...], Looks] = {}


def looks_of(files: Files, pattern: str | None, form: CsvForm, known: tuple[str, ...]) -> Looks:
    """What was seen of a place, by requests that name these columns."""
    key = (files.folder, pattern, form, known)
    looks = _kept.pop(key, None) or Looks()
    _kept[key] = looks
    while len(_kept) > MAX_PLACES:
        _kept.pop(next(iter(_kept)))  # the one that was asked for longest ago
    return looks


def _mark(files: Files, name: str) -> Mark:
    """What changes with a file; empty where that cannot be told."""
    try:
        found = os.stat(files.paths[name], follow_symlinks=False)  # noqa: PTH116 - of a path that is without links
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

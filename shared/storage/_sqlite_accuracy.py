"""Accuracy in the SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.storage._accuracy_rows import KEY, accuracy, accuracy_row, sums, wanted_values
from shared.storage._reading import page
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import insert

MOST_ROWS = 5_000  # of one transaction, so that no writer keeps the others waiting for long

_WANTED = """
    metric = :metric AND period_seconds = :period_seconds AND job = ifnull(:job, job)
    AND issued_at >= :since AND issued_at < :until
"""
_ADDED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
_ADDED_OVER_LEADS = _ADDED.replace("sum(forecasts)", "sum(iif(first_step = 1, forecasts, 0))")


class SqliteAccuracies:
    """The part of SqliteStore that keeps accuracy. Promises: shared/storage/accuracy.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def save(self, records: Sequence[Accuracy]) -> None:
        """Keep records; the same key again replaces the earlier one."""
        rows = [accuracy_row(record) for record in records]
        for first in range(0, len(rows), MOST_ROWS):
            with self._file.writing() as db:
                changed = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name not in KEY)
                insert(db, "accuracy", rows[first : first + MOST_ROWS], f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {changed}")

    def of_queue(self, queue: str, wanted: AccuracyFilter, limit: int) -> list[Accuracy]:
        """Records of the queue, the newest issue first; at most `limit`."""
        statement = (
            f"SELECT * FROM accuracy WHERE queue = :queue AND {_WANTED} ORDER BY issued_at DESC, job, first_step LIMIT :limit"  # noqa: S608 - ours
        )
        return page("accuracy", lambda most: self._rows(statement, wanted, queue=queue, limit=most), limit, accuracy)

    def by_lead(self, queue: str, wanted: AccuracyFilter) -> dict[int, ErrorSums]:
        """First step of a lead → its sums over all forecasts of the queue."""
        statement = f"""
            SELECT first_step, {_ADDED} FROM accuracy WHERE queue = :queue AND {_WANTED}
            GROUP BY first_step HAVING sum(steps) > 0 ORDER BY first_step
        """  # noqa: S608 - our names
        return {row["first_step"]: sums(row) for row in self._rows(statement, wanted, queue=queue)}

    def by_queue(self, wanted: AccuracyFilter) -> dict[str, ErrorSums]:
        """Queue → its sums over all its forecasts and leads."""
        statement = f"SELECT queue, {_ADDED_OVER_LEADS} FROM accuracy WHERE {_WANTED} GROUP BY queue HAVING sum(steps) > 0"  # noqa: S608 - ours
        return {row["queue"]: sums(row) for row in self._rows(statement, wanted)}

    def _rows(self, statement: str, wanted: AccuracyFilter, **more: object) -> list[Any]:
        with self._file.reading() as db:
            return db.execute(statement, wanted_values(wanted) | more).fetchall()

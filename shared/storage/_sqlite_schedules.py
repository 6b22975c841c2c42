"""Schedules in the SQLite file: one JSON document each."""

from __future__ import annotations

import sqlite3

from shared.allowances import UNLIMITED, Allowance
from shared.documents import from_json, to_json
from shared.errors import ScheduleNotFound
from shared.schedules import Schedule
from shared.storage._reading import read_one, readable
from shared.storage._sqlite_admission import admit_schedule
from shared.storage._sqlite_file import SqliteFile
from shared.storage._sqlite_statements import insert


class SqliteSchedules:
    """The part of SqliteStore that keeps schedules. Promises: shared/storage/schedules.py."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def add(self, schedule: Schedule, allowance: Allowance = UNLIMITED) -> None:
        """Keep a new schedule."""
        row = {"schedule_id": schedule.schedule_id, "document": to_json(schedule)}
        with self._file.writing() as db:
            admit_schedule(db, schedule, allowance)
            insert(db, "schedules", [row], "ON CONFLICT (schedule_id) DO NOTHING")

    def get(self, schedule_id: str) -> Schedule:
        """The schedule of this id; raises ScheduleNotFound."""
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM schedules WHERE schedule_id = ?", (schedule_id,)).fetchone()
        if row is None:
            raise ScheduleNotFound(schedule_id=schedule_id)
        return read_one("schedule", row, _schedule)

    def all(self) -> list[Schedule]:
        """Every schedule, by id."""
        with self._file.reading() as db:
            rows = db.execute("SELECT * FROM schedules ORDER BY schedule_id").fetchall()
        return readable("schedule", rows, _schedule)

    def replace(self, known: Schedule, new: Schedule) -> bool:
        """Compare-and-set; whether this call did it."""
        statement = "UPDATE schedules SET document = ? WHERE schedule_id = ? AND document = ?"
        with self._file.writing() as db:
            return db.execute(statement, (to_json(new), known.schedule_id, to_json(known))).rowcount == 1

    def remove(self, schedule_id: str) -> None:
        """Forget a schedule."""
        with self._file.writing() as db:
            db.execute("DELETE FROM schedules WHERE schedule_id = ?", (schedule_id,))


def _schedule(row: sqlite3.Row) -> Schedule:
    found: Schedule = from_json(Schedule, row["document"])
    return found

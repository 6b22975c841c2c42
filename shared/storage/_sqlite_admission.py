"""How a job gets into the SQLite file and back into the row, and a schedule: counted within the transaction that adds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from typing import Any

from shared.allowances import UNLIMITED, Allowance, Used
from shared.errors import JobNotFound, KeyReused
from shared.jobs import LOCAL, Job, JobState
from shared.schedules import Schedule
from shared.states import OPEN_STATES
from shared.storage import _rows
from shared.storage._reading import read_one
from shared.storage._sqlite_statements import insert, marks

_USED = f"""
    SELECT count(*) AS open_jobs, ifnull(sum(max_candidates), 0) AS candidates FROM (
        SELECT iif(json_valid(request), json_extract(request, '$.max_candidates'), 0) AS max_candidates
        FROM jobs WHERE state IN ({marks(OPEN_STATES)}) AND iif(client = ?, '', project) = ?
    )
"""  # noqa: S608 - marks only
_SCHEDULES = """
    SELECT count(*) AS number FROM (SELECT iif(json_valid(document), document, '{}') AS known FROM schedules)
    WHERE iif(json_extract(known, '$.client') = ?, '', json_extract(known, '$.request.project')) = ?
"""


def admit_job(db: sqlite3.Connection, job: Job, allowance: Allowance) -> None:
    """Raises AllowanceUsedUp when there is no room for one more open job, this one."""
    if allowance != UNLIMITED:
        row = db.execute(_USED, (*OPEN_STATES, LOCAL, job.account)).fetchone()
        allowance.check_job(job, Used(open_jobs=row["open_jobs"], candidates=row["candidates"]))


def admit_schedule(db: sqlite3.Connection, schedule: Schedule, allowance: Allowance) -> None:
    """Raises AllowanceUsedUp when there is no room for one more schedule."""
    if allowance.schedules is not None:
        row = db.execute(_SCHEDULES, (LOCAL, schedule.account)).fetchone()
        allowance.check_schedules(schedule.account, row["number"])


def add_job(db: sqlite3.Connection, job: Job, allowance: Allowance) -> Job:
    """Keep a new job, or give the one that its key or id already has; only a new one needs room."""
    twin = db.execute("SELECT * FROM jobs WHERE client = ? AND idempotency_key = ?", (job.client, job.idempotency_key))
    row = twin.fetchone()  # none without a key: NULL equals nothing
    if row is not None and row["fingerprint"] != job.fingerprint:
        raise KeyReused(idempotency_key=job.idempotency_key)
    row = row or db.execute("SELECT * FROM jobs WHERE job_id = ?", (job.job_id,)).fetchone()
    if row is None:
        admit_job(db, job, allowance)
        insert(db, "jobs", [_rows.job_row(job)])
    return read_one("job", row or job_row(db, job.job_id), _rows.job)


def change_state(db: sqlite3.Connection, job_id: str, expected: Collection[JobState], changes: Mapping[str, Any]) -> bool:
    """Compare-and-set of the state, with what else changes; whether this call did it. Raises JobNotFound."""
    columns = ", ".join(f"{name} = ?" for name in changes)
    statement = f"UPDATE jobs SET {columns} WHERE job_id = ? AND state IN ({marks(expected)})"  # noqa: S608 - our names
    done = db.execute(statement, (*changes.values(), job_id, *expected))
    if done.rowcount == 0:
        job_row(db, job_id)
    return done.rowcount == 1


def job_row(db: sqlite3.Connection, job_id: str) -> sqlite3.Row:
    """The row of a job; raises JobNotFound."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise JobNotFound(job_id=job_id)
    return row

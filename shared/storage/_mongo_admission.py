"""What an account has in MongoDB, counted exactly without a transaction, which a server that stands alone does not offer.

    read who is under way ──▶ count the records ──▶ compare-and-set: under way too ──▶ add the record ──▶ under way no more

The compare-and-set lets those who ask at once in one after the other. Whoever is under way counts until its record is there and
counts itself; should it die before, it is forgotten after a minute. There is no counter that could go wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pymongo.collection import Collection as Documents
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.allowances import UNLIMITED, Allowance, Used
from shared.documents import from_json
from shared.errors import StoreAway
from shared.jobs import LOCAL, Job
from shared.schedules import Schedule
from shared.states import OPEN_STATES
from shared.storage._reading import readable

UNDER_WAY_SECONDS = 60.0
TRIES = 200  # each that fails is somebody else's success

Collections = Callable[[str], Documents[dict[str, Any]]]
Waiting = Mapping[str, int]  # id → candidates of a record that somebody is about to add


@contextmanager
def admit_job(of: Collections, job: Job, allowance: Allowance) -> Iterator[None]:
    """Inside, there is room for one more open job, this one; raises AllowanceUsedUp."""
    if allowance == UNLIMITED:
        yield
        return

    def check(waiting: Waiting) -> None:
        mine = {"client": LOCAL, "project": ""} if not job.account else {"project": job.account}
        either = [{name: {"$eq": value}} for name, value in mine.items()]
        states = {"state": {"$in": [state.value for state in OPEN_STATES]}}
        others = {} if not job.account else {"client": {"$ne": LOCAL}}
        rows = of("jobs").find(states | others | {"$or": either}, {"request": True})
        asked: list[tuple[str, int]] = readable("job", rows, _asked)
        candidates = dict(waiting) | dict(asked)
        allowance.check_job(job, Used(open_jobs=len(candidates), candidates=sum(candidates.values())))

    with _admitted(of, f"jobs {job.account}", job.job_id, job.request.max_candidates, check):
        yield


def _asked(row: Mapping[str, Any]) -> tuple[str, int]:
    """A job's id, and how many candidates its request allows."""
    return row["_id"], int(json.loads(row["request"])["max_candidates"])


@contextmanager
def admit_schedule(of: Collections, schedule: Schedule, allowance: Allowance) -> Iterator[None]:
    """Inside, there is room for one more schedule; raises AllowanceUsedUp."""
    if allowance.schedules is None:
        yield
        return

    def check(waiting: Waiting) -> None:
        known: list[Schedule] = readable("schedule", of("schedules").find(), lambda found: from_json(Schedule, found["document"]))
        mine = {each.schedule_id for each in known if each.account == schedule.account}
        allowance.check_schedules(schedule.account, len(mine | waiting.keys()))

    with _admitted(of, f"schedules {schedule.account}", schedule.schedule_id, 0, check):
        yield


@contextmanager
def _admitted(of: Collections, account: str, record_id: str, candidates: int, check: Callable[[Waiting], None]) -> Iterator[None]:
    place, me = of("admissions"), {"id": record_id, "candidates": candidates, "at": time.time()}
    for _ in range(TRIES):
        known = place.find_one({"_id": {"$eq": account}}) or {"version": 0, "under_way": []}
        since = time.time() - UNDER_WAY_SECONDS
        check({each["id"]: each["candidates"] for each in known["under_way"] if each["at"] > since and each["id"] != record_id})
        if _is_first(place, account, known["version"], me):
            break
    else:
        raise StoreAway("too many ask for the same project at once")
    try:
        yield
    finally:
        with suppress(PyMongoError):  # then it counts for a minute
            gone = {"$or": [{"id": {"$eq": record_id}}, {"at": {"$lt": since}}]}
            place.update_one({"_id": {"$eq": account}}, {"$pull": {"under_way": gone}})


def _is_first(place: Documents[dict[str, Any]], account: str, version: int, me: Mapping[str, Any]) -> bool:
    """Compare-and-set; whether nobody else has come in since that version."""
    if not version:
        try:
            place.insert_one({"_id": account, "version": 1, "under_way": [me]})
        except DuplicateKeyError:
            return False
        return True
    same = {"_id": {"$eq": account}, "version": {"$eq": version}}
    return place.update_one(same, {"$push": {"under_way": me}, "$inc": {"version": 1}}).modified_count == 1

"""The longer statements of the MongoDB store, as it sends them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from shared.buckets import to_epoch
from shared.documents import to_json
from shared.jobs import Job, JobFilter, Progress
from shared.storage._mongo_schema import SERIES
from shared.storage._rows import job, to_micros

Stages = list[dict[str, Any]]


def page_of_jobs(wanted: JobFilter, before: tuple[datetime, str] | None) -> Stages:
    """Stages that give the jobs that match, newest first, strictly before that pair."""
    names = ("state", "owner", "project", "user_name")
    matching: dict[str, Any] = {name: {"$eq": getattr(wanted, name)} for name in names if getattr(wanted, name) is not None}
    if wanted.projects is not None:
        matching["$and"] = [{"project": {"$in": list(wanted.projects)}}]  # beside the condition of one project
    if before is not None:
        created_at, job_id = to_micros(before[0]), before[1]
        older = {"created_at": {"$lt": created_at}}
        matching["$or"] = [older, {"created_at": created_at, "_id": {"$lt": job_id}}]
    stages: Stages = [{"$match": matching}, {"$sort": {"created_at": -1, "_id": -1}}]
    return stages + (_with_queue(wanted) if wanted.queue is not None or wanted.model is not None else [])


def newest_forecast(matching: dict[str, Any], projects: Sequence[str] | None) -> Stages:
    """Stages that give the newest of the forecasts that match."""
    order = {"issued_at": DESCENDING, "created_at": DESCENDING}
    return [{"$match": matching}, {"$sort": order}, *_whose_job_is_of(projects), {"$limit": 1}]


def newest_of_each_series(projects: Sequence[str] | None) -> Stages:
    """Stages that give the newest forecast of every series, each under the name `newest`."""
    order = dict.fromkeys(SERIES, ASCENDING) | {"issued_at": DESCENDING}
    newest = {"$group": {"_id": {name: f"${name}" for name in SERIES}, "newest": {"$first": "$$ROOT"}}}
    return [*_whose_job_is_of(projects), {"$sort": order}, newest, {"$sort": {"_id": ASCENDING}}]


def _whose_job_is_of(projects: Sequence[str] | None) -> Stages:
    """Stages that keep the forecasts whose job is there and is of one of these projects; None = all."""
    if projects is None:
        return []
    lookup = {
        "from": "jobs",
        "localField": "job_id",
        "foreignField": "_id",
        "pipeline": [{"$match": {"project": {"$in": list(projects)}}}, {"$project": {"_id": 1}}],
        "as": "theirs",
    }
    return [{"$lookup": lookup}, {"$match": {"theirs": {"$ne": []}}}, {"$unset": "theirs"}]


def job_update(issued_at: datetime | None, progress: Progress | None, warnings: Sequence[str]) -> Stages:
    """An update that sets what is given and adds warnings in order, each once."""
    given = {"issued_at": issued_at and to_epoch(issued_at), "progress": progress and to_json(progress)}
    new = {"$setDifference": [{"$literal": list(dict.fromkeys(warnings))}, "$warnings"]}
    in_order = {"$filter": {"input": {"$literal": list(dict.fromkeys(warnings))}, "cond": {"$in": ["$$this", new]}}}
    changes: dict[str, Any] = {name: {"$literal": value} for name, value in given.items() if value is not None}
    return [{"$set": changes | {"warnings": {"$concatArrays": ["$warnings", in_order]}}}]


def _with_queue(wanted: JobFilter) -> Stages:
    """Stages that keep the jobs which have a queue like that."""
    of_queue = {"queue": wanted.queue, "winner": wanted.model}
    given = {name: {"$eq": value} for name, value in of_queue.items() if value is not None}
    lookup = {
        "from": "leaderboards",
        "localField": "_id",
        "foreignField": "job_id",
        "pipeline": [{"$match": given}, {"$limit": 1}, {"$project": {"_id": 1}}],
        "as": "queues",
    }
    return [{"$lookup": lookup}, {"$match": {"queues": {"$ne": []}}}, {"$unset": "queues"}]


def job_of(found: Mapping[str, Any]) -> Job:
    """The job of a document; one that was made before there were retries has no `queued_at`."""
    return job({"queued_at": None, **found, "warnings": to_json(tuple(found["warnings"]), tuple[str, ...])})

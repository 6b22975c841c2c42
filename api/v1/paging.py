"""Cursor pagination: an opaque, signed text says where a page ended, so pages stay stable while new jobs come in."""

from __future__ import annotations

from datetime import UTC, datetime

from itsdangerous import BadData, URLSafeSerializer

from shared.domain.jobs import Job
from shared.errors import MalformedRequest


def cursor_after(job: Job, key: str) -> str:
    """The cursor of the page that begins behind `job`."""
    return str(_signer(key).dumps([job.created_at.isoformat(), job.job_id]))


def position(cursor: str, key: str) -> tuple[datetime, str]:
    """The (created_at, job_id) a cursor stands for; raises MalformedRequest when it is not one of ours."""
    try:
        created_at, job_id = _signer(key).loads(cursor)
        return datetime.fromisoformat(created_at).astimezone(UTC), str(job_id)
    except (BadData, ValueError, TypeError, OverflowError) as error:  # the last three: signed by somebody who knows the key
        raise MalformedRequest(
            "cursor is not one that this service gave out; leave it away to begin with the newest job"
        ) from error


def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="jobs")

"""Cursors: opaque, signed texts that say where a page ended, so that pages stay stable while new records come in."""

from __future__ import annotations

from datetime import UTC, datetime

from itsdangerous import BadData, URLSafeSerializer

from shared.errors import MalformedRequest

Position = tuple[datetime, str]  # created_at and id of the last record of a page


def cursor_after(last: Position, key: str) -> str:
    """The cursor of the page that begins behind a record."""
    created_at, record_id = last
    return str(_signer(key).dumps([created_at.isoformat(), record_id]))


def position(cursor: str | None, key: str) -> Position | None:
    """Where a cursor stands; None = at the beginning. Raises MalformedRequest when it is not one of ours."""
    if cursor is None:
        return None
    try:
        created_at, record_id = _signer(key).loads(cursor)
        return datetime.fromisoformat(created_at).astimezone(UTC), str(record_id)
    except (BadData, ValueError, TypeError, OverflowError) as error:  # the last three: signed by somebody who knows the key
        raise MalformedRequest("cursor is not one that this service gave out; leave it away to begin with the newest") from error


def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="jobs")

"""Where a connection may be written: what its administrator allows, checked when a job is taken and again where it writes."""

from __future__ import annotations

from fnmatch import fnmatchcase

from shared.errors import InvalidRequest
from shared.jobs import Place
from shared.settings import Connection


def check_destination(place: Place, connection: Connection) -> None:
    """Raises InvalidRequest, with what is accepted, for a destination that the connection is not open for."""
    name = "collection" if connection.kind == "mongodb" else "measurement"
    for field, allowed, found in (
        (name, connection.writable, getattr(place, name)),
        ("database", connection.writable_databases, place.database or connection.database),
    ):
        if allowed is not None and not any(fnmatchcase(found or "", each) for each in allowed):
            accepted = ", ".join(allowed) or "none: it is only read"
            raise InvalidRequest(
                f"found {found!r}, {place.name} takes forecasts for {accepted}", field=f"data.destination.{field}"
            )

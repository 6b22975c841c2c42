"""The audit trail of decisions and policies over HTTP: as JSON lines, for administrators."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from flask import Response, request
from pydantic import Field

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import Policy
from api.edge.routing import route
from api.schema import fields
from api.schema.queries import Query
from shared.domain.audits import as_line
from shared.domain.tokens import Scope
from shared.errors import InvalidRequest

MAX_ENTRIES = 50_000  # of one answer
MEDIA = "application/x-ndjson"
TRAIL = Policy(needs=Scope.ADMIN, needs_all_projects=True)


class AuditQuery(Query):
    """Of which time."""

    since: fields.Moment | None = Field(None, description="default: from the first entry on")
    until: fields.Moment | None = Field(None, description="before then; default: up to now")


@route("GET", "/v1/audit", TRAIL, Answers(None, media=(MEDIA,)))
def show_audit(services: Services, query: AuditQuery) -> Response:
    """Show who has done what to decisions and policies, the first first: one JSON object a line.

    Of very many the first are answered, and the header Link says where the rest begins; an entry that is there twice has one id.
    """
    if query.since and query.until and query.since >= query.until:
        raise InvalidRequest(f"since {query.since.isoformat()} is not before until {query.until.isoformat()}", field="since")
    entries = services.store.audits.between(query.since, query.until, MAX_ENTRIES)
    answer = Response("".join(map(as_line, entries)), mimetype=MEDIA)
    if len(entries) == MAX_ENTRIES:
        answer.headers["Link"] = f'<?{_rest(entries[-1].at)}>; rel="next"'
    return answer


def _rest(last_at: datetime) -> str:
    return urlencode({**request.args, "since": last_at.isoformat()})

"""Compression of text answers with gzip, as far as the caller accepts it.

BREACH reads secrets from the lengths of answers that hold both a secret and a text of the attacker's choice, and it needs the
victim's browser to send the victim's cookie along. Both are missing here. No page or answer holds a secret: tokens are shown by
the command line alone, the session's id stands in a header, and what the few forms hold against CSRF differs each time. And the
cookie is SameSite=Strict, so what another site causes is asked by a stranger. Answers to the login's form, which holds a token,
are left as they are all the same.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

from api.edge.policy import current_policy

LEAST_BYTES = 1_000  # less fits into a packet anyway
LEVEL = 6  # 9 takes twice the time for one per cent less
OTHER_TEXTS = {"application/json", "application/x-ndjson", "application/javascript", "application/xml", "image/svg+xml"}
EVENTS = "text/event-stream"
NO_BODY = {204, 206, 304}  # or a part of one


def register(app: Flask) -> None:
    """Compress answers; to be called before ETags are registered, which are then made first, of what is not compressed."""
    app.after_request(_compress)


def is_text(mimetype: str) -> bool:
    """Whether such answers become much smaller."""
    is_named = mimetype in OTHER_TEXTS or mimetype.endswith(("+json", "+xml"))
    return is_named or (mimetype.startswith("text/") and mimetype != EVENTS)


def is_wanted() -> bool:
    """Whether the caller takes gzip for the whole of what it asks for; a part of it (Range) is counted in its own bytes."""
    return request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers


def put(answer: Response, compressed: bytes) -> None:
    """Let the answer have this body."""
    answer.set_data(compressed)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.pop("Accept-Ranges", None)


def _compress(answer: Response) -> Response:
    if not is_text(answer.mimetype or ""):
        return answer
    answer.vary.add("Accept-Encoding")
    if answer.is_streamed or answer.status_code in NO_BODY or not _may_change(answer):
        return answer
    if is_wanted() and len(answer.get_data()) >= LEAST_BYTES:
        put(answer, gzip.compress(answer.get_data(), LEVEL, mtime=0))
    return answer


def _may_change(answer: Response) -> bool:
    """Whether its bytes may be others: a strong ETag is of just these, and a PUT may send it back in If-Match."""
    etag, is_weak = answer.get_etag()
    policy = current_policy()
    return (etag is None or is_weak is True) and "Content-Encoding" not in answer.headers and not (policy and policy.logs_in)

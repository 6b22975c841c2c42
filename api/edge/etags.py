"""ETags of JSON answers, and of the parts of pages that browsers ask for again and again: what has changed is sent, else 304.

They are weak: of the content, which compression gives two forms (RFC 9110, 8.8.1).
"""

from __future__ import annotations

from flask import Flask, Response, request

from api.edge.identity import is_reading

ANSWERED = 200


def register(app: Flask) -> None:
    """Give every JSON answer to a question its ETag, and every part of a page, and obey If-None-Match."""
    app.after_request(_conditional)


def _conditional(answer: Response) -> Response:
    if answer.status_code != ANSWERED or not is_reading() or answer.is_streamed or not (answer.is_json or _is_part(answer)):
        return answer
    if not answer.is_json:
        answer.headers["Cache-Control"] = (
            "private, no-cache"  # kept and asked for again; a whole page would be shown after logout
        )
        answer.vary.update(("Cookie", "HX-Request"))
    answer.add_etag(weak=True)
    answer.make_conditional(request)
    return answer


def _is_part(answer: Response) -> bool:
    """Whether htmx has asked for a part of the page that it shows; it alone is sent again and again."""
    return answer.mimetype == "text/html" and "HX-Request" in request.headers

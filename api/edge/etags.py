"""ETags of JSON answers: who asks again and again, as for a job's progress, is sent what has changed, else 304 and no body."""

from __future__ import annotations

from flask import Flask, Response, request

from api.edge.identity import is_reading

ANSWERED = 200


def register(app: Flask) -> None:
    """Give every JSON answer to a question its ETag, and obey If-None-Match."""
    app.after_request(_conditional)


def _conditional(answer: Response) -> Response:
    if answer.status_code != ANSWERED or not is_reading() or not answer.is_json or answer.is_streamed:
        return answer
    answer.add_etag()
    answer.make_conditional(request)
    return answer

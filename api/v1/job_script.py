"""A job as a script that runs it again: its request, with the end of its history as it was."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime

from flask import Response, request

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ
from api.edge.projects import visible
from api.edge.routing import route
from api.v1.asked import said
from shared.domain.jobs import Job
from shared.domain.runs import Run
from shared.store.jobs import JOBS

MEDIA = "text/x-shellscript"
SCRIPT = """\
#!/bin/sh
# Runs the job {job_id} again, on the history that it had: up to {as_of}.
# {about}
set -eu
[ -n "${{QUEUECAST_URL:-}}" ] || QUEUECAST_URL={url}
export QUEUECAST_URL
queuecast submit --wait - <<'REQUEST'
{body}
REQUEST
"""


ABOUT = {
    Run.SEARCH: "The same data, connections and release give the same forecast; what was delivered late since is in it, too.",
    Run.REFIT: "It was a refit of the winners of a schedule; this one lets all candidates compete.",
    Run.ACTUALS: "It has only read actual values; this one makes a forecast.",
}


@route("GET", "/v1/jobs/<job_id>/script", READ, Answers(None, media=(MEDIA,)))
def show_script(services: Services, job_id: str) -> Response:
    """Show a job as a shell script that submits its request again, with `as_of` at the end of the history that it had."""
    job = visible(services, JOBS, job_id)
    as_of = known_until(job).astimezone(UTC).isoformat()
    body = json.dumps(said(services, job.request) | {"as_of": as_of}, indent=2)  # ASCII: no line of it ends the document
    url = shlex.quote(request.host_url.rstrip("/"))
    text = SCRIPT.format(job_id=job.job_id, as_of=as_of, about=ABOUT[job.run], url=url, body=body)
    return Response(text, mimetype=MEDIA, headers={"Content-Disposition": f"inline; filename={job.job_id}.sh"})


def known_until(job: Job) -> datetime:
    """The `as_of` that gives the issue time of the job again: it may have been tried later than it was asked for."""
    if job.issued_at is None or job.request.as_of is not None:
        return job.request.as_of or job.created_at
    delay = job.request.ingestion_delay
    return job.issued_at if delay is None else delay.after(job.issued_at)

"""What submitting is compared with: a Flask route that does the same two writes and nothing else."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from flask import Flask, jsonify, request

from api.edge.bind_address import bind
from api.server.running import serve_until_asked
from shared.config.settings import Settings, load_settings
from shared.domain.jobs import Job
from shared.fleet.runstate import RunState
from shared.store import open_store
from tests.factories import a_request


def create_app(settings: Settings) -> Flask:
    """One route: a row in the store, a beginning in the run state; the body is parsed and not looked at."""
    app, wanted = Flask("bare"), a_request()
    run_state = RunState.open(settings, is_patient=False)
    store = open_store(settings.store_location)

    @app.post("/v1/jobs")
    def submit() -> tuple[Any, int]:
        request.get_json()
        job = Job(job_id=token_hex(10), request=wanted, created_at=datetime.now(UTC))
        store.jobs.add(job)
        run_state.begin_job(job.job_id, job.deadline_at)
        return jsonify(job_id=job.job_id), 202

    @app.get("/readyz")
    def ready() -> str:
        return "yes"

    return app


if __name__ == "__main__":
    read = load_settings()
    serve_until_asked(create_app(read), bind("127.0.0.1", int(sys.argv[1])), read)

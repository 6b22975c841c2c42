"""The fleet through HTTP only, by a client that repeats what was not answered, as a user's script would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import urllib3

from tests.api.bodies import a_body
from tests.chaos.fleet import ChaosFleet
from tests.chaos.verdict import HORIZON, Expected
from tests.factories import MONDAY
from tests.polling import eventually


def submit_outside(fleet: ChaosFleet, name: str, **fields: Any) -> str:
    """Submit with an Idempotency-Key until an answer comes; returns the job's id."""
    body = a_body() | {"job_name": name, "as_of": MONDAY.isoformat(), "deadline": "10min"} | fields
    answer = eventually(
        lambda: _ask(fleet, "POST", "/v1/jobs", json=body, headers={"Idempotency-Key": name}), what="the API's answer"
    )
    return str(answer["job_id"])


def wrongs_outside(fleet: ChaosFleet, expected: Expected) -> Iterator[str]:
    """What a user sees of a job that has ended and should not."""
    path = f"/v1/jobs/{expected.job_id}"
    job = eventually(lambda: _ask(fleet, "GET", path), what="the API's answer")
    if job["state"] != expected.state:
        yield f"{expected.job_id} is {job['state']} outside, not {expected.state}"
    for queue in expected.queues:
        report = eventually(lambda queue=queue: _ask(fleet, "GET", f"{path}/queues/{queue}"), what="the API's answer")
        steps = len((report["forecast"] or {}).get("steps", ()))
        if steps != HORIZON:
            yield f"{queue} of {expected.job_id} has {steps} steps outside"


def _ask(fleet: ChaosFleet, method: str, path: str, **options: Any) -> dict[str, Any] | None:
    """The answer; None when there is none, or the service is not there for it."""
    try:
        answer = urllib3.request(method, f"http://127.0.0.1:{fleet.port}{path}", timeout=60, retries=False, **options)
    except urllib3.exceptions.HTTPError:
        return None
    assert answer.status in {200, 202, 503}, answer.data
    return None if answer.status == 503 else answer.json()

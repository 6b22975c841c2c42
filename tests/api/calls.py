"""Every method of every rule of an application, with an address that fits it and the policy that stands on its view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.edge.policy import Policy

SERVED = (  # what the document describes
    ("POST", "/v1/jobs"),
    ("POST", "/v1/jobs/validate"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/{job_id}"),
    ("POST", "/v1/jobs/{job_id}/cancel"),
    ("POST", "/v1/jobs/{job_id}/retry"),
    ("GET", "/v1/jobs/{job_id}/queues"),
    ("GET", "/v1/jobs/{job_id}/queues/{queue}"),
    ("GET", "/v1/queues"),
    ("GET", "/v1/queues/{queue}/series"),
    ("GET", "/v1/models"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/version"),
    ("GET", "/v1/queues/{queue}/accuracy"),
    ("GET", "/v1/queues/{queue}/forecasts"),
    ("GET", "/v1/schedules"),
    ("POST", "/v1/schedules"),
    ("GET", "/v1/schedules/{schedule_id}"),
    ("DELETE", "/v1/schedules/{schedule_id}"),
    ("POST", "/v1/schedules/{schedule_id}/pause"),
    ("POST", "/v1/schedules/{schedule_id}/resume"),
)
SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A way to call a view."""

    method: str
    path: str
    endpoint: str
    policy: Policy

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_change(self) -> bool:
        """Whether the method is one that changes something."""
        return self.method not in SAFE

    def send(self, client: FlaskClient, **options: Any) -> TestResponse:
        """The answer; a body is an empty object, unless another one is given."""
        body = {} if "data" in options else {"json": {} if self.policy.body and self.is_change else None}
        return client.open(self.path, method=self.method, **(body | options))


def calls(app: Flask) -> Iterator[Call]:
    """Of every rule every method, HEAD and OPTIONS included."""
    for rule in app.url_map.iter_rules():
        path, policy = re.sub(r"<[^>]+>", "x", rule.rule), vars(app.view_functions[rule.endpoint])["policy"]
        for method in sorted(rule.methods or ()):
            yield Call(method=method, path=path, endpoint=rule.endpoint, policy=policy)

"""Every method of every rule of an application, with an address that fits it and the policy that stands on its view."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import ops, v1
from api.edge import sessions
from api.edge.context import Services
from api.edge.policy import Policy
from api.edge.routing import add_routes
from api.ops import openapi
from shared.config.settings import Settings

Operation = tuple[str, str]  # method and path

SAFE = {"GET", "HEAD", "OPTIONS"}


@cache
def described() -> dict[Operation, dict[str, Any]]:
    """What the document describes, in its order."""
    app = Flask("document")
    add_routes(app, Services(settings=Settings()), v1, ops, sessions)
    with app.app_context():
        paths: dict[str, dict[str, Any]] = json.loads(openapi.document())["paths"]
    return {(method.upper(), path): operation for path, methods in paths.items() for method, operation in methods.items()}


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

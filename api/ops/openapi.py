"""The OpenAPI document at /openapi.json; the page that makes it readable is api/dashboard/docs_page.py."""

from __future__ import annotations

import json
from functools import cache

from flask import Response

from api.edge.document import JSON, SPEC
from api.edge.policy import PAGE
from api.edge.routing import route

TAGS = ("jobs", "queues", "schedules", "models", "health")  # the order in which people need them; others come last


@cache
def document() -> str:
    """The document as JSON; the first call needs an application context."""
    spec = SPEC.spec
    return json.dumps(spec | {"tags": sorted(spec["tags"], key=lambda tag: [*TAGS, tag["name"]].index(tag["name"]))})


@route("GET", "/openapi.json", PAGE)
def show_document() -> Response:
    """Show the document."""
    return Response(document(), mimetype=JSON)

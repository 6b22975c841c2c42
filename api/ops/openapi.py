"""The OpenAPI document at /openapi.json, and the page that makes it readable at /docs."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from flask import Response
from spectree.page import PAGE_TEMPLATES

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


@route("GET", "/docs", PAGE)
def show_docs() -> Response:
    """Show the document as a page for people."""
    page, policy = _docs()
    return Response(page, mimetype="text/html", headers={"Content-Security-Policy": policy})


@cache
def _docs() -> tuple[str, str]:
    """The page with the viewer inside, and the policy that lets just its scripts run."""
    page = PAGE_TEMPLATES["swagger"].format(spec_url="openapi.json")
    scripts = " ".join(_source(script) for script in re.findall("<script>(.*?)</script>", page, re.DOTALL))
    sources = f"script-src {scripts}; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
    return page, f"default-src 'none'; {sources}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


def _source(text: str) -> str:
    """A script as a content security policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

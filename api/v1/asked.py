"""What a body asks for: the request of one of the caller's projects, where it says nothing as its source's kind means it."""

from __future__ import annotations

from dataclasses import replace

from api.edge.context import Services
from api.edge.projects import of_the_caller
from api.schema.requests import JobBody
from shared.config.connection import Meant
from shared.domain.codec import Document, to_said
from shared.domain.jobs import JobRequest


def asked(services: Services, body: JobBody) -> JobRequest:
    """Raises ProjectForbidden."""
    request = of_the_caller(body.to_request())
    connection = services.settings.all_connections.get(request.data.sources[0].name)
    if connection is None or not connection.serves(request.project):
        return request
    said, meant = body.model_fields_set, connection.meant
    return replace(
        request,
        target=request.target if "target" in said else meant.target,
        aggregation=request.aggregation if "aggregation" in said else meant.aggregation,
    )


def said(services: Services, request: JobRequest) -> Document:
    """The request as one would write it: without what it would mean anyway."""
    connection = services.settings.all_connections.get(request.data.sources[0].name)
    if connection is None or connection.meant == Meant():
        return to_said(request)
    return to_said(request) | {"target": request.target, "aggregation": request.aggregation.value}

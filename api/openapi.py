"""The OpenAPI document at /openapi.json, and the page that makes it readable at /docs."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from spectree import SpecTree
from spectree.model_adapter.pydantic_adapter import PydanticModelAdapter
from spectree.page import PAGE_TEMPLATES

from api.problems import MEDIA_TYPE, Problem
from shared.durations import Duration

ABOUT = "Forecasts how much of each queue's capacity will be used. Submit a job, follow it, read forecasts and leaderboards."
OPEN = {"/healthz", "/readyz"}  # without a token
REFUSALS = {"401": "a valid token is needed", "403": "the token is not for this", "429": "too many requests"}
WAIT = {"Retry-After": {"description": "seconds until trying again makes sense", "schema": {"type": "integer"}}}
HEADERS: dict[str, dict[str, Any]] = {  # status → the headers that only it has
    "401": {"WWW-Authenticate": {"description": "what is accepted", "schema": {"type": "string"}}},
    "429": WAIT,
    "202": {"Location": {"description": "where the job is shown", "schema": {"type": "string"}}},
    "503": WAIT,
}


class _Schema(GenerateJsonSchema):
    """Defaults as they are written in requests; pydantic would take a duration apart."""

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, Duration) else super().encode_default(dft)


class _Adapter(PydanticModelAdapter):
    def json_schema(self, model: type[BaseModel], *, ref_template: str, mode: JsonSchemaMode = "validation") -> dict[str, Any]:
        return model.model_json_schema(ref_template=ref_template, mode=mode, schema_generator=_Schema)

    def validation_errors(self, err: ValidationError) -> list[object]:  # noqa: ARG002 - its protocol
        """None: api.problems answers a refused form; the list of all with what was sent has a size without limit."""
        return []


def make_spec(version: str) -> SpecTree:
    """What collects the operations and checks their requests; schemas are named like our classes."""
    return SpecTree(
        "flask",
        title="Queuecast",
        version=version,
        description=ABOUT,
        model_adapter=_Adapter(),  # type: ignore[arg-type] # spectree's own adapter does not fit its protocol either
        validation_error_model=Problem,
        naming_strategy=lambda model: model.__name__,
        nested_naming_strategy=lambda _parent, child: child,
    )


def blueprint(spec: SpecTree) -> Blueprint:
    """The routes /openapi.json and /docs; to be called within an application context, when all other routes are there."""
    document = json.dumps(finished(spec.spec))
    routes = Blueprint("openapi", __name__)
    routes.get("/openapi.json")(lambda: Response(document, mimetype="application/json"))
    routes.get("/docs")(_show_docs)
    return routes


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """The document as spectree makes it, with what it does not know: media types of problems, headers, CSV, metrics."""
    for address, path in document["paths"].items():
        for operation in path.values():
            _finish(operation, is_open=address in OPEN)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "qc_…"}}
    series = document["paths"]["/v1/queues/{queue}/series"]["get"]["responses"]["200"]["content"]
    series["text/csv"] = {"schema": {"type": "string"}}
    document["paths"]["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return document


def _finish(operation: dict[str, Any], *, is_open: bool) -> None:
    for parameter in operation["parameters"]:
        parameter["schema"] = _never_null(parameter["schema"])
    answers = operation["responses"]
    if not is_open:
        operation["security"] = [{"token": []}, {}]  # none is needed while there is none
        told = answers["500"]["content"]
        answers |= {status: {"description": text, "content": told} for status, text in REFUSALS.items()}
    if not operation.get("requestBody") and all(parameter["in"] == "path" for parameter in operation["parameters"]):
        answers.pop("422", None)  # there is nothing to refuse
    for status, answer in answers.items():
        if status >= "400":
            answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
        if status in HEADERS:
            answer["headers"] = HEADERS[status]


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which is left away rather than null."""
    accepted: list[dict[str, Any]] = [form for form in schema.get("anyOf", []) if form != {"type": "null"}]
    if len(accepted) != 1:
        return schema
    return {name: value for name, value in schema.items() if name not in {"anyOf", "default"}} | accepted[0]


def _show_docs() -> Response:
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

"""`/docs`: the OpenAPI document as a page, with every field said once and an example of each call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from shlex import quote

from flask import render_template

from api.edge.document import JSON
from api.edge.policy import PAGE
from api.edge.routing import route
from api.ops.openapi import document
from shared.domain.codec import Document

METHODS = ("get", "post", "put", "delete")
HERE = "http://127.0.0.1:8080"
MOMENT = "2026-01-05T09:00:00Z"
DEPTH = 3  # of an example; what lies deeper is an empty object
SAMPLES: dict[str, object] = {"string": "…", "integer": 1, "number": 1.5, "boolean": True, "null": None}
WORTH_SAYING = {"minimum": "from", "maximum": "to", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. of: names of the schemas it is made of, which are linked. limits: what is accepted, in words."""

    name: str
    kind: str
    of: tuple[str, ...]
    is_required: bool
    limits: str
    about: str
    where: str = ""  # path, query or header


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. answers: status, what it means, media types, and the schema, if there is one."""

    key: str
    method: str
    path: str
    tag: str
    summary: str
    about: str
    is_open: bool
    fields: list[Field]
    body: str
    curl: str
    answers: list[tuple[str, str, str, str]]
    example: str


@route("GET", "/docs", PAGE)
def show_docs() -> str:
    """The page."""
    calls, schemas = _described()
    return render_template("docs.html", calls=calls, schemas=schemas, tags=dict.fromkeys(call.tag for call in calls))


@cache
def _described() -> tuple[list[Call], dict[str, tuple[str, list[Field]]]]:
    """The calls in the order of their tags, and the fields of each schema."""
    whole = json.loads(document())
    schemas: dict[str, Document] = whole["components"]["schemas"]
    order = [tag["name"] for tag in whole["tags"]]
    calls = [
        _call(method.upper(), path, item[method], schemas)
        for path, item in whole["paths"].items()
        for method in METHODS
        if method in item
    ]
    told = {name: (schema.get("description", ""), _fields(schema)) for name, schema in sorted(schemas.items())}
    return sorted(calls, key=lambda call: order.index(call.tag)), told


def _call(method: str, path: str, said: Document, schemas: dict[str, Document]) -> Call:
    body = _name(_content(said.get("requestBody", {})))
    answers = [
        (status, answer["description"], ", ".join(answer.get("content", {})), _name(_content(answer)))
        for status, answer in sorted(said["responses"].items())
        if status != "500"
    ]
    good = next((answer for status, _, _, answer in answers if status < "300"), "")
    return Call(
        key=said["operationId"],
        method=method,
        path=path,
        tag=said["tags"][0],
        summary=said.get("summary", ""),
        about=said.get("description", ""),
        is_open="security" not in said,
        fields=[_parameter(each) for each in said.get("parameters", [])],
        body=body,
        curl=_curl(method, path, said, _of_body(schemas, body)),
        answers=answers,
        example=_as_text(_sample(schemas[good], schemas, DEPTH)) if good else "",
    )


def _parameter(said: Document) -> Field:
    return _field(said["name"], said["schema"], said.get("required", False), said.get("description", ""), said["in"])


def _fields(schema: Document) -> list[Field]:
    needed = schema.get("required", [])
    return [
        _field(name, said, name in needed, said.get("description", "")) for name, said in schema.get("properties", {}).items()
    ]


def _field(name: str, said: Document, is_required: bool, about: str, where: str = "") -> Field:
    limits = [f"{word} {said[key]}" for key, word in WORTH_SAYING.items() if key in said]
    if "enum" in said:
        limits.append("one of " + ", ".join(map(str, said["enum"])))
    if said.get("default") is not None:
        limits.append(f"default {json.dumps(said['default'])}")
    of = tuple(dict.fromkeys(_names(said)))
    kind = " or ".join(dict.fromkeys(_kinds(said)))
    return Field(name=name, kind=kind, of=of, is_required=is_required, limits=", ".join(limits), about=about, where=where)


def _kinds(said: Document) -> Iterator[str]:
    """The types that a value may have, in words: `list of string`, `null`."""
    either = said.get("anyOf") or said.get("oneOf") or said.get("allOf")
    if "$ref" in said:
        yield "object"
    elif either:
        for one in either:
            yield from _kinds(one)
    elif said.get("type") == "array":
        yield f"list of {' or '.join(dict.fromkeys(_kinds(said.get('items', {}))))}"
    else:
        kind = said.get("type", "any")
        yield from kind if isinstance(kind, list) else [said.get("format") or kind]


def _names(said: object) -> Iterator[str]:
    """The schemas that a value refers to."""
    if isinstance(said, dict):
        if "$ref" in said:
            yield _name(said)
        for key in ("anyOf", "oneOf", "allOf", "items", "additionalProperties"):
            yield from _names(said.get(key))
    elif isinstance(said, list):
        for one in said:
            yield from _names(one)


def _name(said: Document) -> str:
    return str(said.get("$ref", "")).rpartition("/")[2]


def _content(said: Document) -> Document:
    content: Document = said.get("content", {})
    first: Document = next(iter(content.values()), {"schema": {}})
    found: Document = first.get("schema", {})
    return found


def _of_body(schemas: dict[str, Document], name: str) -> object:
    """An example that is given, else of what has to be there."""
    if not name:
        return None
    schema = schemas[name]
    given = schema.get("examples")
    return given[0] if given else _sample(schema, schemas, DEPTH, only_required=True)


def _sample(said: Document, schemas: dict[str, Document], depth: int, *, only_required: bool = False) -> object:
    """A value as it may look."""
    if "$ref" in said:
        return _sample(schemas[_name(said)], schemas, depth, only_required=only_required)
    given = said.get("examples") or said.get("enum") or ([said["default"]] if said.get("default") is not None else None)
    if given:
        return given[0]
    either = said.get("anyOf") or said.get("oneOf") or said.get("allOf")
    if either:
        return _sample(either[0], schemas, depth, only_required=only_required)
    return _sample_of_type(said, schemas, depth, only_required=only_required)


def _sample_of_type(said: Document, schemas: dict[str, Document], depth: int, *, only_required: bool) -> object:
    """A value of a type that no example is given of."""
    if said.get("type") == "array":
        return [_sample(said.get("items", {}), schemas, depth - 1, only_required=only_required)] if depth > 0 else []
    if "properties" in said and depth > 0:
        needed = said.get("required", []) if only_required else said["properties"]
        return {name: _sample(said["properties"][name], schemas, depth - 1, only_required=only_required) for name in needed}
    if said.get("format") == "date-time":
        return MOMENT
    kinds = said.get("type", "")
    return SAMPLES.get(str(kinds[0] if isinstance(kinds, list) else kinds), {})


def _curl(method: str, path: str, said: Document, body: object) -> str:
    """The call as a command for a shell."""
    needed = [f"{each['name']}=…" for each in said.get("parameters", []) if each["in"] == "query" and each.get("required")]
    address = HERE + path.replace("{", "").replace("}", "") + ("?" + "&".join(needed) if needed else "")
    parts = ["curl", *(["-X", method] if method != "GET" else []), quote(address)]
    if "security" in said:
        parts += ["\\\n  -H", '"Authorization: Bearer $QUEUECAST_TOKEN"']
    if body is not None:
        parts += ["\\\n  -H", quote(f"Content-Type: {JSON}"), "\\\n  -d", quote(json.dumps(body, ensure_ascii=False))]
    return " ".join(parts)


def _as_text(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)

"""`@route(...)`: which address a view answers, with its policy and what the OpenAPI document says of it.

    @route("POST", "/v1/jobs", WRITE, Gives(JobAccepted, 202))
    def submit_job(services: Services, json: JobBody, headers: SubmitHeaders) -> ...

`json`, `query` and `headers` are read and checked as their annotations say; a view that names `services` gets those of its
application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, wraps
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any, TypeVar, get_type_hints

from flask import Blueprint, Flask
from pydantic import BaseModel

from api.context import Services
from api.edge.document import SPEC, TOKEN, Answers, Gives, problem_statuses
from api.edge.policy import Policy
from api.problems import refusing

V = TypeVar("V", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address and what answers there: the view, with its request checked; its policy is an attribute of both."""

    method: str
    rule: str
    endpoint: str
    answer: Callable[..., Any]


def route(
    method: str,
    rule: str,
    policy: Policy,
    gives: Gives | None = None,
    *,
    refuse: Callable[..., None] | None = None,
    endpoint: str | None = None,
) -> Callable[[V], V]:
    """Let the view answer the address.

    Args:
        method: of HTTP; GET includes HEAD.
        rule: the address as werkzeug writes rules.
        policy: who may ask, and what is noted of it; its body is the form that the view names `json`, if it names one.
        gives: what the document says of the answer; None = it says nothing of this route, which is for people.
        refuse: answers a form that is refused; by default with 422 and all that is wrong.
        endpoint: its name; that of the view by default.
    """

    def mark(view: V) -> V:
        body = get_type_hints(view).get("json", policy.body)
        whole = replace(policy, body=body, body_is_optional=body is not None and not _has_required(body))
        answer: Callable[..., Any] = _checked(view, rule, whole, gives, refuse) if gives else view
        answer.policy = whole  # type: ignore[attr-defined] # functions have room for more
        name = endpoint or view.__name__
        view.route = Route(method=method, rule=rule, endpoint=name, answer=answer)  # type: ignore[attr-defined]
        return view

    return mark


def add_routes(target: Flask | Blueprint, services: Services, *rooms: ModuleType) -> None:
    """Let an application answer at the routes of these modules, and of all modules of these packages."""
    for marked in (marked for room in rooms for module in _modules(room) for marked in _routes(module)):
        answer = marked.answer
        if "services" in signature(answer).parameters:
            answer = wraps(answer)(partial(answer, services=services))  # and its policy
        target.add_url_rule(marked.rule, marked.endpoint, answer, methods=[marked.method])


def check_policies(app: Flask) -> None:
    """Raises RuntimeError naming every view that the application has without a policy."""
    bare = [name for name, view in app.view_functions.items() if not isinstance(getattr(view, "policy", None), Policy)]
    if bare:
        raise RuntimeError(f"without a policy: {', '.join(sorted(bare))}; `@route` gives them one")


def _checked(
    view: Callable[..., Any], rule: str, policy: Policy, gives: Gives, refuse: Callable[..., None] | None
) -> Callable[..., Any]:
    """The view, which the document describes, behind a check of what it is asked."""
    form = policy.body or get_type_hints(view).get("query")
    checked: Callable[..., Any] = SPEC.validate(
        json=policy.body,
        resp=Answers(gives, problem_statuses(policy, rule, asks=form is not None)),
        tags=[_tag(rule)],
        operation_id=view.__name__,
        security=TOKEN if policy.needs else None,
        before=refuse or (refusing(form) if form else None),
    )(view)
    return checked


def _modules(room: ModuleType) -> Iterator[ModuleType]:
    yield room
    for inner in iter_modules(getattr(room, "__path__", [])):
        yield import_module(f"{room.__name__}.{inner.name}")


def _routes(module: ModuleType) -> Iterator[Route]:
    for view in vars(module).values():
        if isinstance(view, FunctionType) and view.__module__ == module.__name__ and hasattr(view, "route"):
            yield view.route


def _has_required(form: type[BaseModel]) -> bool:
    return any(field.is_required() for field in form.model_fields.values())


def _tag(rule: str) -> str:
    """`jobs` of /v1/jobs/…; what stands outside /v1 tells how the service is."""
    return rule.split("/")[2] if rule.startswith("/v1/") else "health"

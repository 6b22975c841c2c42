"""`@route(...)`: which address a view answers, with its policy and what the OpenAPI document says of it.

    @route("POST", "/v1/jobs", WRITE, Answers(JobAccepted, 202))
    def submit_job(services: Services, json: JobBody, headers: SubmitHeaders) -> ...

`json`, `query` and `headers` are read and checked as their annotations say; a view that names `services` gets those of its
application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, wraps
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import TypeVar, cast, get_type_hints

from flask import Blueprint, Flask, Response, abort
from pydantic import BaseModel, ValidationError
from werkzeug.routing import PathConverter

from api.edge.context import Services
from api.edge.document import SPEC, TOKEN, Answers, problem_statuses
from api.edge.policy import Policy
from api.edge.problems import refusal
from shared.domain.outgoing import from_path, in_path

V = TypeVar("V", bound=Callable[..., object])


def route(
    method: str,
    rule: str,
    policy: Policy,
    answers: Answers | None = None,
    *,
    refuse: Callable[[ValidationError], Response] | None = None,
    endpoint: str | None = None,
) -> Callable[[V], V]:
    """Let the view answer the address.

    Args:
        method: of HTTP; GET includes HEAD.
        rule: the address as werkzeug writes rules.
        policy: who may ask, and what is noted of it; its body is the form that the view names `json`, if it names one.
        answers: what the document says of them; None = it says nothing of this route, which is for people.
        refuse: answers a form that is not accepted; by default with 422 and all that is wrong.
        endpoint: its name; that of the view by default.
    """

    def mark(view: V) -> V:
        body = get_type_hints(view).get("json", policy.body)
        whole = replace(policy, body=body, body_is_optional=body is not None and not _has_required(body))
        answer = cast("V", _checked(view, rule, whole, answers, refuse)) if answers else view
        vars(answer).update(policy=whole, route=(rule, endpoint or view.__name__, method))
        return answer

    return mark


class NamePath(PathConverter):
    """`<path:name>`: a name of any characters, as addresses have it."""

    regex = "[^/](?s:.*?)"  # line breaks too: else such an address would be nobody's, and tell a stranger 404 instead of 401

    def to_python(self, value: str) -> str:
        """The name; werkzeug has percent-decoded it."""
        return from_path(value)

    def to_url(self, value: str) -> str:
        """The name in an address of ours."""
        return in_path(value)


def add_routes(target: Flask | Blueprint, services: Services, *rooms: ModuleType) -> None:
    """Let an application answer at the routes of these modules, and of all modules of these packages."""
    for view in (view for room in rooms for view in _views(room)):
        takes_services = "services" in signature(view).parameters
        answer = wraps(view)(partial(view, services=services)) if takes_services else view  # with the policy
        rule, endpoint, method = vars(view)["route"]
        target.add_url_rule(rule, endpoint, answer, methods=[method])


def check_policies(app: Flask) -> None:
    """Raises RuntimeError naming every view that the application has without a policy."""
    bare = [name for name, view in app.view_functions.items() if "policy" not in vars(view)]
    if bare:
        raise RuntimeError(f"without a policy: {', '.join(sorted(bare))}; `@route` gives them one")


def _checked(
    view: Callable[..., object], rule: str, policy: Policy, answers: Answers, refuse: Callable[[ValidationError], Response] | None
) -> Callable[..., object]:
    """The view, which the document describes, behind a check of what it is asked."""
    form = policy.body or get_type_hints(view).get("query")
    answers.refuse(problem_statuses(policy, rule, asks=form is not None))

    def check(_request: object, _response: object, error: Exception | None, *_: object) -> None:
        if isinstance(error, ValidationError) and form is not None:
            abort(refuse(error) if refuse else refusal(error, form))

    checked: Callable[..., object] = SPEC.validate(
        json=policy.body,
        resp=answers,
        tags=[_tag(rule)],
        operation_id=view.__name__,
        security=TOKEN if policy.needs else None,
        before=check,
    )(view)
    return checked


def _views(room: ModuleType) -> Iterator[FunctionType]:
    names = [room.__name__, *(f"{room.__name__}.{inner.name}" for inner in iter_modules(getattr(room, "__path__", [])))]
    for module in map(import_module, names):
        for view in vars(module).values():
            if isinstance(view, FunctionType) and view.__module__ == module.__name__ and "route" in vars(view):
                yield view


def _has_required(form: type[BaseModel]) -> bool:
    return any(field.is_required() for field in form.model_fields.values())


def _tag(rule: str) -> str:
    """`jobs` of /v1/jobs/…; what stands outside /v1 tells how the service is."""
    return rule.split("/")[2] if rule.startswith("/v1/") else "health"

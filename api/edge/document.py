"""The OpenAPI document, collected from the routes by spectree, which also validates their requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

import spectree
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from spectree import SpecTree
from spectree.model_adapter.pydantic_adapter import PydanticModelAdapter

from api.edge.policy import Policy
from api.edge.problems import MEDIA_TYPE, Problem
from shared.domain.codec import Document
from shared.domain.durations import Duration

ABOUT = "Forecasts how much of each queue's capacity will be used. Submit a job, follow it, read forecasts and leaderboards."
JSON = "application/json"
TOKEN: list[dict[str, list[str]]] = [{"token": []}, {}]  # {}: none is needed while no token exists
REFUSALS = {401: "a valid token is needed", 403: "the token is not for this", 429: "too many requests"}
LOCATION = {"Location": {"description": "where it is shown", "schema": {"type": "string"}}}
WAIT = {"Retry-After": {"description": "seconds until trying again makes sense", "schema": {"type": "integer"}}}
HEADERS: dict[str, Document] = {  # status → the headers that only it has
    "201": LOCATION,
    "202": LOCATION,
    "401": {"WWW-Authenticate": {"description": "what is accepted", "schema": {"type": "string"}}},
    "429": WAIT,
    "503": WAIT,
}


class Answers(spectree.Response):
    """The documented answers of one operation, beside those that follow from its policy and its address.

    model: of the JSON; None = it is no JSON, or empty. media: all forms that it may have.
    refuses: statuses with which the view may refuse.
    """

    def __init__(
        self, model: type[BaseModel] | None, status: int = 200, *, media: tuple[str, ...] = (JSON,), refuses: Iterable[int] = ()
    ) -> None:
        super().__init__(**{f"HTTP_{status}": model})
        self._status, self._media = str(status), media
        self.refuse(refuses)

    def refuse(self, statuses: Iterable[int]) -> None:
        """Document that it may be refused with these."""
        for status in statuses:
            self.add_model(status, Problem, description=REFUSALS.get(status))

    def find_model(self, code: int) -> type[BaseModel] | None:
        """The model that spectree validates an answer against; None where it may be another type than JSON."""
        return super().find_model(code) if self._media == (JSON,) else None

    def generate_spec(self, *names: Callable[[type[BaseModel]], str]) -> dict[str, Document]:
        """The answers by status, with their media types and headers."""
        answers: dict[str, Document] = super().generate_spec(*names)
        for status, answer in answers.items():
            if status in HEADERS:
                answer["headers"] = HEADERS[status]
            if status != self._status:
                answer["content"] = {MEDIA_TYPE: answer["content"][JSON]}
        others = {media: {"schema": {"type": "string"}} for media in self._media if media != JSON}
        if others:
            answers[self._status].setdefault("content", {}).update(others)
        return answers


def problem_statuses(policy: Policy, rule: str, *, asks: bool) -> Iterator[int]:
    """With which problems a route may be answered; `asks`: it takes a body or a query."""
    if policy.identifies:
        yield 503
    if policy.needs:
        yield from REFUSALS
    if policy.body:
        yield from (400, 413, 415)
    if asks:
        yield 422
    if "<" in rule:
        yield 404


class _Schema(GenerateJsonSchema):
    """Defaults as they are written in requests; pydantic would take a duration apart."""

    def encode_default(self, dft: object) -> object:
        return str(dft) if isinstance(dft, Duration) else super().encode_default(dft)


class _Adapter(PydanticModelAdapter):
    def json_schema(self, model: type[BaseModel], *, ref_template: str, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        return model.model_json_schema(ref_template=ref_template, mode=mode, schema_generator=_Schema)

    def validation_errors(self, err: ValidationError) -> list[object]:  # noqa: ARG002 - its protocol
        """Nothing: api.edge.problems answers a refused form, with a limit on its size that spectree's list has not."""
        return []


SPEC = SpecTree(  # of all routes of this process; schemas are named like our classes
    "flask",
    mode="strict",
    title="Queuecast",
    version=version("queuecast"),
    description=ABOUT,
    model_adapter=_Adapter(),  # type: ignore[arg-type] # spectree's own adapter does not fit its protocol either
    validation_error_status=500,  # what it tells of every operation; a form is refused with 422 before
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[{"name": "token", "data": {"type": "http", "scheme": "bearer", "bearer_format": "qc_…"}}],
)

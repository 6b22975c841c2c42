"""What is wrong with a form, field by field: short enough for an answer, whatever was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from api.schema.fields import EXAMPLES, ONE, SEVERAL
from shared.domain.wording import accepted, meant

MAX_PROBLEMS = 100  # nobody mends more at a time
MAX_BYTES = 48_000  # of all of them
MAX_PART_LENGTH, MAX_MESSAGE_LENGTH = 60, 600


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    loc: list[str | int] = Field(description="where: names and indices from the outside in; empty = the whole")
    msg: str = Field(description="what was found and what is accepted")

    def line(self) -> str:
        """Both in one line."""
        return ": ".join(part for part in (".".join(map(str, self.loc)), self.msg) if part)


def field_problems(error: ValidationError, form: type[BaseModel]) -> list[FieldProblem]:
    """The problems of the form at their places, each once; of very many the first, and how many more there are."""
    total = error.error_count()
    items = error.errors(include_url=False, include_input=False)
    problems: list[FieldProblem] = []
    size = 0
    for problem in _distinct(items, form):
        size += len(problem.model_dump_json().encode())
        if len(problems) == MAX_PROBLEMS - 1 < total - 1 or size > MAX_BYTES:
            problems.append(FieldProblem(loc=[], msg=f"and {total - len(problems)} more problems"))
            break
        problems.append(problem)
    return problems


def shortened(text: str, most: int) -> str:
    """The text with its middle cut out, if it is too long, and without lone surrogates, which UTF-8 cannot encode."""
    short = text if len(text) <= most else f"{text[: most - most // 4 - 1]}…{text[-(most // 4) :]}"
    return short.encode("utf-8", "backslashreplace").decode()


def _distinct(items: Iterable[ErrorDetails], form: type[BaseModel]) -> Iterator[FieldProblem]:
    """One problem for each error; only the first unknown field of each object lists the known ones."""
    explained: set[tuple[object, ...]] = set()
    for item in items:
        loc = _places(item)
        place = tuple(loc[:-1])
        if item["type"] == "extra_forbidden":
            msg = _unknown(loc, item, form, is_first=place not in explained)
            explained.add(place)
        else:
            msg = accepted(item) + (_form_of(loc) if item["type"] in {"tuple_type", "dict_type"} else "")
        yield FieldProblem(loc=loc, msg=shortened(msg, MAX_MESSAGE_LENGTH))


def _unknown(loc: list[str | int], item: ErrorDetails, form: type[BaseModel], *, is_first: bool) -> str:
    """What to say of a field that is not known at its place, but may be at another."""
    if len(loc) > 1 and loc[-1] in form.model_fields:
        return f"no field of this place; `{loc[-1]}` stands in the request itself, beside `{loc[0]}`"
    known = _known(item, form)
    hint = meant(str(loc[-1]), known.split(", "))
    return f"no field has this name{hint}" + (f"; known are {known}" if is_first else "")


def _form_of(loc: list[str | int]) -> str:
    example = EXAMPLES.get(str(loc[0])) if loc else None
    return f', as in "{loc[0]}": {example}' if example else ""


def _places(item: ErrorDetails) -> list[str | int]:
    parts = [part for part in item["loc"] if part not in {ONE, SEVERAL}]
    return [shortened(part, MAX_PART_LENGTH) if isinstance(part, str) else part for part in parts]


def _known(item: ErrorDetails, form: type[BaseModel]) -> str:
    """The fields of the form that has no field of the item's name."""
    for part in item["loc"][:-1]:
        inner = form.model_fields[str(part)].annotation if str(part) in form.model_fields else None
        forms = [*_forms_in(inner), form]
        form = forms[-2] if SEVERAL in item["loc"] and len(forms) > 2 else forms[0]  # of two the second is the form of several
    return ", ".join(field.alias or name for name, field in form.model_fields.items()) or "none"


def _forms_in(kind: object) -> Iterator[type[BaseModel]]:
    """The forms that a field's type is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _forms_in(part)

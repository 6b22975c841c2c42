"""What was typed into the form of a new job, as the request's document; static/submit.js makes the same of it in the browser."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from werkzeug.datastructures import MultiDict

from shared.domain.codec import Document

MAX_DEPTH = 3  # of a path: hyperparameters.prophet.growth
DAY_FIRST = re.compile(r"\d{4}-")


def document_of(typed: Mapping[str, str], kinds: Mapping[str, str], models: list[str]) -> Document:
    """The document; what is not a number stays a text, so that the check of the request says what is accepted.

    Args:
        typed: by path. kinds: path → how it is written, text where it is not named. models: those chosen; none = auto.
    """
    made: Document = {}
    for path, text in typed.items():
        *outer, last = path.split(".", MAX_DEPTH - 1)
        place = made
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = _KINDS[kinds.get(path, "text")](text)
    return {**made, "model": models or "auto"}


def typed_in(args: MultiDict[str, str], paths: Mapping[str, str]) -> dict[str, str]:
    """What stood in these fields of the form that was sent."""
    return {path: text.strip() for path in paths if (text := args.get(path, "")).strip()}


def _texts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> object:
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number):
            return int(number) if number.is_integer() and not set(".eE") & set(text) else number
    return text


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _bool(text: str) -> object:
    return {"true": True, "false": False}.get(text.lower(), text)


_KINDS: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "number": _number,
    "number or text": _number,
    "list": _texts,
    "one or several": lambda text: _texts(text) if "," in text else text,
    "json": _json,
    "list or text": lambda text: _texts(text) if "," in text or DAY_FIRST.match(text) else text,
    "numbers": lambda text: [_number(part.strip()) if part.strip() else None for part in text.split(",")],
    "values": lambda text: [_number(part) for part in _texts(text)],
    "bool": _bool,
    "strs": _texts,
    "bools": lambda text: [_bool(part) for part in _texts(text)],
}

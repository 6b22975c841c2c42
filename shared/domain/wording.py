"""What pydantic finds wrong with a value, in our words: what is accepted instead, in requests and settings alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

MAX_MEANT = 200  # characters of a name that are compared
_LIST, _OBJECT = "accepted is a list", "accepted is an object: names and their values"
_WHOLE, _NUMBER, _FLAG = "accepted is a whole number", "accepted is a number", "accepted are true and false"
_ACCEPTED: Mapping[str, str] = {  # pydantic's kind of error → what we say; braces hold what it knows of the limit
    "missing": "it is missing",
    "none_required": "accepted is null",
    **dict.fromkeys(("string_type", "string_unicode"), "accepted is a text"),
    "string_too_short": "accepted are at least {min_length} characters",
    "string_too_long": "accepted are at most {max_length} characters",
    "path_type": "accepted is a path",
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type", "is_instance_of"), _OBJECT),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    "finite_number": "accepted is a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("literal_error", "enum"), "accepted: {expected}"),
    "greater_than": "accepted is more than {gt:,}",
    "greater_than_equal": "accepted is {ge:,} or more",
    "less_than": "accepted is less than {lt:,}",
    "less_than_equal": "accepted is {le:,} or less",
    "too_short": "found {actual_length}, accepted are at least {min_length}",
    "too_long": "found {actual_length}, accepted are at most {max_length}",
    "invalid_key": "a name is a text",
    **dict.fromkeys(("union_tag_invalid", "union_tag_not_found"), "accepted is one value, or a list of them"),
    "ip_any_network": "accepted is an address, or a network such as 10.0.0.0/8",
    "value_error": "{error}",  # one of our own checks
}
_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def accepted(error: Mapping[str, Any]) -> str:
    """What one of pydantic's errors comes to, from `ValidationError.errors()` with its context."""
    words = _ACCEPTED.get(error["type"])
    return words.format_map(error.get("ctx", {})) if words else str(error["msg"])


def counted(count: int, one: str, many: str | None = None) -> str:
    """How many there are of something: `1 queue`, `2,000 queues`; `many` where the plural is not made by an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def digits(value: float) -> str:
    """A number as people write it: four digits, or all before the point, and never a power of ten.

    >>> [digits(value) for value in (13_107_200.0, 73.333333, 47.0)]
    ['13,107,200', '73.33', '47']
    """
    if float(value).is_integer() or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.7f}".rstrip("0").rstrip(".")


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A check of pydantic's that takes the texts of this pattern, and says in words which those are."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"accepted is {what}")  # a setting may hold a secret that was meant for another one
        return text

    return check


def json_kind(value: object) -> str:
    """What a value of JSON is, in words."""
    return _KINDS.get(type(value), type(value).__name__)


def meant(name: str, known: Iterable[str]) -> str:
    """A question after a name that is not known: the one that looks most like it; "" = none does.

    >>> meant("prophte", ["prophet", "theta"])
    "; did you mean 'prophet'?"
    """
    alike = get_close_matches(name[:MAX_MEANT], known, 1)
    return f"; did you mean {alike[0]!r}?" if alike else ""

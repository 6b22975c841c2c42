"""What a message of Celery's looks like in a Redis list: protocol 2, as kombu writes it. Anybody may have put something else.

Celery believes its headers: a time limit that is a text is met only when a slot has been taken, which is never given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

TEXT = (str,)
ENVELOPE = {"body": TEXT, "content-type": TEXT, "content-encoding": TEXT, "headers": (dict,), "properties": (dict,)}
PROPERTIES = {"delivery_tag": TEXT, "delivery_info": (dict,)}
DELIVERY = {"exchange": TEXT, "routing_key": TEXT}
HEADERS = {"task": TEXT, "id": TEXT}
OPTIONAL_PROPERTIES = {"correlation_id": TEXT, "reply_to": TEXT, "priority": (int,), "delivery_mode": (int,)}
OPTIONAL_HEADERS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(
        ("root_id", "parent_id", "group", "shadow", "origin", "lang", "argsrepr", "kwargsrepr", "eta", "expires"), TEXT
    ),
    **dict.fromkeys(("traceparent", "tracestate", "baggage"), TEXT),
    **dict.fromkeys(("retries", "group_index", "replaced_task_nesting"), (int,)),
    "timelimit": (list,),
    "stamped_headers": (list,),
    "stamps": (dict,),
    "ignore_result": (bool,),
    "compression": (),  # we compress nothing
}
OPTIONS = OPTIONAL_PROPERTIES | OPTIONAL_HEADERS


def why_no_message(message: object) -> str | None:
    """What is wrong with it, in words; None = nothing that Celery reads before the task begins."""
    if not isinstance(message, dict):
        return "it is no JSON object"
    if wrong := _wrong(message, ENVELOPE):
        return wrong
    headers, properties = message["headers"], message["properties"]
    wrong = _wrong(properties, PROPERTIES) or _wrong(properties["delivery_info"], DELIVERY) or _wrong(headers, HEADERS)
    given = {name: value for name, value in (properties | headers).items() if value is not None}
    wrong = wrong or _wrong(given, {name: kinds for name, kinds in OPTIONS.items() if name in given})
    if wrong or properties.get("body_encoding") not in {None, "base64"}:
        return wrong or "its body_encoding is none of ours"
    return _wrong_times(given)


def _wrong(values: Mapping[str, object], kinds_by_name: Mapping[str, tuple[type, ...]]) -> str | None:
    """The first value that is missing or of another kind."""
    for name, kinds in kinds_by_name.items():
        if not isinstance(values.get(name), kinds):
            return f"its {name} is {type(values.get(name)).__name__}"
    return None


def _wrong_times(headers: Mapping[str, Any]) -> str | None:
    limits = headers.get("timelimit", [None, None])
    if len(limits) != 2 or not all(limit is None or isinstance(limit, int | float) for limit in limits):
        return "its timelimit is not two numbers"
    for name in ("eta", "expires"):
        try:
            datetime.fromisoformat(headers.get(name, "2026-01-05T00:00:00+00:00"))
        except ValueError:
            return f"its {name} is no time"
    return None

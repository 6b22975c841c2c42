"""Schedules of a service as a file that `queuecast apply` takes: what a request does not say is left to its default."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shared.config.toml_text import toml_key, toml_value
from shared.domain.codec import Document, from_document, to_json
from shared.errors import UsageError

FIELDS = ("name", "cron", "refit_cron", "actuals_cron", "timezone")


def toml_of(schedules: list[Document], set_name: str) -> str:
    """The file's text; raises UsageError for a request that TOML cannot say."""
    lines = [f"set = {toml_value(set_name)}"]
    for schedule in schedules:
        said = {name: schedule[name] for name in FIELDS if schedule[name] is not None}
        lines += ["", "[[schedule]]", *_pairs(said | ({"is_paused": True} if schedule["is_paused"] else {}))]
        lines += ["[schedule.request]", *_pairs(_said(schedule))]
    return "\n".join(lines) + "\n"


def _said(schedule: Document) -> Document:
    """The fields of the request that are not what they would be without being said; null, which TOML has not, is such."""
    from shared.domain.jobs import JobRequest  # with all that a request may say, which no other verb of schedules needs

    request = from_document(JobRequest, schedule["request"])
    needed = {"job_name", "data", "aggregation_time_period", "data_ingestion_time_period", "future_prediction_time_period"}
    needed |= {"target", "aggregation"}  # what they mean without being said depends on the source
    bare = JobRequest(**{name: getattr(request, name) for name in needed})
    default, whole = json.loads(to_json(bare)), json.loads(to_json(request))
    said = {name: value for name, value in whole.items() if name in needed or value != default[name]}
    if any(value is None or (isinstance(value, list) and None in value) for value in said.values()):
        raise UsageError(
            f"schedule {schedule['name']!r}: its request holds a null, which TOML has not; keep it in a file as JSON"
        )
    return {name: _without_null(value) for name, value in said.items()}


def _without_null(value: object) -> object:
    match value:
        case dict():
            return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_without_null(inner) for inner in value]
    return value


def _pairs(fields: Document) -> Iterator[str]:
    return (f"{toml_key(name)} = {toml_value(value)}" for name, value in fields.items())

"""The form of a new job, made from the request's own schema: names, descriptions, defaults and what is accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from api.schema.limits import LimitsBody
from api.schema.requests import JobBody, PlaceBody
from shared.config.connection import Role, kinds
from shared.config.settings import Settings
from shared.domain.choice import Effort, Metric, SelectionRule
from shared.domain.model_cards import ModelCard
from shared.domain.samples import Aggregation
from shared.domain.units import Unit

FOUND = ("time_field", "queue_field", "queues_from_columns", "target", "unit", "samples_timezone")  # what a first look guesses
ASKED = ("data_ingestion_time_period", "future_prediction_time_period", "job_name")
FOLDED: dict[str, tuple[str, ...]] = {
    "Which queues, which step": ("queues", "aggregation_time_period", "as_of"),
    "What it is for": ("job_description", "user_name", "project", "owner", "cluster"),
}
ADVANCED = (
    *("columns", "regressors", "aggregation", "limits.guaranteed", "limits.maximum"),
    *("selection", "metric", "baselines", "effort", "backtest_windows", "interval", "quantiles", "bounds"),
    *("where", "csv", "missing_values", "ingestion_delay", "fill"),
    *("accept_losses", "timezone", "holidays", "events", "exclude", "deadline", "max_candidates"),
)
LABELS = {  # what people call it, where the field's name says less
    "time_field": "time",
    "queue_field": "queue",
    "samples_timezone": "time zone of the times",
    "data_ingestion_time_period": "history",
    "future_prediction_time_period": "horizon",
    "aggregation_time_period": "step",
    "queues_from_columns": "each column is a queue",
    "as_of": "end of the history",
}
ELSEWHERE = ("data", "model", "hyperparameters")  # they have a part of the form of their own
SUGGESTED = {"data_ingestion_time_period": "28d", "aggregation_time_period": "1h", "future_prediction_time_period": "3d"}
NUMBERS = ("int", "float")  # types of hyperparameters
KINDS = {  # how a field is written; all others are one line of text
    "queues": "list",
    "columns": "list",
    "regressors": "list",
    "queue_field": "one or several",
    "where": "json",
    "csv": "json",
    "events": "json",
    "exclude": "json",
    "fill": "json",
    "missing_values": "numbers",
    "queues_from_columns": "bool",
    "holidays": "list or text",
    "bounds": "numbers",
    "backtest_windows": "number",
    "interval": "number",
    "quantiles": "numbers",
    "limits.guaranteed": "number or text",
    "limits.maximum": "number or text",
    "max_candidates": "number",
    "accept_losses": "bool",
    "baselines": "bool",
}
CHOICES: dict[str, tuple[str, ...]] = {
    "aggregation": ("", *Aggregation),  # what nothing means depends on the source
    "unit": ("", *Unit),
    "accept_losses": ("false", "true"),
    "selection": tuple(SelectionRule),
    "metric": tuple(Metric),
    "effort": tuple(Effort),
    "baselines": ("true", "false"),
    "queues_from_columns": ("false", "true"),
}
EXAMPLES = {
    "regressors": "planned_load",
    "where": '{"partition": "gpu"}',
    "csv": '{"separator": ";", "decimal": ","}',
    "missing_values": "-1",
    "exclude": '[{"name": "outage", "start": "2026-01-05T08:00:00Z", "end": "2026-01-05T11:00:00Z"}]',
    "quantiles": "0.8, 0.975",
    "events": '[{"name": "release", "start": "2026-01-05", "end": "2026-01-05"}]',
    "ingestion_delay": "30min",
    "fill": '{"method": "interpolate", "longest": "6h"}',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field of the form. `path` is its place in the request's document, as errors name it."""

    path: str
    label: str
    hint: str
    kind: str = "text"
    value: str = ""
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = False
    connections: str = ""  # kinds of connection that it belongs to; "" = any


def inputs(names: tuple[str, ...], known: Mapping[str, object], typed: Mapping[str, str] | None = None) -> list[Input]:
    """Fields of the request.

    Args:
        known: an earlier request's document, whose values are filled in.
        typed: what stood in the form when it was sent to look at the source, by path; it goes first.
    """
    return [_input(name, known, typed or {}) for name in names]


def place_inputs(role: Role, known: Mapping[str, object], typed: Mapping[str, str] | None = None) -> list[Input]:
    """What the places of a role (source, destination) ask for, by the kind of their connection."""
    typed = typed or {}
    asked = {kind: kinds[kind].asks_of(role) for kind in kinds}
    return [
        Input(
            path=f"data.{role}.{name}",
            label=name,
            hint=PlaceBody.model_fields[name].description or "",
            value=typed.get(f"data.{role}.{name}", str(known.get(name) or "")),
            is_required=all(fields[name].is_needed for fields in asked.values() if name in fields),
            connections=" ".join(kind for kind, fields in asked.items() if name in fields),
        )
        for name in sorted({name for fields in asked.values() for name in fields})
    ]


def hyperparameter_kinds(cards: Sequence[ModelCard]) -> dict[str, str]:
    """Path of every hyperparameter in the form → how its values are written."""
    return {
        f"hyperparameters.{card.name}.{each.name}": "values" if each.type in NUMBERS else f"{each.type}s"
        for card in cards
        for each in card.hyperparameters
    }


def connection_kinds(settings: Settings, projects: Sequence[str] | None) -> dict[str, str]:
    """Name of each connection → its kind, of those that jobs of these projects may use; None = of every project."""
    known = sorted(settings.all_connections.items())
    return {name: connection.kind for name, connection in known if projects is None or connection.serves(*projects)}


def _input(name: str, known: Mapping[str, object], typed: Mapping[str, str]) -> Input:
    field = _field(name)
    choices = CHOICES.get(name, ())
    default = "" if field.is_required() or field.default is None or "" in choices else _text(field.default)
    return Input(
        path=name,
        label=LABELS.get(name, name.replace("_", " ").replace(".", ": ")),
        hint=(field.description or "").replace("null = ", "empty = "),
        kind=KINDS.get(name, "text"),
        value=typed.get(name, _known(name, known)),
        placeholder=default or (f"such as {EXAMPLES[name]}" if name in EXAMPLES else ""),
        choices=choices,
        is_required=field.is_required(),
    )


def _field(name: str) -> FieldInfo:
    """A field of the request, or one of its limits."""
    outer, _, inner = name.partition(".")
    return LimitsBody.model_fields[inner] if inner else JobBody.model_fields[outer]


def _known(name: str, known: Mapping[str, object]) -> str:
    """What an earlier request said, else what is suggested."""
    outer, _, inner = name.partition(".")
    value = known.get(outer, SUGGESTED.get(outer))
    if inner:
        value = value.get(inner) if isinstance(value, Mapping) else None
    return "" if value is None else _text(value)


def _text(value: object) -> str:
    """A value as it is typed into the form: lists with commas, what is open as nothing, all else as JSON has it."""
    if isinstance(value, Mapping) or (isinstance(value, list) and value and isinstance(value[0], Mapping)):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join("" if item is None else str(item) for item in value)
    return str(value)

"""The fields of a request as options of `queuecast backtest`: what each is called, what it accepts, what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from math import inf
from typing import Annotated, cast, get_type_hints

import typer

from shared.domain.jobs import QUEUE_FIELD
from shared.domain.samples import Aggregation, Limits
from shared.domain.units import Unit
from shared.errors import UsageError
from worker.backtest.calendar_options import calendar_of
from worker.backtest.choice_options import choice_of
from worker.backtest.decision_options import decisions_of
from worker.backtest.sample_options import csv_of, delay_of, fill_of, names_of, numbers_of, queue_fields_of, where_of, zone_of

CSV = typer.Option(help='How CSV is written: {"separator": ";", "decimal": ","}.', show_default="guessed")
FILL = typer.Option(help='How gaps are filled: {"method": "interpolate", "longest": "6h"}.', show_default="line, then day")
LIMIT = "YARN's own columns, else not known"


def fields_of(
    *,
    queue: Annotated[str, typer.Option(help="Only these: names or globs separated by commas.")] = "*",
    interval: Annotated[float, typer.Option(min=0.5, max=0.99, help="Coverage of lower and upper bound.")] = 0.9,
    bounds: Annotated[str, typer.Option(help="LOW,HIGH of what is possible; either may be empty.")] = "0,",
    queue_field: Annotated[str, typer.Option(help="Column with the queue's name; several: separated by commas.")] = QUEUE_FIELD,
    time_field: Annotated[str, typer.Option(help="Column with the time.")] = "timestamp",
    target: Annotated[str, typer.Option(help="Column to forecast.")] = "used_capacity",
    regressors: Annotated[str, typer.Option(help="Columns known ahead, separated by commas.", show_default="none")] = "",
    where: Annotated[list[str] | None, typer.Option(help="Only rows with FIELD=VALUE.", show_default="all")] = None,
    samples_timezone: Annotated[str, typer.Option(help="Of timestamps without one.", show_default="UTC")] = "",
    csv: Annotated[str, CSV] = "",
    missing_values: Annotated[str, typer.Option(help="Numbers that mean no value, such as -1.", show_default="none")] = "",
    ingestion_delay: Annotated[str, typer.Option(help="So late samples come, such as 30min.", show_default="none")] = "",
    fill: Annotated[str, FILL] = "",
    queues_from_columns: Annotated[bool, typer.Option("--queues-from-columns", help="Each column is a queue.")] = False,
    aggregation: Annotated[Aggregation, typer.Option(help="How the samples of a step become one value.")] = Aggregation.MEAN,
    unit: Annotated[Unit | None, typer.Option(help="What the target is counted in.", show_default="guessed")] = None,
    guaranteed: Annotated[str, typer.Option(help="What a queue has: a number, or a column.", show_default=LIMIT)] = "",
    maximum: Annotated[str, typer.Option(help="The most that it can get, likewise.", show_default=LIMIT)] = "",
    accept_losses: Annotated[bool, typer.Option("--accept-losses", help="Forecast from what large losses have left.")] = False,
) -> dict[str, object]:
    """What the options ask for, by the names that a request has for it; raises UsageError with what is accepted."""
    plain = {"time_field": time_field, "target": target, "interval": interval, "aggregation": aggregation, "unit": unit}
    read = {"queues": names_of(queue), "bounds": bounds_of(bounds), "where": where_of(where), "regressors": names_of(regressors)}
    written = {"samples_timezone": zone_of(samples_timezone), "csv": csv_of(csv), "missing_values": numbers_of(missing_values)}
    flags = {"queues_from_columns": queues_from_columns, "accept_losses": accept_losses, "fill": fill_of(fill)}
    named = {"queue_field": queue_fields_of(queue_field), "limits": limits_of(guaranteed, maximum)}
    return {**plain, **read, **written, **flags, **named, "ingestion_delay": delay_of(ingestion_delay)}


def with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the options of `FORMS` behind its own; it gets what they ask for as `fields`."""
    own, further = signature(command), {name: each for form in FORMS for name, each in signature(form).parameters.items()}

    @wraps(command)
    def whole(**given: object) -> None:
        asked = {form: {name: given.pop(name) for name in signature(form).parameters} for form in FORMS}
        command(fields={name: value for form in FORMS for name, value in form(**asked[form]).items()}, **given)

    hints = {name: hint for each in (command, *FORMS) for name, hint in get_type_hints(each, include_extras=True).items()}
    every = {name: parameter for name, parameter in {**own.parameters, **further}.items() if name != "fields"}
    shown = [parameter.replace(annotation=hints[name]) for name, parameter in every.items()]
    vars(whole)["__signature__"] = own.replace(parameters=shown)  # typer reads the options from it
    whole.__annotations__ = {name: hints[name] for name in every}
    return whole


FORMS = cast(
    "tuple[Callable[..., dict[str, object]], ...]", (fields_of, calendar_of, choice_of, decisions_of)
)  # each a part of the request's fields, but the last


def limits_of(guaranteed: str, maximum: str) -> Limits | None:
    """The limits of a request; None where neither is given. Raises UsageError with what is accepted."""

    def limit(option: str, text: str) -> str | float | None:
        try:
            number = float(text)
        except ValueError:
            return text or None
        if 0 < number < inf:
            return number
        raise UsageError(f"{option} {text!r}: accepted are numbers above zero, and names of columns")

    given = Limits(guaranteed=limit("--guaranteed", guaranteed), maximum=limit("--maximum", maximum))
    return None if given == Limits() else given


def bounds_of(text: str) -> tuple[float | None, float | None]:
    """Two numbers with a comma between them, None for one that is left out; raises UsageError with what is accepted."""
    try:
        lower, upper = (float(part) if part.strip() else None for part in text.split(","))
        if lower is None or upper is None or lower < upper:  # so that nan is refused too
            return lower, upper
    except ValueError:
        pass  # refused below
    raise UsageError(f"--bounds {text!r}: accepted is LOW,HIGH, the lower one first, such as 0,100; either may be left out")

"""The fields of a request as options of `queuecast backtest`: what each is called, what it accepts, what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from inspect import signature
from math import inf
from typing import Annotated, cast, get_type_hints

import typer

from shared.domain.jobs import QUEUE_FIELD
from shared.domain.samples import Aggregation, Limits
from shared.domain.texts import holidays_of
from shared.domain.units import Unit
from shared.errors import UsageError
from worker.backtest.sample_options import csv_of, delay_of, fill_of, names_of, numbers_of, queue_fields_of, where_of, zone_of

CSV = typer.Option(help='How CSV is written: {"separator": ";", "decimal": ","}.', show_default="guessed")
FILL = typer.Option(help='How gaps are filled: {"method": "interpolate", "longest": "6h"}.', show_default="line, then day")
LIMIT = "YARN's own columns, else 100 %"


def fields_of(
    *,
    queue: Annotated[str, typer.Option(help="Only these: names or globs separated by commas.")] = "*",
    timezone: Annotated[str, typer.Option(help="Of the calendar features.")] = "UTC",
    holidays: Annotated[str, typer.Option(help="DE, DE-BY, or dates separated by commas.", show_default="none")] = "",
    interval: Annotated[float, typer.Option(min=0.5, max=0.99, help="Coverage of lower and upper bound.")] = 0.9,
    bounds: Annotated[str, typer.Option(help="LOW,HIGH of what is possible; either may be empty.")] = "0,",
    queue_field: Annotated[str, typer.Option(help="Column with the queue's name; several: separated by commas.")] = QUEUE_FIELD,
    time_field: Annotated[str, typer.Option(help="Column with the time.")] = "timestamp",
    target: Annotated[str, typer.Option(help="Column to forecast.")] = "used_capacity",
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
    plain = {"time_field": time_field, "target": target, "timezone": timezone, "interval": interval, "aggregation": aggregation}
    read = {"queues": names_of(queue), "holidays": holidays_in(holidays), "bounds": bounds_of(bounds), "where": where_of(where)}
    written = {"samples_timezone": zone_of(samples_timezone), "csv": csv_of(csv), "missing_values": numbers_of(missing_values)}
    flags = {"queues_from_columns": queues_from_columns, "accept_losses": accept_losses, "unit": unit}
    named = {"queue_field": queue_fields_of(queue_field), "limits": limits_of(guaranteed, maximum), "fill": fill_of(fill)}
    return {**plain, **read, **written, **flags, **named, "ingestion_delay": delay_of(ingestion_delay)}


def with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the options of `fields_of` behind its own; it gets what they ask for as `fields`."""
    own, further = signature(command), signature(fields_of).parameters
    made = cast("Callable[..., dict[str, object]]", fields_of)

    @wraps(command)
    def whole(**given: object) -> None:
        command(fields=made(**{name: given.pop(name) for name in further}), **given)

    hints = get_type_hints(command, include_extras=True) | get_type_hints(fields_of, include_extras=True)
    every = {name: parameter for name, parameter in {**own.parameters, **further}.items() if name != "fields"}
    shown = [parameter.replace(annotation=hints[name]) for name, parameter in every.items()]
    vars(whole)["__signature__"] = own.replace(parameters=shown)  # typer reads the options from it
    whole.__annotations__ = {name: hints[name] for name in every}
    return whole


def holidays_in(text: str) -> str | tuple[date, ...] | None:
    """A country or a part of one, or the dates of a comma-separated list; None where there is neither."""
    names = names_of(text)
    is_code = len(names) == 1 and names[0][0].isalpha()
    try:
        return holidays_of(names[0] if is_code else names) or None
    except ValueError as error:
        raise UsageError(f"--holidays {text!r}: {error}") from error


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

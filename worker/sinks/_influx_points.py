"""Forecast → the points of three measurements, as the contract has them.

    <measurement>         one series per queue, overwritten by each run: what dashboards read
    <measurement>_issued  one value per lead time, in the tag `step`: what accuracy reads; its series never grow with time
    <measurement>_run     one point per run

Kinds are cast on purpose: an integer first and a float later in one field is refused by the server for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from unicodedata import category

from shared.domain.forecasts import Forecast
from shared.domain.timegrid import to_epoch
from shared.errors import SinkRefused

if TYPE_CHECKING:
    from influxdb_client.client.write.point import Point


def lines_of(forecast: Forecast, measurement: str) -> list[str]:
    """All points as line protocol, times in seconds; raises SinkRefused for a tag that would not arrive as it is."""
    for name, tag in (("job", forecast.job), ("metric", forecast.metric), ("queue", forecast.queue)):
        _refuse_tag(name, tag)
    return [point.to_line_protocol() for point in _points(forecast, measurement)]


def _points(forecast: Forecast, measurement: str) -> Iterator[Point]:
    issued_at = to_epoch(forecast.issued_at)
    steps = zip(forecast.timestamps, forecast.prediction, forecast.lower_bound, forecast.upper_bound, strict=True)
    for step, (moment, *numbers) in enumerate(steps, start=1):
        for point in (_point(f"{measurement}_issued", forecast).tag("step", f"{step:03d}"), _point(measurement, forecast)):
            for name, number in zip(("prediction", "lower_bound", "upper_bound"), numbers, strict=True):
                point.field(name, float(number))
            yield (
                point.field("issued_at", issued_at)
                .field("model", forecast.model)
                .field("step", step)
                .time(to_epoch(moment), write_precision="s")
            )
    yield _run_point(forecast, measurement, issued_at)


def _run_point(forecast: Forecast, measurement: str, issued_at: int) -> Point:
    """A score that is not defined is left out: the server has no value for it."""
    point = _point(f"{measurement}_run", forecast).field("model", forecast.model).field("job_id", forecast.job_id)
    for name, number in (("mape", forecast.mape), ("skill", forecast.skill), ("seconds", forecast.seconds)):
        if number is not None:
            point.field(name, float(number))
    return point.field("horizon", forecast.horizon_steps).time(issued_at, write_precision="s")


def _point(measurement: str, forecast: Forecast) -> Point:
    from influxdb_client.client.write.point import Point

    return Point(measurement).tag("job", forecast.job).tag("metric", forecast.metric).tag("queue", forecast.queue)


def _refuse_tag(name: str, tag: str) -> None:
    """One that ends in a backslash is stored as another, a control character ends the line, half a surrogate pair is no text."""
    if tag.endswith("\\") or any(category(character) in {"Cc", "Cs"} for character in tag):
        raise SinkRefused(f"the {name} {tag[:60]!r} cannot be a tag: it ends in a backslash or has control characters")

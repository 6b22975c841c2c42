"""Forecast → the points of its measurements, as the contract has them.

    <measurement>         one series per queue, overwritten by each newer run: what dashboards read
    <measurement>_issued  one value per lead time, in the tag `step`: what accuracy reads; its series never grow with time
    <measurement>_run     one point per run
    <measurement>_peaks   the quantiles of each day's highest value, one point per run and day, which is in the tag `day`

Beside prediction and bounds a step has a field for each level of its quantiles, `q0.05` and the like.
A step is a tag or a field of a measurement, never both: version 3 refuses that. Kinds are cast on purpose: an integer first and a
float later in one field is refused by the server for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from unicodedata import category

from shared.domain.forecasts import Forecast
from shared.domain.timegrid import steps_per_day, to_epoch
from shared.errors import SinkRefused

if TYPE_CHECKING:
    from influxdb_client.client.write.point import Point


def lines_of(forecast: Forecast, measurement: str, *, is_newest: bool = True) -> list[str]:
    """The points as line protocol, times in seconds; raises SinkRefused for a tag that would not arrive as it is.

    Args:
        is_newest: whether nothing later was issued: an older forecast has its place by lead time and day only.
    """
    of_its_own = (*_issued_points(forecast, measurement), *_peak_points(forecast, measurement))
    points = [*of_its_own, *(_current_points(forecast, measurement) if is_newest else ())]
    return [point.to_line_protocol() for point in points]


def tags_of(forecast: Forecast) -> dict[str, str]:
    """What a forecast's points are found by; project and cluster where the request or its connection names them."""
    tags = {"job": forecast.job, "metric": forecast.metric, "queue": forecast.queue}
    named = {"cluster": forecast.series.named_cluster, "project": forecast.project}
    tags |= {name: value for name, value in named.items() if value}
    for name, tag in tags.items():
        _refuse_tag(name, tag)
    return tags


def _issued_points(forecast: Forecast, measurement: str) -> Iterator[Point]:
    for step, point in _step_points(forecast, f"{measurement}_issued"):
        yield point.tag("step", f"{step:03d}")


def _current_points(forecast: Forecast, measurement: str) -> Iterator[Point]:
    for step, point in _step_points(forecast, measurement):
        yield point.field("step", step)
    yield _run_point(forecast, measurement)


def _step_points(forecast: Forecast, measurement: str) -> Iterator[tuple[int, Point]]:
    issued_at = to_epoch(forecast.issued_at)
    names = ("prediction", "lower_bound", "upper_bound", *forecast.quantiles.names)
    columns = (forecast.prediction, forecast.lower_bound, forecast.upper_bound, *forecast.quantiles.values)
    for step, (moment, *numbers) in enumerate(zip(forecast.timestamps, *columns, strict=True), start=1):
        point = _point(measurement, forecast)
        for name, number in zip(names, numbers, strict=True):
            point.field(name, float(number))
        yield (
            step,
            point.field("issued_at", issued_at).field("model", forecast.model).time(to_epoch(moment), write_precision="s"),
        )


def days_of(forecast: Forecast) -> list[int]:
    """When the days begin whose highest values have quantiles."""
    every = steps_per_day(forecast.step_seconds)
    return [to_epoch(forecast.start_of(1 + day * every)) for day in range(len(forecast.peaks.by_step(0)))]


def _peak_points(forecast: Forecast, measurement: str) -> Iterator[Point]:
    for day, (at, levels) in enumerate(zip(days_of(forecast), forecast.peaks.by_step(0), strict=True), start=1):
        point = _point(f"{measurement}_peaks", forecast).tag("day", f"{day:02d}")
        for name, number in (levels or {}).items():
            point.field(name, float(number))
        yield point.field("issued_at", to_epoch(forecast.issued_at)).time(at, write_precision="s")


def _run_point(forecast: Forecast, measurement: str) -> Point:
    """A score that is not defined is left out: the server has no value for it."""
    point = _point(f"{measurement}_run", forecast).field("model", forecast.model).field("job_id", forecast.job_id)
    for name, number in (("mape", forecast.mape), ("skill", forecast.skill), ("seconds", forecast.seconds)):
        if number is not None:
            point.field(name, float(number))
    return point.field("horizon", forecast.horizon_steps).time(to_epoch(forecast.issued_at), write_precision="s")


def _point(measurement: str, forecast: Forecast) -> Point:
    from influxdb_client.client.write.point import Point

    point = Point(measurement)
    for name, tag in tags_of(forecast).items():
        point.tag(name, tag)
    return point


def _refuse_tag(name: str, tag: str) -> None:
    """One that ends in a backslash is stored as another, a control character ends the line, half a surrogate pair is no text."""
    if tag.endswith("\\") or any(category(character) in {"Cc", "Cs"} for character in tag):
        raise SinkRefused(f"the {name} {tag[:60]!r} cannot be a tag: it ends in a backslash or has control characters")

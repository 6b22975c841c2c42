"""A sparkline as SVG paths: actual values, then the forecast with its bounds. Integers and relative moves keep it short."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.forecasts import Forecast
from shared.domain.reports import Point
from shared.domain.timegrid import to_epoch

WIDTH, HEIGHT = 180, 40  # of the drawing's own units, which the page scales
IN_SIGHT = 1.5  # of the highest value, or of what is guaranteed
MAX_POINTS = 48  # of each line: more cannot be told apart

Spot = tuple[float, float]  # epoch seconds, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """Path texts (the attribute `d`), and where the lines of issue time and level are."""

    actual: str
    prediction: str
    band: str
    issued_x: int
    level_y: int | None  # None = none is known


def sparkline(forecast: Forecast, actuals: Sequence[Point], start: datetime) -> Sparkline:
    """The drawing of a forecast and of the actual values since `start`, with the limit that hurts."""
    starts = _starts(forecast)
    known: list[Spot] = [(to_epoch(point.timestamp), point.value) for point in actuals if point.value is not None]
    highest = max((*forecast.upper_bound, *(value for _, value in known)))
    level = level_in_sight(forecast, highest)
    top = 1.05 * max(highest, level or 0.0) or 1.0
    place = _scale(to_epoch(start), starts[-1], top)
    joint = known[-1:]  # the forecast begins where the actual values end
    upper = _thinned(forecast.upper_bound, starts, max)
    lower = _thinned(forecast.lower_bound, starts, min)
    return Sparkline(
        actual="".join(line(_highest(part, len(known)), place) for part in _unbroken(known, forecast.step_seconds)),
        prediction=line(joint + _thinned(forecast.prediction, starts, max), place),
        band=line(joint + upper + lower[::-1], place) + "z",
        issued_x=place((starts[0], 0.0))[0],
        level_y=None if level is None else place((starts[0], level))[1],
    )


def _starts(forecast: Forecast) -> Sequence[int]:
    """Of all steps, and the end of the last one; steps of one length are counted, as a page draws many."""
    if forecast.day_starts or forecast.grid.zone is not None:
        return [to_epoch(at) for at in (*forecast.timestamps, forecast.end_at)]
    first, length = to_epoch(forecast.start_of(1)), forecast.step_seconds
    return range(first, first + (forecast.horizon_steps + 1) * length, length)


def level_in_sight(forecast: Forecast, highest: float) -> float | None:
    """The maximum, unless it lies so far above all values that these could not be told apart; then what is guaranteed."""
    maximum, guaranteed = forecast.maximum, forecast.guaranteed
    return maximum if maximum is not None and maximum <= IN_SIGHT * max(highest, guaranteed or 0.0) else guaranteed


def _scale(start: int, end: int, top: float) -> Callable[[Spot], tuple[int, int]]:
    def place(spot: Spot) -> tuple[int, int]:
        return round((spot[0] - start) * WIDTH / (end - start)), round(HEIGHT * (1 - max(0.0, spot[1]) / top))

    return place


def _thinned(values: Sequence[float], starts: Sequence[int], pick: Callable[[Sequence[float]], float]) -> list[Spot]:
    """At most MAX_POINTS of a forecast's values: of neighbours the one that `pick` takes."""
    size = -(-len(values) // MAX_POINTS)
    return [(starts[first], pick(values[first : first + size])) for first in range(0, len(values), size)]


def _unbroken(spots: list[Spot], step: int) -> Iterable[list[Spot]]:
    """Parts without a gap: a gap is drawn as a gap."""
    part: list[Spot] = []
    for spot in spots:
        if part and spot[0] - part[-1][0] > 1.5 * step:  # a day may have an hour more
            yield part
            part = []
        part.append(spot)
    yield part


def _highest(spots: list[Spot], total: int) -> list[Spot]:
    """A part of `total` spots, thinned so that all of them would be MAX_POINTS: of neighbours the highest."""
    size = -(-total // MAX_POINTS) or 1
    return [max(spots[first : first + size], key=lambda spot: spot[1]) for first in range(0, len(spots), size)]


def line(spots: Sequence[Spot], place: Callable[[Spot], tuple[int, int]]) -> str:
    """`M x y l dx dy …` through the spots; what does not move is left out."""
    if not spots:
        return ""
    (x, y), *rest = map(place, spots)
    text = f"M{x} {y}l"
    for next_x, next_y in rest:
        if (next_x, next_y) != (x, y):
            text += f"{next_x - x} {next_y - y} "
            x, y = next_x, next_y
    return text.rstrip() if rest else f"M{x} {y}h1"

"""Numbers and times as people read them: sensible digits, units, one time zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from shared.domain.choice import Ranking
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import readable
from shared.domain.units import Shown, Unit, shown_in

MB_PER_GB, MB_PER_TB = 1_024, 1_024**2
PERCENT_SIGN = "%"
NONE = "–"  # what is not known
SECONDS_OF_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def name(text: object) -> Markup:
    """A text from data in <bdi>, so that right-to-left letters do not reorder the text around it."""
    return Markup("<bdi>{}</bdi>").format(readable(text))


def number(value: float | None) -> str:
    """Two significant digits or all before the point: 9.4, 87, 1,234."""
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 9.95 else f"{value:.1f}"


def shown(forecast: Forecast) -> Shown:
    """In what all values of a forecast's page are drawn."""
    values = (max(forecast.upper_bound), forecast.guaranteed, forecast.maximum)
    return shown_in(forecast.unit, max(abs(value) for value in values if value is not None))


def amount(value: float | None, counted_in: Unit | None) -> str:
    """A value of a metric with its unit: `116 %` for the fraction 1.16."""
    return NONE if value is None else _with_symbol(value, shown_in(counted_in, value))


def between(lower: float, upper: float, counted_in: Unit | None) -> str:
    """From one value of a metric to another, with their unit: `0.5 – 1.2 GB`."""
    told = shown_in(counted_in, upper)
    return f"{number(lower * told.factor)} – {_with_symbol(upper, told)}"


def short(value: float | None, counted_in: Unit | None) -> str:
    """A value where there is little room: memory in MB as GB; `116 %`, `104 GB`."""
    is_much = counted_in is Unit.MEGABYTES and value is not None and abs(value) >= MB_PER_GB
    return memory(value) if is_much else amount(value, counted_in)


def short_between(lower: float, upper: float, counted_in: Unit | None) -> str:
    """From one value to another where there is little room: `85 – 127 %`, `83 – 124 GB`."""
    if counted_in is Unit.MEGABYTES and upper >= MB_PER_GB:
        return between(lower / MB_PER_GB, upper / MB_PER_GB, Unit.GIGABYTES)
    return between(lower, upper, counted_in)


def _with_symbol(value: float, told: Shown) -> str:
    return number(value * told.factor) + (f"\u202f{told.symbol}" if told.symbol else "")


def memory(megabytes: float | None) -> str:
    """Memory as people compare it: `512 MB`, `59 GB`, `120 TB`; less than nothing with a minus."""
    if megabytes is None:
        return NONE
    sizes = ((MB_PER_TB * 100, MB_PER_TB, "TB"), (MB_PER_GB, MB_PER_GB, "GB"), (0, 1, "MB"))
    size, symbol = next((size, symbol) for least, size, symbol in sizes if abs(megabytes) >= least)
    if not megabytes:
        return "0\u202fGB"
    text = number(abs(megabytes) / size) if size > 1 else f"{abs(megabytes):.0f}"
    return f"{'−' if megabytes < 0 else ''}{text}\u202f{symbol}"


def difference(value: float | None, counted_in: Unit | None) -> str:
    """By how much two values of a metric differ, whichever is the higher: `6 points` of what is counted in per cent."""
    if value is None:
        return NONE
    told = shown_in(counted_in)
    if told.symbol != PERCENT_SIGN:
        return short(abs(value), counted_in)
    points = number(abs(value) * told.factor)
    return f"{points}\u202f{'point' if points == '1.0' else 'points'}"


def work(value: float, unit: str) -> str:
    """An amount of work in its own unit: `310 GB·h`."""
    return f"{number(value)}\u202f{unit}"


def added(value: float, counted_in: Unit | None) -> str:
    """What is added to a value of a metric, or taken away: `+9.1`; the unit is that of the value, or stands behind it."""
    told = shown_in(counted_in, value)
    is_own = told != shown_in(counted_in)
    text = _with_symbol(abs(value), told) if is_own else number(abs(value * told.factor))
    return text if not text.strip("0.") else f"{'−' if value < 0 else '+'}{text}"


def percent(value: float | None) -> str:
    """A value in per cent, such as a MAPE."""
    return NONE if value is None else f"{number(value)}\u202f%"


def exact_percent(value: float | None) -> str:
    """The same with all digits that decide who wins."""
    return NONE if value is None else Ranking.MAPE.text(value).replace(" ", "\u202f")


def skill(value: float | None) -> str:
    """How much better than the reference forecast, from its fraction: `+21 %`."""
    return NONE if value is None else f"{value * 100:+.0f}\u202f%"


def moment(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """A moment in the zone: `Thu 26 Nov, 09:00`, and `Wed 26 Nov 2025, 09:00` where it is of another year than now."""
    if at is None:
        return NONE
    there = at.astimezone(zone)
    return f"{there:%a %-d %b, %H:%M}" if there.year == now.astimezone(zone).year else f"{there:%a %-d %b %Y, %H:%M}"


def day(at: datetime) -> str:
    """A day as its own zone has it: Tue 1 Dec 2026."""
    return f"{at:%a %-d %b %Y}"


def duration(seconds: float) -> str:
    """A length of time in whole ones of its largest unit: `3 h`, `45 s`."""
    for name, size in SECONDS_OF_UNITS:
        if seconds >= (2 * size if name == "d" else size):  # 36 h say more than 2 d
            return f"{seconds // size:.0f} {name}"
    if 0 < seconds < 0.0005:
        return "< 1 ms"
    if seconds < 0.095:
        return f"{seconds * 1_000:.0f} ms"
    return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"


def lasting(steps: int, step_seconds: int) -> str:
    """How long so many steps are, not rounded: `60 h`, `35 min`."""
    seconds = steps * step_seconds
    return f"{seconds // 3_600:,} h" if seconds % 3_600 == 0 else f"{seconds // 60:,} min"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago a moment is, or how far ahead: `3 h ago`, `in 2 d`."""
    if at is None:
        return NONE
    away = now - at
    if abs(away) < timedelta(minutes=1):
        return "just now"
    return f"{duration(away.total_seconds())} ago" if away > timedelta(0) else f"in {duration(-away.total_seconds())}"

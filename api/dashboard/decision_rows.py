"""A decision as its page draws it: each change with what it was and is to be, and the demand of its queue beside both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.dashboard.addresses import queue_address
from api.dashboard.words import amount, memory, number
from shared.domain.capacities import Mode
from shared.domain.forecasts import Forecast
from shared.domain.proposals import Proposal, ProposedChange
from shared.domain.recommendations import Recommendation
from shared.domain.replays import DO_NOTHING, ReplayVerdict, RuleFigures
from shared.domain.timegrid import to_epoch

WIDTH, HEIGHT = 640, 150  # of a picture, in the drawing's own units, which the page scales
CURVE = 240  # wide is a curve, likewise
LENGTH = 200  # of a bar, likewise
ROOM = 1.08  # above the highest of what is drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The window of a decision: the band and the middle of what is forecast as path texts, and how high both capacities are."""

    band: str
    middle: str
    present_y: int
    proposed_y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What lay idle (to the right) against the hours short (upwards), by the level that a rule aims at: a path text, and the
    places of what is advised and of doing nothing.
    """

    line: str
    advised: tuple[int, int]
    nothing: tuple[int, int]
    verdict: ReplayVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change as it is shown.

    present, proposed: with their unit. amounts: what that comes to, where the capacity is no amount itself; "" = not known.
    present_end, proposed_end: of the bar, 0 to LENGTH.
    """

    change: ProposedChange
    name: str
    present: str
    proposed: str
    amounts: str
    present_end: int
    proposed_end: int
    picture: Picture | None = None
    curve: Curve | None = None
    what_if: str = ""  # address where another capacity is tried; "" = its forecast is not kept

    @property
    def advice(self) -> Recommendation:
        """Of the resource that decides."""
        return self.change.binding_recommendation


def rows_of(
    proposal: Proposal,
    forecasts: Mapping[tuple[str, str], Forecast] | None = None,
    verdicts: Mapping[str, ReplayVerdict] | None = None,
) -> list[Row]:
    """Its changes, raises first, and of these what is needed first.

    Args:
        forecasts: by queue and metric, where pictures are wanted. verdicts: by queue, what replays say of them.
    """
    ordered = sorted(
        proposal.changes, key=lambda change: (not change.is_raise, change.before_at or proposal.end_at, change.queue)
    )
    longest = max((value for each in ordered for value in (each.present, each.proposed)), default=0.0) or 1.0
    return [
        _row(change, longest, proposal, _forecast_of(change, forecasts or {}), (verdicts or {}).get(change.queue))
        for change in ordered
    ]


def _forecast_of(change: ProposedChange, forecasts: Mapping[tuple[str, str], Forecast]) -> Forecast | None:
    """Of the resource that decides."""
    unit = change.binding_recommendation.unit
    return next((each for (queue, _), each in forecasts.items() if queue == change.queue and each.unit is unit), None)


def _row(
    change: ProposedChange, longest: float, proposal: Proposal, forecast: Forecast | None, verdict: ReplayVerdict | None
) -> Row:
    return Row(
        change=change,
        name=change.queue.rpartition(".")[2] if change.mode else change.queue,
        present=_capacity(change, change.present),
        proposed=_capacity(change, change.proposed),
        amounts=_amounts(change),
        present_end=round(LENGTH * change.present / longest),
        proposed_end=round(LENGTH * change.proposed / longest),
        picture=None if forecast is None else _drawn(change, proposal, forecast),
        curve=None if verdict is None or not verdict.frontier else _curve(verdict),
        what_if="" if forecast is None else f"{queue_address(forecast)}#whatif",
    )


def _capacity(change: ProposedChange, value: float) -> str:
    """As it is configured, with its unit."""
    text = f"{value:.10g}"
    if change.mode is None:
        return amount(value, change.memory.unit)
    return {Mode.PERCENTAGE: f"{text}\u202f%", Mode.ABSOLUTE: memory(value)}.get(change.mode, f"weight {text}")


def _amounts(change: ProposedChange) -> str:
    before, after = change.present_resources, change.proposed_resources
    if before is None or after is None:
        return ""
    vcores = f", {number(before.vcores)} → {number(after.vcores)} vcores" if change.vcores else ""
    of_memory = "" if change.mode is Mode.ABSOLUTE else f"{memory(before.memory_mb)} → {memory(after.memory_mb)}"
    return f"{of_memory}{vcores}".removeprefix(", ")


def _drawn(change: ProposedChange, proposal: Proposal, forecast: Forecast) -> Picture | None:
    """What is forecast in the window of the decision."""
    advice = change.binding_recommendation
    steps = [step for step, at in enumerate(forecast.timestamps) if proposal.start_at <= at < proposal.end_at]
    if len(steps) < 2:
        return None
    upper, lower, middle = (
        [values[step] for step in steps] for values in (forecast.upper_bound, forecast.lower_bound, forecast.prediction)
    )
    place = _scale(forecast.timestamps[steps[0]], forecast.timestamps[steps[-1]], max(*upper, advice.present, advice.proposed))
    at = [forecast.timestamps[step] for step in steps]
    return Picture(
        band=_path([*zip(at, upper, strict=True), *reversed([*zip(at, lower, strict=True)])], place) + "z",
        middle=_path(zip(at, middle, strict=True), place),
        present_y=place(at[0], advice.present)[1],
        proposed_y=place(at[0], advice.proposed)[1],
    )


def _curve(verdict: ReplayVerdict) -> Curve:
    def spot(figures: RuleFigures) -> tuple[float, float]:
        return figures.slack, figures.breach_hours / verdict.hours if verdict.hours else 0.0

    advised, nothing = spot(verdict.chosen), spot(verdict.of(DO_NOTHING))
    points = sorted((point.slack, point.breach_share) for point in verdict.frontier)
    width, height = (max(values) * ROOM or 1.0 for values in zip(*points, advised, nothing, strict=True))

    def place(at: tuple[float, float]) -> tuple[int, int]:
        return round(CURVE * at[0] / width), round(HEIGHT * (1 - at[1] / height))

    line = "M" + "L".join(f"{x} {y}" for x, y in map(place, points))
    return Curve(line=line, advised=place(advised), nothing=place(nothing), verdict=verdict)


def _scale(start: datetime, end: datetime, highest: float) -> Callable[[datetime, float], tuple[int, int]]:
    first, length, top = to_epoch(start), to_epoch(end) - to_epoch(start), ROOM * highest or 1.0

    def place(at: datetime, value: float) -> tuple[int, int]:
        return round((to_epoch(at) - first) * WIDTH / length), round(HEIGHT * (1 - max(0.0, value) / top))

    return place


def _path(spots: Iterable[tuple[datetime, float]], place: Callable[[datetime, float], tuple[int, int]]) -> str:
    points: Sequence[tuple[int, int]] = [place(at, value) for at, value in spots]
    return "M" + "L".join(f"{x} {y}" for x, y in points)

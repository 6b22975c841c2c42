"""What a forecast is made of, as it is drawn and told: one row for each component, all on one scale."""

from __future__ import annotations

from dataclasses import dataclass

from api.dashboard.sparkline import HEIGHT, WIDTH, line
from shared.domain.components import Steps
from shared.domain.forecasts import Forecast
from shared.domain.peaks import Peak

TITLES = {
    "level": "Usual level",
    "shift": "Change of level",
    "day": "Time of the day",
    "week": "Day of the week",
    "regressors": "What is known ahead",
    "occasions": "Holidays and events",
    "remainder": "What else the model sees",
}
MIDDLE = HEIGHT // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component: what it adds in the step that is told of, its range, and its line; "" = it is the same in all steps."""

    name: str
    title: str
    value: float
    lowest: float
    highest: float
    path: str


def made_of(forecast: Forecast, peak: Peak | None) -> dict[str, object]:
    """The components of a forecast and the time that they are told of: that of the peak, else of the highest step."""
    step = (peak and peak.step) or max(range(forecast.horizon_steps), key=forecast.prediction.__getitem__) + 1
    return {"components": _components_of(forecast, step), "told_at": forecast.timestamps[step - 1]}


def _components_of(forecast: Forecast, step: int) -> list[Component]:
    """The components of a forecast, as told of `step` (1, 2, …); none for forecasts of earlier releases."""
    parts = forecast.components.of(forecast.prediction)
    largest = max((abs(value) for name, steps in parts.items() if name != "level" for value in steps), default=0.0)
    return [
        Component(
            name=name,
            title=TITLES[name],
            value=steps[step - 1],
            lowest=min(steps),
            highest=max(steps),
            path="" if min(steps) == max(steps) else _path(steps, largest),
        )
        for name, steps in parts.items()
    ]


def _path(steps: Steps, largest: float) -> str:
    """Around the line in the middle, which is nothing."""
    last, reach = max(1, len(steps) - 1), MIDDLE - 2

    def place(spot: tuple[float, float]) -> tuple[int, int]:
        return round(spot[0] * WIDTH / last), round(MIDDLE - reach * spot[1] / (largest or 1.0))

    return line([*enumerate(steps)], place)

"""The slider of a queue's page: from where to where it goes, in the unit as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from urllib.parse import quote, urlencode

from api.dashboard.words import shown
from api.v1.choice import choice_of
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import in_path

STEPS = 200  # about so many on the way
ROOM = 1.25  # above the highest value that may come


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """A capacity to be chosen; `present` lies on a step of it.

    is_known: whether `present` is what the queue is guaranteed, else it is the highest that is forecast.
    """

    address: str
    lowest: float
    highest: float
    step: float
    present: float
    is_known: bool


def slider_of(forecast: Forecast) -> Slider:
    """For the newest forecast of a series."""
    top, factor = max(forecast.upper_bound), shown(forecast).factor
    present = factor * (top if forecast.guaranteed is None else forecast.guaranteed)
    reach = max(2 * present, ROOM * factor * max(top, forecast.maximum or 0.0))
    step = _round_step(reach / STEPS)
    return Slider(
        address=f"/v1/queues/{in_path(forecast.queue)}/outlook?{urlencode(choice_of(forecast), quote_via=quote)}",
        lowest=max(0.0, present) % step,
        highest=max(reach, step),
        step=step,
        present=max(0.0, present),
        is_known=forecast.guaranteed is not None,
    )


def _round_step(size: float) -> float:
    """The next of 1, 2 and 5, times a power of ten; 1 where there is no size."""
    if size <= 0:
        return 1.0
    power = 10.0 ** floor(log10(size))
    return next(part * power for part in (1, 2, 5, 10) if part * power >= size * (1 - 1e-9))

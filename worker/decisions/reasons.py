"""Why another capacity, in words: the hours that need it, and how often. Counted on joint paths, by their mass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from shared.domain.recommendations import amount
from shared.domain.units import Unit
from worker.decisions.objective import Demand, quantile_of

MOST, FEW = 0.5, 0.05
HIGH = 0.95  # what a capacity has to hold, to be told as enough
A_DAY = timedelta(days=1)


def why_more(demand: Demand, present: float, unit: Unit | None, starts: Sequence[datetime]) -> str:
    """Which hours pass the present capacity most often, and what they need.

    Args:
        starts: of the steps that count, in the zone that hours are told in.
    """
    values, mass = demand.values, demand.mass
    above = mass @ (values > present)
    if not above.any():
        return f"it may want more than the {amount(present, unit)} that it has"
    steps = _run(above, MOST if above.max() > MOST else above.max() / 2)
    tops = values[:, steps].max(axis=1)
    share = float(mass[tops > present].sum())
    beyond = tops[tops > present]
    of_these = mass[tops > present]
    needed = quantile_of(beyond[:, np.newaxis], of_these / of_these.sum(), MOST)
    return f"{_hours(starts, steps, demand.hours)} needs {amount(needed, unit)} {_how_often(share)}"


def why_less(demand: Demand, present: float, unit: Unit | None) -> str:
    """What is enough in nearly all that may come, or how seldom all of the present capacity is."""
    tops = demand.values.max(axis=1)
    enough = quantile_of(tops[:, np.newaxis], demand.mass, HIGH)
    if enough <= present:
        return f"nothing needs more than {amount(enough, unit)} on 19 days in 20, of the {amount(present, unit)} that it has"
    share = float(demand.mass @ (demand.values > present).mean(axis=1))
    idle = float(demand.mass @ np.maximum(present - demand.values, 0.0).mean(axis=1))
    how_long = f"{demand.hours * demand.values.shape[1] * share:.1f} h"
    return f"it wants more than {amount(present, unit)} for {how_long}, and on average leaves {amount(idle, unit)} idle"


def _run(above: NDArray[np.float64], least: float) -> slice:
    """The steps side by side, each of at least so much, that come to most together."""
    inside = np.flatnonzero(above >= least)
    runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
    longest = max(runs, key=lambda run: float(above[run].sum()))
    return slice(int(longest[0]), int(longest[-1]) + 1)


def _hours(starts: Sequence[datetime], steps: slice, hours: float) -> str:
    """02:00–05:00; with the day where the window is longer than one."""
    first, last = starts[steps.start], starts[steps.stop - 1] + timedelta(hours=hours)
    is_one_day = starts[-1] + timedelta(hours=hours) - starts[0] <= A_DAY
    if is_one_day:
        return "the whole day" if last - first >= A_DAY else f"{first:%H:%M}–{last:%H:%M}"
    return f"{first:%a %H:%M}–{last:%H:%M}" if first.date() == last.date() else f"{first:%a %H:%M}–{last:%a %H:%M}"


def _how_often(share: float) -> str:
    if share >= MOST:
        return "on most days"
    return f"on one day in {round(1 / share)}" if share >= FEW else "on few days"

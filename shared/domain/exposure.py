"""What preemption may take: what a queue uses above its guarantee while its siblings leave theirs idle.

    used − guarantee, up to the ceiling, in the steps in which all siblings together want less than they are guaranteed

Counted draw by draw where the paths of all siblings are known; else all that is above the guarantee counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from shared.domain.distribution import Rows
from shared.domain.excess import SECONDS_PER_HOUR, work
from shared.domain.forecasts import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What may be taken in all that is asked about.

    amount: expected, in the unit of work. share: of the demand; None = there is none. hours: expected, in which anything may be.
    """

    amount: float
    share: float | None
    hours: float


def idle_steps(siblings: Rows, guaranteed: float) -> list[list[bool]]:
    """Of each draw the steps in which the siblings together want less than they are guaranteed together.

    Args:
        siblings: the sum of their paths.
    """
    return [[value < guaranteed for value in row] for row in siblings]


def exposed(forecast: Forecast, rows: Rows, steps: range, idle: Sequence[Sequence[bool]] | None = None) -> Exposed | None:
    """Of a queue, between two steps; None = what it is guaranteed is not known.

    Args:
        rows: its paths. idle: of each of them the steps that count; None = all do.
    """
    if (share := forecast.guaranteed) is None:
        return None
    most = inf if forecast.maximum is None else forecast.maximum
    each = [row[steps.start : steps.stop] for row in rows]
    if idle is None:
        above = [min(value, most) - share for row in each for value in row if value > share]
    else:
        marked = [zip(row, marks[steps.start : steps.stop], strict=True) for row, marks in zip(each, idle, strict=True)]
        above = [min(value, most) - share for row in marked for value, is_idle in row if is_idle and value > share]
    total, demand = sum(above) / len(rows), sum(map(sum, each)) / len(rows)
    return Exposed(
        amount=work(forecast, total),
        share=total / demand if demand > 0 else None,
        hours=len(above) * forecast.step_seconds / SECONDS_PER_HOUR / len(rows),
    )

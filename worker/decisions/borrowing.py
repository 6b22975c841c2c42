"""What guarantees of siblings do together, step by step: what is asked for beyond them, what of it is lent, and what waits.

unguaranteed   Σ (D − c)+         all that is asked for beyond guarantees
lent           min(Σ (D − c)+, Σ (c − D)+), or what more the parent has      served as long as nobody wants it back
waits          the rest           the parent itself is full: other guarantees change nothing, more nodes or less work does
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.decisions.recent import is_day
from worker.decisions.wanted import Shares, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowing:
    """Over the window, expected, in units of the demand times hours; full_hours: in which more is wanted than all have."""

    unguaranteed: float
    lent: float
    waits: float
    full_hours: float


def borrowing(demands: Sequence[Shares], capacities: Sequence[float], spare: float, full: float) -> Borrowing | None:
    """Of at least one child with a forecast; None where they have no block in common, or steps of another length.

    Days as they were count for nothing here: this is told as what may come.

    Args:
        capacities: of each, in units of which the parent has `full`.
        spare: what the parent has beyond these capacities, that of children without a forecast not counted.
    """
    places = together([demand.blocks for demand in demands])
    if places is None or len({(demand.values.shape[1], demand.hours) for demand in demands}) > 1:
        return None
    paths = [demand.values * (full if demand.is_part else 1.0) for demand in demands]
    blocks = demands[0].blocks
    columns = [list(each) for each in zip(*(draw for draw in places if not is_day(blocks[draw[0]])), strict=True)]
    beyond = [each[column] - amount for each, column, amount in zip(paths, columns, capacities, strict=True)]
    short = np.sum([np.maximum(each, 0.0) for each in beyond], axis=0)
    idle = np.sum([np.maximum(-each, 0.0) for each in beyond], axis=0) + max(0.0, spare)
    lent = np.minimum(short, idle)
    hours = demands[0].hours * short.shape[1]
    return Borrowing(
        unguaranteed=float(short.mean()) * hours,
        lent=float(lent.mean()) * hours,
        waits=float((short - lent).mean()) * hours,
        full_hours=float((short > idle * (1 + 1e-9)).mean()) * hours,
    )

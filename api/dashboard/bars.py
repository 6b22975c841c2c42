"""A bar of what a queue uses and wants, against what it is guaranteed and the most that it can get."""

from __future__ import annotations

from dataclasses import dataclass

LENGTH = 200  # of a bar, in the drawing's own units, which the page scales
BEYOND = 1.5  # of the guarantee that a bar shows at least, and
AROUND = 1.1  # of the demand; never more than the ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Ends of what is drawn, 0 to LENGTH; None = it is not known, or lies further to the right."""

    guaranteed: int | None
    ceiling: int | None
    used: int
    demand: int


def bar_of(used: float, demand: float, guaranteed: float | None, ceiling: float | None) -> Bar | None:
    """Drawn from nothing to its ceiling, or to what is needed to see guarantee and demand, if that is less.

    Args:
        all in one unit; guaranteed, ceiling: None = not known, and none.

    Returns:
        None where there is nothing to be drawn.
    """
    end = max(BEYOND * (guaranteed or 0.0), AROUND * demand, AROUND * used)
    if ceiling is not None:
        end = min(ceiling, end)
    if end <= 0:
        return None

    def place(value: float) -> int:
        return max(0, min(LENGTH, round(LENGTH * value / end)))

    return Bar(
        guaranteed=place(guaranteed) if guaranteed is not None and guaranteed <= end else None,
        ceiling=LENGTH if ceiling is not None and ceiling <= end else None,
        used=place(used),
        demand=place(demand),
    )

"""Whole steps: capacities as they are written, so that a sum of percentages is exactly what it has to be.

    wanted   43.27   31.18   25.55 untouched         43.27 → 43.2 | 0.07     what is left of 100, 0.15, goes in tenths to the
    written  43.25   31.2    25.55        = 100.00   31.18 → 31.1 | 0.08     largest remainders, and what is no tenth to one

The method of the largest remainder (Hamilton's), within bounds, in decimal arithmetic: 0.1 + 0.2 is 0.3 here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

NOTHING = Decimal(0)
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one sibling is to have: `wanted` between two bounds; None = it stays as it is."""

    present: Decimal
    wanted: Decimal | None = None
    low: Decimal = NOTHING
    high: Decimal = Decimal("Infinity")


def decimal_of(number: float) -> Decimal:
    """The number as it is written, 12.1, and not as the machine has it, 12.0999…"""
    return Decimal(repr(float(number)))


def rounded(targets: Sequence[Target], total: Decimal, grain: Decimal = TENTH) -> tuple[Decimal, ...] | None:
    """The numbers to write, which add up to the total exactly; None where the bounds leave none.

    Changed ones are whole multiples of the grain, but one that takes what the untouched ones leave beyond such a multiple.
    """
    amounts = [target.present if target.wanted is None else _inside(target, grain) for target in targets]
    if None in amounts:
        return None
    found = [amount for amount in amounts if amount is not None]
    changed = [place for place, target in enumerate(targets) if target.wanted is not None]
    while (rest := total - sum(found)) and changed:
        step = max(-grain, min(grain, rest))
        fitting = [place for place in changed if targets[place].low <= found[place] + step <= targets[place].high]
        if not fitting:
            return None
        place = max(fitting, key=lambda at: ((targets[at].wanted or NOTHING) - found[at]) * (1 if step > 0 else -1))
        found[place] += step
    return tuple(found) if sum(found) == total or not changed else None


def in_allocations(targets: Sequence[Target], total: Decimal, least: Decimal) -> tuple[Decimal, ...] | None:
    """Amounts as whole multiples of the least allocation, upwards where bounds and the total allow that; None where none fit."""
    found = [target.present if target.wanted is None else _upwards(target, least) for target in targets]
    amounts = [amount for amount in found if amount is not None]
    if len(amounts) < len(targets):
        return None
    changed = [place for place, target in enumerate(targets) if target.wanted is not None]
    while sum(amounts) > total:
        fitting = [place for place in changed if amounts[place] - least >= targets[place].low]
        if not fitting:
            return None
        place = max(fitting, key=lambda at: amounts[at] - (targets[at].wanted or NOTHING))
        amounts[place] -= least
    return tuple(amounts)


def _upwards(target: Target, least: Decimal) -> Decimal | None:
    above = -_down(-(target.wanted or NOTHING), least)
    amount = above if above <= target.high else _down(target.high, least)
    return amount if target.low <= amount else None


def _inside(target: Target, grain: Decimal) -> Decimal | None:
    """Downwards to the grain, within the bounds: to a multiple of it where there is one between them."""
    wanted = target.wanted or NOTHING
    below = _down(wanted, grain)
    if below < target.low:
        below = -_down(-target.low, grain)
    if below > target.high:
        below = _down(target.high, grain)
    return below if target.low <= below <= target.high else target.low if target.low <= target.high else None


def _down(amount: Decimal, grain: Decimal) -> Decimal:
    return (amount / grain).to_integral_value(ROUND_FLOOR) * grain

"""What a decision on one queue is made by: the numbers of its policy, and what is known of the queue besides its demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Self

from shared.domain.basis import Basis
from shared.domain.policies import Policy, QueueClass
from shared.domain.units import Unit
from shared.domain.waiting import Verdict

PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The numbers of a policy; amounts are in the unit of the demand.

    kappa: how many idle GB·h hurt as one that is missing. price_hours: what a change costs, in hours of the present capacity.
    floor, ceiling: least and most that the queue's class and its owner allow.
    maximum: the queue's own; None = it has none. raises_maximum: whether that may be raised with a capacity.
    grain: what a capacity is a multiple of (0.1 % of the parent, the least allocation); 0 = any amount will do.
    smallest_step: less is no change. max_cut: share of the present capacity that one change may take.
    is_critical: whether lowering needs two forecasts that agree, and a weekday without more demand in 28 days.
    is_protected: whether it is never changed.
    """

    kappa: float = 10.0
    price_hours: float = 1.2
    floor: float = 0.0
    ceiling: float = inf
    maximum: float | None = None
    raises_maximum: bool = True
    grain: float = 0.0
    smallest_step: float = 0.0
    max_cut: float = 0.25
    is_critical: bool = False
    is_protected: bool = False

    @classmethod
    def of(
        cls,
        policy: Policy,
        queue: str,
        whole: float = 0.0,
        *,
        children: int = 1,
        maximum: float | None = None,
        grain: float = 0.0,
    ) -> Self:
        """Those that a policy has for a queue.

        Args:
            whole: what the parent is guaranteed, in the unit of the demand. children: how many queues share that. Neither is
                looked at where the policy has no tree.
        """
        rule, part = policy.rule(queue), whole / PERCENT if policy.has_tree else 1.0
        return cls(
            kappa=rule.weight,
            price_hours=policy.price_hours,
            floor=(rule.floor or 0.0) * part,
            ceiling=inf if rule.ceiling is None else rule.ceiling * part,
            maximum=maximum,
            grain=grain,
            smallest_step=policy.min_step(children) / PERCENT * whole if policy.has_tree else 0.0,
            max_cut=policy.max_down_percent / PERCENT,
            is_critical=rule.queue_class is QueueClass.CRITICAL,
            is_protected=rule.is_protected,
        )

    def price(self, present: float) -> float:
        """Of one change, in units of the demand times hours."""
        return self.price_hours * present


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a queue besides its demand; what is None is not known, and forbids nothing.

    history_days: of which its demand is known. configured_at: when its capacity was changed last.
    age_steps: how many steps ago the forecast was issued. is_calibrated: whether chances have held lately.
    verdict: what the queue waits for.
    blocks: windows of the backtest that its paths were made from. windows: recent days, likewise.
    weekday_peak: the highest demand of the same weekday in 28 days. agreed: what the forecast before would have given it.
    """

    unit: Unit | None = None
    now: datetime | None = None
    history_days: float | None = None
    basis: Basis | None = None
    configured_at: datetime | None = None
    age_steps: float | None = None
    is_calibrated: bool = True
    verdict: Verdict | None = None
    blocks: int = 0
    windows: int = 0
    weekday_peak: float | None = None
    agreed: float | None = None


NOTHING_ELSE = Facts()

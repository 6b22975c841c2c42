"""What is known of queues beside their demand when a decision is made on them: each from the part of the store that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from shared.domain.collected import DEFAULT
from shared.domain.forecasts import Forecast
from shared.domain.identifiers import listed
from shared.domain.policies import Group, Policy, QueueClass
from shared.domain.proposal_states import ProposalState
from shared.domain.reports import Point
from shared.domain.timegrid import MINUTE
from shared.domain.waiting import Verdict
from shared.domain.wording import counted
from shared.store import Store
from worker.decisions.guards import SETTLING
from worker.decisions.objective import Demand, level_of, quantile_of
from worker.decisions.terms import Facts

MONTH, WEEK, A_DAY = timedelta(days=28), timedelta(days=7), timedelta(days=1)
REACH = MONTH + WEEK  # of what is known of a queue: a replay of four weeks has one before it
RECENT = 2 * WEEK  # of what is known of a queue: its last week, of windows that began before it
RANKS = 24
MAX_WRONG = 2  # cuts of one group in four weeks, after which nothing is lowered


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Of the queues of a tree in one partition.

    configured: queue → when its capacity was changed last, within three days. verdicts: queue → what it waits for.
    """

    configured: Mapping[str, datetime] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def facts(self, store: Store, forecast: Forecast, policy: Policy) -> Facts:
        """Of one queue; its forecast tells the rest of itself."""
        rule, issued_at = policy.rule(forecast.queue), forecast.issued_at
        first_at = store.actuals.first_at(forecast.series_id, issued_at - REACH, issued_at)
        is_critical = rule.queue_class is QueueClass.CRITICAL
        return Facts(
            history_days=0.0 if first_at is None else (issued_at - first_at) / A_DAY,
            configured_at=self.configured.get(forecast.queue),
            verdict=self.verdicts.get(forecast.queue),
            weekday_peak=_weekday_peak(forecast, values_of(store, forecast)) if is_critical else None,
            agreed=_asked_before(store, forecast, rule.weight) if is_critical else None,
        )


NOTHING_ELSE = Known()


def values_of(store: Store, forecast: Forecast, reach: timedelta = REACH) -> list[Point]:
    """What is known of a series, of five weeks before a forecast of it where nothing else is said."""
    return store.actuals.get(forecast.series_id, forecast.issued_at - reach, forecast.issued_at)


def known_of_tree(store: Store, cluster: str, partition: str, now: datetime) -> Known:
    """What is known of a cluster's queues in a partition, beside their values."""
    name = partition or DEFAULT
    changes = store.changes.of(cluster, partition=name, since=now - SETTLING)
    usages = store.usages.find([cluster], partition=name)
    return Known(
        configured={row.queue: row.changed_at for row in reversed(changes) if row.before},
        verdicts={each.queue: each.waits.causes[0].verdict for each in usages if each.waits.causes},
    )


def wrong_cuts(store: Store, group: Group, now: datetime) -> tuple[str, ...]:
    """Queues of which a cut was wrong within four weeks, once for each, of proposals that were put into force."""
    seen = store.proposals.find(**group._asdict(), states=[ProposalState.SEEN], limit=100)
    recent = [each for each in seen if each.created_at >= now - MONTH and each.effects]
    return tuple(queue for each in recent for queue in max(each.effects, key=lambda effect: effect.days).wrong_cuts)


def _weekday_peak(forecast: Forecast, points: Sequence[Point]) -> float | None:
    """The highest value of the day ahead, whole weeks before."""
    starts = [forecast.issued_at - weeks * WEEK for weeks in (1, 2, 3, 4)]
    values = [
        each.value
        for each in points
        if each.value is not None and any(start <= each.timestamp < start + A_DAY for start in starts)
    ]
    return max(values, default=None)


def _asked_before(store: Store, forecast: Forecast, kappa: float) -> float | None:
    """What the forecast before would have given it, by the quantiles of its steps; None = there is none."""
    issued = store.forecasts.issued(forecast.series, since=forecast.issued_at - WEEK, before=forecast.issued_at, limit=1)
    if not issued or not issued[0].quantiles:
        return None
    ranks = (np.arange(RANKS) + 0.5) / RANKS
    demand = Demand.of(np.array([issued[0].quantiles.at(float(rank)) for rank in ranks]))
    return quantile_of(demand.values, demand.mass, level_of(kappa))


def paused(store: Store, policy: Policy, now: datetime) -> tuple[Policy, tuple[str, ...]]:
    """The policy that is decided by, without any cut where too many were wrong; and that in a sentence."""
    wrong = wrong_cuts(store, policy.group, now)
    if len(wrong) <= MAX_WRONG:
        return policy, ()
    names = listed(list(dict.fromkeys(wrong)))
    why = f"nothing is lowered: {counted(len(wrong), 'cut')} of the last four weeks were wrong ({names})"
    return replace(policy, max_down_percent=0.0), (why,)


def why_frozen(policy: Policy, now: datetime, zone: ZoneInfo) -> str:
    """Why nothing is changed now; "" = it may be."""
    if (freeze := policy.frozen_at(now)) is None:
        return ""
    because = f" ({freeze.reason})" if freeze.reason else ""
    return f"nothing is changed until {freeze.end_at.astimezone(zone):{MINUTE}}{because}"

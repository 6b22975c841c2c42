"""The report of a queue from its five minutes: for how long it waited and for what, and what of its guarantee it did not need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import ceil, isnan

from shared.domain.collected import Series
from shared.domain.usage import MIN_DAYS, MONTH, NEEDED, WEEK, CauseHours, QueueUsage, UnderUse, Waits
from shared.domain.waiting import Cause
from worker.decisions.limits import AROUND, BESIDE, NAMED

MINUTES = 5.0
HOURS, DAYS = MINUTES / 60, MINUTES / 1_440
SHARES = {cause: f"waiting_{cause}" for cause in Cause}
EVIDENCE = (*dict.fromkeys(name for names in NAMED.values() for name in names), *AROUND)
OF_WAITING = ("waiting", "saturated", *SHARES.values(), "waiting_seconds", "preempted_containers", *EVIDENCE)
DEMANDS = ("demand_memory_mb_p95", "demand_memory_mb_max", "demand_vcores_p95", "demand_vcores_max")
OF_DEMAND = (*DEMANDS, "guaranteed_memory_mb", "guaranteed_vcores")


def usage_of(week: Series, month: Series, cluster: str, now: datetime) -> QueueUsage:
    """The report of a queue.

    Args:
        week: columns OF_WAITING of the last 7 days. month: OF_DEMAND of the last 28, of the same queue; both ordered by time.
    """
    under_use, reason = _under_use(month)
    return QueueUsage(
        cluster=cluster,
        queue=month.queue,
        partition=month.partition,
        made_at=now,
        waits=_waits(week, now),
        under_use=under_use,
        reason=reason,
    )


def _waits(week: Series, now: datetime) -> Waits:
    told = {name: week.columns[name] for name in OF_WAITING}
    known, saturated = _known(told["waiting"]), _known(told["saturated"])
    delays, preempted = _known(told["waiting_seconds"]), _known(told["preempted_containers"])
    causes = [each for cause, name in SHARES.items() if (each := _cause(cause, told[name], week)) is not None]
    return Waits(
        start_at=now - WEEK,
        end_at=now,
        known_hours=len(known) * HOURS,
        hours=sum(known) * HOURS,
        saturated_hours=sum(saturated) * HOURS,
        causes=tuple(sorted(causes, key=lambda each: -each.hours)),
        delay_seconds=sum(delays) / len(delays) if delays else None,
        preempted_containers=round(sum(preempted)) if preempted else None,
    )


def _cause(cause: Cause, shares: Sequence[float], week: Series) -> CauseHours | None:
    """Of one cause, with the means of what was seen while it held; None = it never did."""
    places = [place for place, share in enumerate(shares) if share > 0]
    if not places:
        return None
    numbers = {}
    for name in (*NAMED[cause], *BESIDE.get(cause, ())):
        column = week.columns[name]
        pairs = [(shares[place], column[place]) for place in places if not isnan(column[place])]
        if pairs:
            numbers[name] = sum(weight * value for weight, value in pairs) / sum(weight for weight, _ in pairs)
    return CauseHours(cause=cause, hours=sum(shares[place] for place in places) * HOURS, numbers=numbers)


def _under_use(month: Series) -> tuple[UnderUse | None, str]:
    """What was not needed, or why that is not told."""
    columns = month.columns
    memory, vcores = _known(columns["demand_memory_mb_p95"]), _known(columns["demand_vcores_p95"])
    days = min(len(memory), len(vcores)) * DAYS
    if days < MIN_DAYS - DAYS / 2:
        return None, f"its demand is known of {days:.1f} days of the last {MONTH.days}; at least {MIN_DAYS:.0f} are needed"
    guaranteed = _last(columns["guaranteed_memory_mb"]), _last(columns["guaranteed_vcores"])
    if guaranteed[0] is None or guaranteed[1] is None:
        return None, "its guarantee is not known"
    (peak_memory, memory_at), (peak_vcores, vcores_at) = (
        _peak(month, f"demand_{kind}_max", f"demand_{kind}_p95") for kind in ("memory_mb", "vcores")
    )
    under_use = UnderUse(
        days=days,
        guaranteed_memory_mb=guaranteed[0],
        guaranteed_vcores=guaranteed[1],
        needed_memory_mb=_quantile(memory),
        needed_vcores=_quantile(vcores),
        peak_memory_mb=peak_memory,
        peak_memory_at=memory_at,
        peak_vcores=peak_vcores,
        peak_vcores_at=vcores_at,
    )
    return under_use, ""


def _peak(month: Series, highest: str, instead: str) -> tuple[float, datetime]:
    """The largest value and when it was first reached; where largest values are not told those of `instead` count."""
    columns = [month.columns[name] for name in (highest, instead)]
    values = (
        -1.0 if isnan(one) and isnan(other) else (other if isnan(one) else one) for one, other in zip(*columns, strict=True)
    )
    value, place = max((value, -place) for place, value in enumerate(values))
    return value, datetime.fromtimestamp(month.at[-place], UTC)


def _quantile(values: Sequence[float]) -> float:
    """The least value that 99 % of them do not pass."""
    return sorted(values)[ceil(NEEDED * len(values)) - 1]


def _known(values: Iterable[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def _last(values: Sequence[float]) -> float | None:
    return next((value for value in reversed(values) if not isnan(value)), None)

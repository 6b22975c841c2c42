"""What a queue waited for and what it could give back, as callers read it: numbers, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from pydantic import Field

from api.schema.answers import Answer
from shared.domain.evidence import evidence_of
from shared.domain.usage import CauseHours, QueueUsage, UnderUse, Waits
from shared.domain.usage_words import before_a_raise, could_give, sentence_of
from shared.domain.waiting import ADVICE, TITLES, Cause


class CauseTold(Answer):
    """One thing that a queue waited for."""

    cause: Cause
    hours: float = Field(description="of the waiting; of several causes the first of YARN's order counts, so hours add up")
    title: str = Field(description="what the cause is, for people")
    evidence: str = Field(description="the numbers that say so, as means over that time; empty = they are not known")
    advice: str = Field(description="what helps, and what a higher capacity would do about it")
    properties: tuple[str, ...] = Field(description="of YARN's configuration, to be looked at, the one that decides first")
    numbers: Mapping[str, float] = Field(description="columns of samples, as means over that time")

    @classmethod
    def of(cls, told: CauseHours) -> Self:
        """Of a report."""
        verdict = told.verdict
        return cls(
            cause=told.cause,
            hours=told.hours,
            title=TITLES[told.cause],
            evidence=evidence_of(verdict),
            advice=ADVICE[told.cause],
            properties=verdict.properties,
            numbers=told.numbers,
        )


class WaitsTold(Answer):
    """For how long anything of a queue waited in the last 7 days."""

    start_at: datetime
    end_at: datetime
    known_hours: float = Field(description="of which it is known whether anything waited")
    hours: float
    share: float = Field(description="hours of known_hours, 0 to 1")
    saturated_hours: float = Field(description="in which it had all that it could get, or something waited")
    delay_seconds: float | None = Field(
        description="until applications had their first container, on average; null = the ResourceManager does not tell"
    )
    preempted_containers: int | None = Field(description="taken back from it; null = not told")
    sentence: str
    causes: tuple[CauseTold, ...] = Field(description="what it waited for, the longest first")

    @classmethod
    def of(cls, waits: Waits) -> Self:
        """Of a report."""
        return cls.showing(waits, sentence=sentence_of(waits), causes=tuple(map(CauseTold.of, waits.causes)))


class UnderUseTold(Answer):
    """What of its guarantee a queue did not need in the last 28 days."""

    days: float = Field(description="of which its demand is known")
    guaranteed_memory_mb: float = Field(description="as it is now")
    guaranteed_vcores: float
    needed_memory_mb: float = Field(description="was enough 99 % of the time: of the 95 % quantiles of five minutes each")
    needed_vcores: float
    peak_memory_mb: float = Field(description="the most that it wanted: what forbids more")
    peak_memory_at: datetime
    peak_vcores: float
    peak_vcores_at: datetime
    reclaimable_memory_mb: float = Field(description="guaranteed, and not needed; 0 = less than 1 % of the guarantee")
    reclaimable_vcores: float
    gb_hours_a_month: float = Field(description="of that memory, in 30 days")
    sentence: str

    @classmethod
    def of(cls, under_use: UnderUse) -> Self:
        """Of a report."""
        return cls.showing(under_use, sentence=could_give(under_use))


class QueueUsageAnswer(Answer):
    """The daily report of a queue in a partition."""

    cluster: str
    queue: str
    partition: str
    made_at: datetime
    waits: WaitsTold
    before_a_raise: str | None = Field(description="what to look at before its capacity is raised; null = nothing is known")
    under_use: UnderUseTold | None = Field(description="null = see reason")
    reason: str | None = Field(description="why no under-use is told")
    gone: str | None = Field(None, description="why its cluster does not have the queue any more; null = it has")

    @classmethod
    def of(cls, usage: QueueUsage, gone: str | None = None) -> Self:
        """Of a report."""
        return cls.showing(
            usage,
            waits=WaitsTold.of(usage.waits),
            before_a_raise=before_a_raise(usage.waits),
            under_use=UnderUseTold.of(usage.under_use) if usage.under_use else None,
            reason=usage.reason or None,
            gone=gone,
        )


class ClusterUsageAnswer(Answer):
    """The daily reports of a cluster's queues in a partition, by name."""

    cluster: str
    partition: str
    made_at: datetime | None = Field(description="of the newest one; null = none was made yet")
    queues: tuple[QueueUsageAnswer, ...]
    leaves: int = Field(description="queues without others below them, whose sums these are:")
    waiting_hours: float
    reclaimable_memory_mb: float
    reclaimable_vcores: float
    gb_hours_a_month: float
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, cluster: str, partition: str, reports: Iterable[QueueUsage], notes: Iterable[str], gone: Mapping[str, str]
    ) -> Self:
        """Of all reports of it; what is gone has nothing that it could give back."""
        queues = tuple(QueueUsageAnswer.of(report, gone.get(report.queue)) for report in reports)
        leaves = [each for each in _leaves(queues) if each.gone is None]
        under = [each.under_use for each in leaves if each.under_use is not None]
        return cls(
            cluster=cluster,
            partition=partition,
            made_at=max((each.made_at for each in queues), default=None),
            queues=queues,
            leaves=len(leaves),
            waiting_hours=sum(each.waits.hours for each in leaves),
            reclaimable_memory_mb=sum(each.reclaimable_memory_mb for each in under),
            reclaimable_vcores=sum(each.reclaimable_vcores for each in under),
            gb_hours_a_month=sum(each.gb_hours_a_month for each in under),
            notes=tuple(notes),
        )


def _leaves(queues: Iterable[QueueUsageAnswer]) -> list[QueueUsageAnswer]:
    """Those that no other is part of; dynamic queues of a parent stand for themselves, not as their sum."""
    every = {each.queue: each for each in queues}
    parents = {path.rpartition("/" if path.endswith("/*") else ".")[0] for path in every}
    return [each for path, each in every.items() if path not in parents and not path.endswith("/*")]

"""How the queues of a made-up cluster are used: by hour, by weekday, by applications that come and go, by services that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

CONTAINER_MB = 2_048
CONTAINER_VCORES = 1
CLUSTER_MB = 6_400 * CONTAINER_MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a queue is used. Shares are relative to the other queues; loads are in parts of the queue's own guarantee."""

    queue: str
    share: float  # of the cluster, before the shares are scaled to 100 %
    peak_hours: tuple[float, ...]  # UTC, when most applications arrive
    spread: float  # hours around a peak; 24 = all day alike
    weekend: float  # arrivals on Saturday and Sunday, relative to other days
    load: float  # mean demand of the applications that come and go
    service: float = 0.0  # demand of what always runs
    minutes: float = 20.0  # median time that an application runs
    per_day: float = 1_500.0  # applications on a weekday
    ceiling: float = 2.0  # largest usage that the configuration allows


HABITS = (
    Habit(queue="root.etl.daily", share=22, peak_hours=(2, 4.5), spread=1.6, weekend=0.9, load=0.55, minutes=45, service=0.04),
    Habit(queue="root.adhoc", share=12, peak_hours=(10, 15), spread=2.4, weekend=0.15, load=0.5, service=0.05, ceiling=3.0),
    Habit(queue="root.llap", share=18, peak_hours=(11, 16), spread=3.5, weekend=0.5, load=0.3, service=0.35, ceiling=1.0),
    Habit(queue="root.default", share=8, peak_hours=(14,), spread=5, weekend=0.4, load=0.35, service=0.08, ceiling=4.0),
    Habit(queue="root.streaming", share=10, peak_hours=(12, 20), spread=4, weekend=1.0, load=0.15, service=0.55, ceiling=1.2),
    Habit(
        queue="root.ml.training",
        share=10,
        peak_hours=(18,),
        spread=3,
        weekend=0.6,
        load=0.6,
        minutes=150,
        per_day=120,
        ceiling=3.0,
    ),
    Habit(queue="root.etl.hourly", share=8, peak_hours=(12,), spread=24, weekend=1.0, load=0.45, minutes=8, per_day=2_500),
    Habit(queue="root.reporting", share=5, peak_hours=(7, 8), spread=0.8, weekend=0.1, load=0.4, service=0.03, per_day=600),
    Habit(queue="root.ml.serving", share=4, peak_hours=(13,), spread=5, weekend=0.8, load=0.2, service=0.4, ceiling=1.5),
    Habit(queue="root.archive", share=2, peak_hours=(3,), spread=1, weekend=0.0, load=0.02, minutes=60, per_day=1),
    Habit(queue="root.finance", share=3, peak_hours=(9, 17), spread=1.5, weekend=0.05, load=0.35, service=0.02, per_day=400),
    Habit(queue="root.sandbox", share=2, peak_hours=(15,), spread=2, weekend=0.1, load=0.03, minutes=12, per_day=2, ceiling=5.0),
)


def habits_of(queues: int) -> list[Habit]:
    """The first of the known habits; further queues are teams of `root.teams` with varied habits of the same kinds."""
    teams = [HABITS[index % len(HABITS)] for index in range(len(HABITS), queues)]
    named = [replace(habit, queue=f"root.teams.team{number:03}", share=habit.share / 2) for number, habit in enumerate(teams, 1)]
    return [*HABITS[:queues], *named]

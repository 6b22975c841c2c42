"""How many queues run at a time, of all jobs together: a bound on memory, cheap cancelling, a short way for who comes next."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.lanes import Lane
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import Room

ALWAYS, FEW_QUEUES = 2, 4  # two, so that one is scored while the other is read or chosen from
FEW_TASKS = 200  # what another job may have to wait for
TIMES = 3  # so often every slot is kept busy


def room(slots: Mapping[str, int]) -> Room:
    """What may run where lanes have these slots: every slot is kept busy three times over; four queues unless they are large.

    What has been let in stands before a job that comes later, however small that is: to two slots queues of 150 candidates come
    two at a time. There is a queue for each slot, because the candidates of one may all be in one task, as those of `auto` are.
    """
    score = slots.get(Lane.SCORE.value, 0)
    return Room(
        always=max(ALWAYS, score),
        few=FEW_QUEUES,
        few_tasks=FEW_TASKS,
        score_tasks=TIMES * score,
        heavy_tasks=TIMES * slots.get(Lane.HEAVY.value, 0),
    )


def fill(run_state: RunState) -> list[tuple[str, str]]:
    """Let the next queues in, whichever job's turn it is; returns (job, queue). Whoever calls sends their ingest tasks."""
    return run_state.turns.let_in(room(run_state.members.slots()))

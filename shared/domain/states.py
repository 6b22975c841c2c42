"""The moves a job may make, and the verdict when its last queue has ended.

A retry is the one way out of a terminal state. It is no move: `Jobs.reopen` of the store makes the job as good as new, where a
move only carries it further.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.domain.identifiers import first_of
from shared.domain.job_warnings import why_nothing
from shared.domain.jobs import Job, JobState, QueueState, Tally
from shared.domain.reports import QueueReport
from shared.domain.wording import counted, meant
from shared.errors import InvalidRequest, StateForbids

MAX_SHOWN = 5  # reasons in that of a job
MAX_NAMED = 2  # queues of one of them
NAMED = "named"  # how the row of a job says that it is tried again for some of its queues
LOOK_BACK = "a job looks back from `as_of` (default: now)"

OPEN_STATES = frozenset(state for state in JobState if not state.is_terminal)
ENDED_WELL = frozenset({QueueState.SUCCEEDED, QueueState.SKIPPED})  # of queues: their job has not failed for them
WITHOUT_SUCCESS = frozenset({JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})

# which queues are tried again → the states a job may be tried again from, and the reports that go
TRIED_FROM: Mapping[str, frozenset[JobState]] = {
    "failed": WITHOUT_SUCCESS,
    "all": WITHOUT_SUCCESS | {JobState.SUCCEEDED},
    NAMED: frozenset({JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED}),
}
FORGOTTEN: Mapping[str, frozenset[QueueState]] = {
    "failed": frozenset(QueueState) - {QueueState.SUCCEEDED},
    "all": frozenset(QueueState),
    NAMED: frozenset(QueueState),
}


def may_move(old: JobState, new: JobState) -> bool:
    """Whether a job in state `old` may become `new`: one that has not ended may end, and one that is queued may run."""
    return old in OPEN_STATES and (new.is_terminal or (old, new) == (JobState.QUEUED, JobState.RUNNING))


def check_move(expected: Collection[JobState], new: JobState) -> None:
    """Raises ValueError when a job in one of the `expected` states may not become `new`: a fault of the caller."""
    refused = sorted(old for old in expected if not may_move(old, new))
    if refused:
        raise ValueError(f"a job that is {' or '.join(refused)} cannot become {new}")


def check_reopening(expected: Collection[JobState]) -> None:
    """Raises ValueError when one of the `expected` states is no end: only what has ended can be queued again."""
    refused = sorted(OPEN_STATES.intersection(expected))
    if refused:
        raise ValueError(f"a job that is {' or '.join(refused)} has not ended and cannot be queued again")


def _by_reason(failures: Mapping[str, str]) -> list[str]:
    """`queue: reason`, or for several queues of one reason `12 queues: reason (a, b and 10 more)`."""
    queues: dict[str, list[str]] = {}
    for queue, reason in sorted(failures.items()):
        queues.setdefault(reason.replace(f" (queue {queue})", ""), []).append(queue)
    return [
        f"{len(names)} queues: {reason} ({first_of(names, MAX_NAMED)})" if names[1:] else f"{names[0]}: {failures[names[0]]}"
        for reason, names in queues.items()
    ]


def verdict(succeeded: int, failures: Mapping[str, str], skipped: str | None = None) -> tuple[JobState, str | None]:
    """State and reason of a job whose queues have all ended.

    Args:
        succeeded: how many queues have a forecast.
        failures: queue → reason of every queue that failed.
        skipped: which others have none, and why; they fail nothing, unless nothing else is left.
    """
    if not failures:
        if succeeded or not skipped:
            return JobState.SUCCEEDED, None
        return JobState.FAILED, f"no queue has data to forecast from: {skipped}; {LOOK_BACK}"
    named = first_of(_by_reason(failures), MAX_SHOWN, between="; ")
    total = counted(succeeded + len(failures), "queue")
    reason = f"{len(failures)} of {total} {'has' if len(failures) == 1 else 'have'} no forecast: {named}"
    return (JobState.PARTIAL if succeeded else JobState.FAILED), reason


def ended_as(reports: Sequence[QueueReport], missing: str) -> tuple[JobState, str | None]:
    """State and reason of a job with these reports of its queues; `missing`: why one has no forecast that does not say it."""
    succeeded = sum(report.state is QueueState.SUCCEEDED for report in reports)
    failures = {report.queue: report.reason or missing for report in reports if report.state not in ENDED_WELL}
    return verdict(succeeded, failures, why_nothing(reports)) if reports else (JobState.FAILED, missing)


def tally_of(run: Tally, reports: Sequence[QueueReport]) -> Tally:
    """How many queues a job has that has ended: a run of some of them, by a retry, has the others beside it."""
    if len(reports) <= run.total:
        return run
    return Tally(total=len(reports), done=len(reports), failed=sum(report.state not in ENDED_WELL for report in reports))


def may_name(job: Job) -> bool:
    """Whether a job may be tried again for some of its queues: it has ended, and so has each of them."""
    queues = job.progress.queues
    return job.state in TRIED_FROM[NAMED] and 0 < queues.total <= queues.done


def check_named(job: Job, queues: Collection[str], known: Collection[str]) -> None:
    """Whether a job that has ended may be tried again for these of its queues, by the `known` ones, which have a report.

    Raises StateForbids: it ended before all of its queues had their turn, so that others would be forgotten over these.
    InvalidRequest: one of them is none of its queues.
    """
    if job.state not in TRIED_FROM[NAMED]:
        return  # who reopens it says so
    if not may_name(job):
        raise StateForbids("it ended before each of its queues had; a retry of all without a forecast (`failed`) completes it")
    for queue in sorted(set(queues).difference(known)):
        raise InvalidRequest(f"the job has no queue {queue!r}{meant(queue, known)}", field="queues")


def why_forbidden(state: JobState, what: str, states: Collection[JobState]) -> str:
    """What to say when a job in this state cannot be cancelled or tried again; `states` are those from which it can."""
    possible = [one.value for one in JobState if one in states]
    is_for_all = state is JobState.SUCCEEDED and states == TRIED_FROM["failed"]
    hint = "; `all` for its queues (`--all`) takes one that succeeded, too" if is_for_all else ""
    return f"it is {state}; a job can be {what} when it is {' or '.join(possible)}{hint}"

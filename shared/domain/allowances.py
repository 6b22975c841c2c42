"""What a project may have at a time, so that one that floods the service leaves room for the others.

It is counted where the record is added, in the same step: two that ask at once do not both get the last place.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.jobs import Job
from shared.errors import AllowanceUsedUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The most that an account may have of each; None = as many as it likes."""

    open_jobs: int | None = None
    candidates: int | None = None
    schedules: int | None = None

    @property
    def bounds_jobs(self) -> bool:
        """Whether open jobs, or their candidates, must be counted."""
        return self.open_jobs is not None or self.candidates is not None

    def check_job(self, job: Job, *, open_jobs: int, candidates: int) -> None:
        """Whether the account may have one more open job, this one, beside those and their candidates; raises AllowanceUsedUp."""
        what = f"open jobs of {_whose(job.account)}"
        _check(what, open_jobs, 1, self.open_jobs, "wait until one ends, or cancel one")
        what = f"candidates that open jobs of {_whose(job.account)} may ask for"
        advice = "wait until a job ends, or ask for fewer with max_candidates"
        _check(what, candidates, job.request.max_candidates, self.candidates, advice)

    def check_schedules(self, account: str, used: int) -> None:
        """Whether the account may have one more schedule; raises AllowanceUsedUp."""
        _check(f"schedules of {_whose(account)}", used, 1, self.schedules, "remove one first")


UNLIMITED = Allowance()


def _whose(account: str) -> str:
    return f"project {account!r}" if account else "all without a project or a token"


def _check(what: str, used: int, added: int, allowed: int | None, advice: str) -> None:
    if allowed is not None and used + added > allowed:
        more = f", {added:,} more were asked for" if added > 1 else ""
        raise AllowanceUsedUp(f"{what}: {used:,} of {allowed:,} are used{more}; {advice}")

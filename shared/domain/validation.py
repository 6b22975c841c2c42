"""What a look at a request on demand finds, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that stands in a request's way: the field it is about ("" = the whole), and what is wrong in plain words."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a look at everything that a job would meet has shown, before anything runs."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether a job of this request would run."""
        return not self.problems

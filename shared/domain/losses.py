"""Losses: rows and cells of a source that did not reach the series, told to people with what to do about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.timegrid import MINUTE

MAX_SHARE = 0.05  # of a column: above that a forecast would be one of something else
MAX_NOBODYS = 0.5  # of all rows of a place: above that hardly anything of it is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Rows or cells of one kind that were left out of one queue's history.

    what: in plain words, plural: "cells with text instead of a number".
    count, total: how many were left out, of how many that there were.
    column: the one they lay in; None = whole rows.
    first_at, last_at: the time of the first and the last of them, where that is known.
    example: one of them as it is written.
    advice: what to set or mend, as a sentence without a full stop.
    is_at_end: whether nothing usable comes after them. is_one_sided: whether all values above, or below, some value are lost.
    is_nobodys: whether they may be rows of any queue of the place, or of none: then they are told once, and fail no queue unless
        they are most of what there is.
    """

    what: str
    count: int
    total: int
    column: str | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    example: str | None = None
    advice: str = ""
    is_at_end: bool = False
    is_one_sided: bool = False
    is_nobodys: bool = False

    @property
    def share(self) -> float:
        """Part of all that there were, 0–1."""
        return self.count / self.total if self.total else 0.0

    @property
    def is_severe(self) -> bool:
        """Whether a queue fails by it unless the request accepts losses."""
        return self.why_severe is not None

    @property
    def why_severe(self) -> str | None:
        """The rule by which it is too much; None = it is not."""
        if self.is_at_end and not self.is_nobodys:
            return "nothing that can be used comes after them"
        if self.is_one_sided and not self.is_nobodys:
            return "they are all that is above, or below, some value"
        most = MAX_NOBODYS if self.is_nobodys else MAX_SHARE
        whole = "the column" if self.column else "all"
        return f"they are more than {most:.0%} of {whole}" if self.share > most else None

    @property
    def text(self) -> str:
        """All of it in one line: what and how many, where, an example, why that is too much, what to do."""
        where = f" in {self.column!r}" if self.column else ""
        when = f" from {self.first_at:{MINUTE}} to {self.last_at:{MINUTE}}" if self.first_at and self.last_at else ""
        example = f", such as {self.example!r}" if self.example is not None else ""
        too_much = f", too much as {self.why_severe}" if self.why_severe else ""
        advice = f"; {self.advice}" if self.advice else ""
        left_out = f"{self.count:,} of {self.total:,} ({self.share:.1%}) left out{when}{example}{too_much}"
        return f"{self.what}{where}: {left_out}{advice}"


def severe(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """Those by which a queue fails unless its request accepts losses, the largest share first."""
    return tuple(sorted((loss for loss in losses if loss.is_severe), key=lambda loss: -loss.share))


def together(losses: Iterable[Loss]) -> Loss:
    """Losses of one kind, of several queues, as one: all that were left out of all that there were, with the first example."""
    first, *others = losses
    for other in others if not first.is_nobodys else ():
        first = replace(
            first,
            count=first.count + other.count,
            total=first.total + other.total,
            first_at=min(filter(None, (first.first_at, other.first_at)), default=None),
            last_at=max(filter(None, (first.last_at, other.last_at)), default=None),
            is_at_end=first.is_at_end or other.is_at_end,
            is_one_sided=first.is_one_sided or other.is_one_sided,
        )
    return first

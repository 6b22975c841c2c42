"""A queue's report in sentences: how long it waited, what to look at before its capacity is raised, what it could give back."""

from __future__ import annotations

from shared.domain.evidence import gigabytes
from shared.domain.usage import UnderUse, Waits
from shared.domain.waiting import ADVICE, PROPERTIES, TITLES, Cause

FEW = 10.0  # hours
MOST = 0.5  # of the waiting: what explains less of it is not told as the reason


def sentence_of(waits: Waits) -> str:
    """In a sentence how long a queue waited."""
    if not waits.known_hours:
        return "Whether it waited is not known."
    if not waits.hours:
        return f"Nothing of it waited in {_hours(waits.known_hours)}."
    return f"It waited {waits.hours:,.1f} of {_hours(waits.known_hours)} ({100 * waits.share:.0f} %)."


def _hours(known: float) -> str:
    """Of a new cluster with a digit."""
    return f"{known:,.1f} hours" if known < FEW else f"{known:,.0f} hours"


def before_a_raise(waits: Waits) -> str | None:
    """What to look at before a capacity is raised: what explains most of the waiting; None = nothing waited, or nobody knows."""
    known = [each for each in waits.causes if each.cause is not Cause.UNEXPLAINED]
    if not known or known[0].hours < MOST * waits.hours:
        return None
    cause = known[0].cause
    look = "" if cause is Cause.PARENT else f" Look at {' and '.join(PROPERTIES[cause])}."
    return f"Waits because {TITLES[cause]}, {100 * known[0].hours / waits.hours:.0f} % of that time.{look} {ADVICE[cause]}"


def could_give(under_use: UnderUse) -> str:
    """In a sentence what a queue could give back, and what forbids more."""
    memory, vcores = under_use.reclaimable_memory_mb, under_use.reclaimable_vcores
    needed = f"{gigabytes(under_use.needed_memory_mb)} and {under_use.needed_vcores:,.0f} vcores were enough 99 % of the time"
    if not (memory or vcores):
        return f"Could give nothing back: {needed}."
    parts = ([gigabytes(memory)] if memory else []) + ([f"{vcores:,.0f} vcores"] if vcores else [])
    month = f", {under_use.gb_hours_a_month:,.0f} GB·h a month" if memory else ""
    return f"Could give back {' and '.join(parts)}{month}: {needed} in {under_use.days:.0f} days."

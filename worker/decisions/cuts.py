"""The verdict on a queue that has far more than it needs: it was never short, so that any cut brings hours that it had none of.

Such a rule is offered where it costs less than what the queue has, by as much as any other, and is short for no longer than a
capacity that somebody sets once by the queue's first week, for the same κ: which is what doing nothing means in the benchmark.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.replays import MIN_DAYS, MIN_GAIN, ReplayVerdict, percent_of
from shared.domain.wording import counted
from worker.decisions.replay import Past, replay
from worker.decisions.rules import Nothing
from worker.decisions.terms import Terms


def with_cuts(past: Past, terms: Terms, found: ReplayVerdict) -> ReplayVerdict:
    """The verdict, where it is only the hours of a queue that has too much which speak against the rule."""
    own, ratio = found.chosen, found.chosen.ratio
    set_once = replace(past, present=None)
    start = set_once.start(terms.kappa)
    is_cheaper = ratio is not None and ratio <= 1 - MIN_GAIN
    if found.is_offered or found.days < MIN_DAYS or not is_cheaper or start >= found.present:
        return found
    once = replay(set_once, Nothing(), start)
    if own.breach_hours > once.breach_hours:
        return found
    saved = f"would have cost {percent_of(ratio or 0.0)} of doing nothing on {counted(found.days, 'day')} of its past"
    hours = f"{own.breach_hours:.0f} h above its capacity, {once.breach_hours:.0f} h with one that is set once by its first week"
    return replace(found, is_offered=True, sentence=f"Changes as advised {saved}: {hours}.")

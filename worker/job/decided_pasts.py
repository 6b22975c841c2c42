"""Replays of queues on their own past, at most once a day: from what was issued, else from their last search's backtest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import isclose

from shared.domain.forecasts import Forecast
from shared.domain.recipes import search_of
from shared.domain.recommendations import Confidence, Recommendation
from shared.domain.replays import MIN_DAYS, ReplayVerdict
from shared.domain.wording import counted
from shared.store.replays import Evidence, KeptReplay
from worker.decisions.cuts import with_cuts
from worker.decisions.pasts import past_of_folds, past_of_issued
from worker.decisions.rules import Recommended
from worker.decisions.terms import Terms
from worker.decisions.verdict import verdict
from worker.job.decided_asked import MAX_REPLAY_SECONDS, REPLAY_SECONDS, Asked
from worker.job.decided_facts import A_DAY, MONTH, values_of

AGAIN = timedelta(hours=20)  # a verdict is a day's
MUCH_LATER = timedelta(days=7)  # where nothing is advised, so that all of many queues have their turn
ENOUGH_DAYS = 14  # of issued forecasts, from which on nothing else is replayed
SAME = 0.02  # a capacity that differs by less is the one that was replayed
NO_PAST = "none of its past could be replayed: no forecast of it is old enough, and its last search is not kept"
NO_CHANGE = "its past has called for no change, so that nothing tells what such a one would have cost"
NO_TIME = "its past is replayed with a later decision, as there was no time for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A queue whose past is replayed.

    present: what it has. known: the verdict that is kept; None = there is none.
    has_week: whether what is decided counts with the last week as it was.
    """

    forecast: Forecast
    terms: Terms
    present: float
    known: KeptReplay | None
    has_week: bool = True


def replayed(asked: Asked, subject: Subject, *, is_change: bool) -> KeptReplay | None:
    """The verdict on a queue, that of today where there is one; None = there was no time for it.

    Args:
        is_change: whether anything is advised for it, so that it matters now.
    """
    if subject.known is not None and _stands(asked, subject, subject.known, is_change=is_change):
        return subject.known
    if not asked.has_time(MAX_REPLAY_SECONDS if is_change else REPLAY_SECONDS):
        return None
    evidence, own = _looked_at(asked, subject, is_change=is_change)
    forecast = subject.forecast
    made = KeptReplay(
        series_id=forecast.series_id,
        job=forecast.job,
        queue=forecast.queue,
        made_at=asked.now,
        evidence=evidence,
        verdict=own,
        reason="" if own else NO_PAST,
        has_week=subject.has_week,
        issued_at=forecast.issued_at,
    )
    asked.resources.store.replays.save([made])
    return made


def judged(found: Recommendation, replay: KeptReplay | None) -> Recommendation:
    """What is advised after a look at the queue's past: left where that would not have paid; thin where too little is known."""
    against, doubt = judgement(replay)
    if not found.is_change or not (against or doubt):
        return found
    return left(found, against) if against else thin(found, doubt)


def judgement(replay: KeptReplay | None) -> tuple[str, str]:
    """Why a past speaks against a change, and why it says too little; "" = it does not."""
    own = None if replay is None else replay.verdict
    if own is not None and own.days >= MIN_DAYS:
        if own.chosen.changes == 0:  # what comes is unlike what was: the past neither speaks for a change nor against it
            return "", NO_CHANGE
        return "" if own.is_offered else own.sentence, ""
    if own is not None:
        return "", f"its past could be replayed on {counted(own.days, 'day')} only"
    return "", NO_TIME if replay is None else NO_PAST


def thin(found: Recommendation, doubt: str) -> Recommendation:
    """It with a doubt more."""
    confidence = Confidence.THIN if found.confidence is Confidence.GOOD else found.confidence
    return replace(found, confidence=confidence, doubts=(*found.doubts, doubt))


def left(found: Recommendation, why: str) -> Recommendation:
    """It as a queue that is left as it is, for this reason."""
    return replace(found, after=found.before, price=0.0, maximum=None, kept_because=why, turns=())


def _looked_at(asked: Asked, subject: Subject, *, is_change: bool) -> tuple[Evidence, ReplayVerdict | None]:
    forecast, present, store = subject.forecast, subject.present, asked.resources.store
    points, steps = values_of(store, forecast), asked.steps(forecast)
    since = forecast.issued_at - MONTH
    issued = store.forecasts.of_each_day(forecast.series_id, forecast.job, since=since, before=forecast.issued_at)
    past, evidence = past_of_issued(issued, points, forecast, present, steps), Evidence.ISSUED
    if past is None or len(past.cutoffs) < ENOUGH_DAYS * A_DAY / (steps * timedelta(seconds=forecast.step_seconds)):
        winner = store.winners.get(search_of(asked.job.request), forecast.queue)
        other = past_of_folds(winner.score.windows, points, forecast, present, steps) if winner else None
        if other is not None and (past is None or len(other.cutoffs) > len(past.cutoffs)):
            past, evidence = other, Evidence.BACKTEST
    if past is None:
        return Evidence.NONE, None
    past = replace(past, has_week=subject.has_week)
    in_short = None if is_change else Recommended(terms=subject.terms)  # without what costs most, which nobody needs then
    return evidence, with_cuts(past, subject.terms, verdict(past, subject.terms, rule=in_short))


def _stands(asked: Asked, subject: Subject, known: KeptReplay, *, is_change: bool) -> bool:
    own, has = known.verdict, subject.present
    if known.has_week != subject.has_week:  # another rule
        return False
    is_same = own is None or (own.kappa == subject.terms.kappa and isclose(own.present, has, rel_tol=SAME))
    if is_change and own is not None and not own.frontier:  # it was made in short
        return False
    return is_same and asked.now - known.made_at < (AGAIN if is_change else MUCH_LATER)

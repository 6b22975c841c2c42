"""What decisions look up: verdicts on queues, a forecast of each day, first values, and proposals by what is to come of them."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.proposal_states import ProposalState
from shared.domain.reports import Point
from shared.store import Store
from shared.store.replays import Evidence, KeptReplay
from tests.decisions import DAY, a_proposal
from tests.factories import MONDAY, a_forecast

HOUR = timedelta(hours=1)


def test_the_last_verdict_on_a_queue_is_kept(store: Store) -> None:
    replay = KeptReplay(series_id="s1", job="daily", queue="root.etl", made_at=MONDAY, evidence=Evidence.NONE, reason="too new")
    newer = KeptReplay(series_id="s1", job="daily", queue="root.etl", made_at=MONDAY + DAY, evidence=Evidence.NONE)
    assert store.replays.get("s1", "daily") is None
    store.replays.save([])
    for each in (replay, newer):
        store.replays.save([each])
    assert store.replays.get("s1", "daily") == newer
    assert store.replays.of(["s1", "s2"], "daily") == {"s1": newer}
    assert store.replays.of([], "daily") == store.replays.of(["s1"], "hourly") == {}


def test_of_each_day_the_last_forecast_is_found_by_how_long_before_it_was(store: Store) -> None:
    for hours in range(1, 72, 7):
        store.forecasts.save(a_forecast(issued_at=MONDAY - hours * HOUR, job_id=f"job-{hours}"))
    store.forecasts.save(a_forecast(issued_at=MONDAY - HOUR, job="another", job_id="other"))
    series_id = a_forecast().series_id
    found = store.forecasts.of_each_day(series_id, a_forecast().job, since=MONDAY - 3 * DAY, before=MONDAY)
    assert [(MONDAY - each.issued_at) / HOUR for each in found] == [50, 29, 1]
    assert store.forecasts.of_each_day(series_id, "nobody", since=MONDAY - DAY, before=MONDAY) == []


def test_the_first_known_value_of_a_series_is_found(store: Store) -> None:
    series = a_forecast().series
    store.actuals.save(series, [Point(timestamp=MONDAY + hours * HOUR, value=1.0) for hours in (3, 4, 9)])
    assert store.actuals.first_at(series.series_id, MONDAY, MONDAY + DAY) == MONDAY + 3 * HOUR
    assert store.actuals.first_at(series.series_id, MONDAY + 5 * HOUR, MONDAY + 9 * HOUR) is None
    assert store.actuals.last_at(series.series_id, MONDAY + DAY) == MONDAY + 9 * HOUR
    assert store.actuals.last_at(series.series_id, MONDAY + 3 * HOUR) is None


def test_proposals_are_counted_by_state_and_found_by_what_comes_next(store: Store) -> None:
    assert store.proposals.oldest_open() is None
    old, new = a_proposal(), a_proposal(at=MONDAY + HOUR)
    seen = a_proposal(parent="root.etl", state=ProposalState.SEEN)
    for proposal in (old, new, seen):
        store.proposals.add(proposal)
    assert store.proposals.oldest_open() == old
    assert store.proposals.by_state() == {"proposed": 2, "seen": 1}
    assert store.proposals.ending(MONDAY, MONDAY + DAY + HOUR / 2) == [old.decision_id]
    assert store.proposals.seen_since(MONDAY) == [seen]
    assert store.proposals.seen_since(MONDAY + HOUR) == []

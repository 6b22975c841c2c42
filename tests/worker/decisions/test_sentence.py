"""What is proposed, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.capacities import Mode
from shared.domain.likelihood import Likelihood
from shared.domain.proposals import ProposedChange
from tests.decisions import a_proposed_change, a_recommendation
from tests.factories import MONDAY
from worker.decisions.sentence import Clock, sentence_of, told

CLOCK = Clock(now=MONDAY, look_at=MONDAY + timedelta(days=1), zone=ZoneInfo("Europe/Berlin"))


def a_raise(queue: str = "root.etl", before_at: datetime | None = None) -> ProposedChange:
    change = a_proposed_change(queue, 40.0, 46.0)
    before = replace(change.memory.before, hours=4.1, shortfall=310.0, likelihood=Likelihood.ABOUT_90)
    return replace(change, memory=replace(change.memory, before=before), before_at=before_at)


def test_a_raise_says_before_when_what_it_costs_not_to_and_who_can_give_it() -> None:
    change, donor = a_raise(before_at=MONDAY + timedelta(hours=25)), a_proposed_change("root.adhoc", 60.0, 54.0)
    said = sentence_of([donor, change], (), CLOCK)
    meant = (
        "Raise etl to 46 % before Tue 06 Jan 02:00 CET, or expect 4 h beyond its guarantee (310 GB·h, likely); adhoc can give it."
    )
    assert said == meant


def test_what_is_short_already_is_wanted_now_and_others_are_counted() -> None:
    change = replace(a_raise(before_at=MONDAY), donors=())
    said = sentence_of([change, a_raise("root.bi")], (), CLOCK)
    assert said == "Raise etl to 46 % now, or expect 4 h beyond its guarantee (310 GB·h, likely). 1 further change beside it."


def with_numbers(change: ProposedChange, before: tuple[float, float], after: tuple[float, float]) -> ProposedChange:
    """Hours and shortfall with what it has, and with what is planned."""
    found = change.memory
    sides = (
        replace(side, hours=hours, shortfall=short)
        for side, (hours, short) in zip((found.before, found.after), (before, after), strict=True)
    )
    return replace(change, memory=replace(found, **dict(zip(("before", "after"), sides, strict=True))))


def test_a_raise_that_gains_nothing_is_no_headline() -> None:
    daily = with_numbers(a_proposed_change("root.daily", 70.0, 78.0), (2 / 60, 2.8), (11 / 60, 9.0))
    cut = with_numbers(a_proposed_change("root.adhoc", 30.0, 22.0), (0, 0), (0, 0))
    assert sentence_of([daily, cut], (), CLOCK).startswith("Lower adhoc from 30 % to 22 %: 30 GB·h lie idle")
    alone = sentence_of([daily], (), CLOCK)
    assert alone == "Raise daily from 70 % to 78 %: 02:00–05:00 needs 452 GB on most days."


def test_the_raise_that_gains_most_comes_first_and_no_number_is_held_against_itself() -> None:
    little = with_numbers(a_proposed_change("root.etl", 40.0, 46.0), (5, 20), (1, 2))
    much = replace(with_numbers(a_proposed_change("root.training", 70.0, 78.5), (24, 4_000), (24, 3_000)), donors=())
    said = sentence_of([little, much], (), CLOCK)
    meant = "Raise training to 78.5 %, or expect 4,000 GB·h beyond its guarantee instead of 3,000 GB·h (24 h)."
    assert said == f"{meant} 1 further change beside it."


def test_a_queue_that_the_plan_makes_short_is_named() -> None:
    donor = with_numbers(a_proposed_change("root.adhoc", 60.0, 54.0), (0.5, 1), (6, 30))
    said = sentence_of([a_raise(), donor], (), CLOCK)
    assert said.endswith("; adhoc can give it. With that adhoc wants more than it has for 6 h instead of 30 min.")


def test_left_as_it_is_says_who_wants_more_than_it_has_for_long() -> None:
    kept = [a_recommendation(f"root.{name}", 1.0, 1.0) for name in ("etl", "ml", "streaming")]
    short = [
        replace(each, before=replace(each.before, hours=24.0, shortfall=2_142.0), kept_because="it was changed")
        for each in kept[1:]
    ]
    said = sentence_of((), [kept[0], *short], replace(CLOCK, look_at=None))
    assert said.endswith(". root.ml and root.streaming want more than they have (24 h, 4,284 GB·h): it was changed.")


def test_of_cuts_alone_it_says_what_lies_idle() -> None:
    said = sentence_of([a_proposed_change("root.adhoc", 60.0, 54.0)], (), CLOCK)
    assert said == "Lower adhoc from 60 % to 54 %: 60 GB·h lie idle with what it has, 54 GB·h with that."


def test_where_nothing_is_to_be_changed_it_says_why_and_when_it_looks_again() -> None:
    kept = [a_recommendation(queue, 1.0, 1.0) for queue in ("root.etl", "root.bi")]
    again = " It is looked at again Tue 06 Jan 01:00 CET."
    assert sentence_of((), kept, CLOCK) == f"Leave it as it is: of all 2 queues, no other capacity costs less.{again}"
    one = sentence_of((), kept[:1], replace(CLOCK, look_at=None))
    assert one == "Leave it as it is: root.etl: no other capacity costs less."
    both = [kept[0], replace(kept[1], kept_because="its forecast is old")]
    assert "no change of 2 queues is worth its price, or may be made now" in sentence_of((), both, CLOCK)


def test_capacities_are_told_as_they_are_configured() -> None:
    change = a_raise()
    assert told(46.0, change) == "46 %"
    assert told(2.5, replace(change, mode=Mode.WEIGHT)) == "weight 2.5"
    assert told(47_104.0, replace(change, mode=None)) == "46 GB"

"""Rules on a queue's past: what they see, what they come to, and when one is offered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shared.domain.replays import DO_NOTHING, MIN_DAYS, ORACLE, RECOMMENDED
from worker.decisions.objective import Demand, level_of
from worker.decisions.replay import Cutoff, Past, oracle, replay, scored
from worker.decisions.rules import Fading, Nothing, PeakAndMore, Recommended, Seen, Trailing, baselines
from worker.decisions.terms import Terms
from worker.decisions.verdict import frontier, verdict
from worker.models.base import FloatArray

DAY = 24


def fallen(days: int = 28, *, at: int = 12, high: float = 400.0, low: float = 100.0) -> FloatArray:
    """Demand that falls for good at a day, with an afternoon twice as high each day."""
    shape = np.ones(DAY)
    shape[13:16] = 2.0
    levels = np.where(np.arange(days) < at, high, low)
    noise = np.random.default_rng(1).normal(1, 0.02, days * DAY)
    return (levels[:, np.newaxis] * shape).ravel() * noise


def past_of(values: FloatArray, *, first: int = 8) -> Past:
    """A cutoff each day, with the week before as the paths."""
    cutoffs = [
        Cutoff(at=day * DAY, demand=Demand.of(values[(day - 7) * DAY : day * DAY].reshape(7, DAY)))
        for day in range(first, len(values) // DAY)
    ]
    return Past(queue="root.etl", values=values, cutoffs=tuple(cutoffs))


def test_doing_nothing_scores_exactly_one() -> None:
    found = verdict(past_of(fallen()), Terms())
    assert (found.of(DO_NOTHING).ratio, found.of(DO_NOTHING).paid_ratio, found.of(DO_NOTHING).changes) == (1.0, 1.0, 0)


def test_a_rule_that_saves_is_offered_with_what_it_would_have_done() -> None:
    found = verdict(past_of(fallen(high=100.0, low=400.0)), Terms())
    assert found.is_offered
    assert found.sentence.startswith("Changes as advised would have cost ")
    assert found.days == 20
    assert found.chosen.rule == RECOMMENDED
    ratios = [found.chosen.ratio, found.of(ORACLE).ratio]
    assert ratios[0] is not None
    assert ratios[1] is not None
    assert ratios[1] < ratios[0] < 0.7
    assert len(found.beside) == 7


def test_a_rule_is_not_offered_for_more_hours_above_the_capacity() -> None:
    found = verdict(past_of(fallen()), Terms())  # after each cut some afternoons pass what is left
    assert not found.is_offered
    assert found.chosen.ratio is not None
    assert found.chosen.ratio < 0.7
    assert "h above its capacity instead of" in found.sentence


def test_a_queue_without_change_is_left() -> None:
    found = verdict(past_of(fallen(at=99)), Terms())
    assert (found.is_offered, found.chosen.changes) == (False, 0)
    assert found.sentence == "Leave it: nothing would have been changed on 20 days of its past."


def test_few_days_are_no_evidence() -> None:
    values = fallen(days=8 + MIN_DAYS - 1, at=8)
    assert f"on {MIN_DAYS - 1} days only" in verdict(past_of(values), Terms()).sentence


def test_what_it_has_may_be_known() -> None:
    assert verdict(replace(past_of(fallen()), present=1_234.0), Terms()).present == 1_234.0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -1e12, 1e12])
def test_no_value_at_or_after_a_cutoff_is_read(poison: float) -> None:
    values = fallen()
    past = past_of(values)
    rules = (*baselines(10), Recommended(), Recommended(terms=Terms(is_critical=True)))
    for number, cutoff in enumerate(past.cutoffs):
        poisoned = values.copy()
        poisoned[cutoff.at :] = poison
        for rule in rules:
            until = replace(past, cutoffs=past.cutoffs[: number + 1])
            clean = replay(until, rule, 700.0).capacities
            assert replay(replace(until, values=poisoned), rule, 700.0).capacities == clean


def test_what_a_rule_is_shown_is_not_the_series_itself() -> None:
    values = fallen()

    class Vandal:
        name = "vandal"

        def capacity(self, seen: Seen) -> float:
            seen.past[:] = 0.0
            return seen.present

    replay(past_of(values), Vandal(), 700.0)
    assert values.min() > 0


def test_costs_hours_and_wrong_cuts_are_counted_on_the_real_days() -> None:
    values = np.concatenate([np.full(7 * DAY, 10.0), np.full(DAY, 8.0), [*np.full(DAY - 1, 8.0), 9.0]])
    past = Past(queue="q", values=values, cutoffs=(Cutoff(at=7 * DAY), Cutoff(at=8 * DAY)))
    found = scored(past, [8.0, 8.0], 10.0, price_hours=1.2)
    assert (found.slack, found.shortfall, found.breach_hours) == (0.0, 1.0, 1.0)
    assert (found.changes, found.wrong_cuts, found.price) == (1, 0, 12.0)  # the second day began with what it had
    late = scored(past, [10.0, 8.0], 10.0)
    assert (late.wrong_cuts, late.slack) == (1, 48.0)
    assert scored(past, [8.5, 7.0], 10.0).wrong_cuts == 0  # what it had before would not have sufficed either


def test_unknown_steps_count_for_nothing() -> None:
    values = np.array([1.0] * DAY + [np.nan] * DAY)
    found = scored(Past(queue="q", values=values, cutoffs=(Cutoff(at=DAY),)), [5.0], 5.0)
    assert (found.slack, found.shortfall, found.breach_hours) == (0.0, 0.0, 0.0)


def test_cuts_that_were_undone_say_after_how_many_days() -> None:
    values = np.concatenate([np.full(8 * DAY, 100.0), np.full(3 * DAY, 10.0), np.full(3 * DAY, 100.0)])
    past = past_of(values)
    figures = verdict(past, Terms(), rule=PeakAndMore(days=1, name="yesterday's peak")).chosen
    assert figures.days_until_undone == 3


def test_the_oracle_is_the_cheapest_constant_of_each_day() -> None:
    past = past_of(fallen())
    best = oracle(past, 10.0, 800.0)
    day = past.cutoffs[3]
    for capacity in np.unique(past.window(day)):
        other = [*best.capacities[:3], float(capacity), *best.capacities[4:]]
        assert scored(past, other, 800.0).total(10) >= best.total(10) - 1e-9


def test_the_frontier_trades_slack_for_hours_above() -> None:
    points = frontier(past_of(fallen()), Terms(), levels=(0.5, 0.9, 0.99))
    assert points[0].slack < points[1].slack < points[2].slack
    assert points[0].breach_share > points[2].breach_share


def test_baselines_are_what_their_names_say() -> None:
    past = np.arange(1.0, 14 * DAY + 1)
    seen = Seen(past=past, steps_per_day=DAY, present=5.0)
    assert Nothing().capacity(seen) == 5.0
    assert Trailing(level=level_of(10)).capacity(seen) == pytest.approx(np.quantile(past[-168:], 10 / 11), abs=2)
    assert PeakAndMore(days=1, name="").capacity(seen) == pytest.approx(1.2 * past[-1])
    flat = replace(seen, past=np.full(100, 10.0))
    assert Fading(level=0.9, half_life_hours=24, more=0.15, name="").capacity(flat) == pytest.approx(11.5)


def test_what_is_older_counts_less() -> None:
    risen = Seen(past=np.array([100.0] * 500 + [10.0] * 96), steps_per_day=DAY, present=5.0)
    assert Fading(level=0.9, half_life_hours=24, more=0.0, name="").capacity(risen) == 10.0


def test_rules_keep_what_there_is_where_nothing_is_known() -> None:
    unknown = Seen(past=np.full(48, np.nan), steps_per_day=DAY, present=5.0)
    assert {rule.capacity(unknown) for rule in (*baselines(10), Recommended())} == {5.0}


@settings(max_examples=25)
@given(arrays(np.float64, (12 * DAY,), elements=st.integers(0, 100).map(float)), st.sampled_from([0.5, 4.0]))
def test_a_scaled_past_has_the_same_verdict(values: FloatArray, factor: float) -> None:
    one, other = verdict(past_of(values), Terms()), verdict(past_of(values * factor), Terms())
    assert one.chosen.ratio == pytest.approx(other.chosen.ratio)
    assert one.is_offered == other.is_offered


def test_a_rule_that_goes_without_the_last_week_is_replayed_without_it() -> None:
    past = past_of(fallen(high=100.0, low=400.0))
    seen = list[int]()

    class Watching(Nothing):
        def capacity(self, seen_now: Seen) -> float:
            seen.append(0 if seen_now.demand is None else int(seen_now.demand.is_recent.sum()))
            return seen_now.present

    for has_week in (True, False):
        replay(replace(past, has_week=has_week), Watching(), 100.0)
    assert seen == [7] * len(past.cutoffs) + [0] * len(past.cutoffs)

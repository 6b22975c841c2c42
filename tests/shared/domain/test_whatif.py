"""What-if against brute force: each number of the outlook, counted the long way on the same paths."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from shared.domain.distribution import Paths
from shared.domain.excess import Excess
from shared.domain.forecasts import Forecast
from shared.domain.likelihood import Likelihood
from shared.domain.outlook import Outlook, outlooks, why_untold
from shared.domain.units import Unit
from shared.domain.whatif import Amount, Change, changed, parse_lost, sentence
from shared.errors import InvalidRequest
from tests.factories import MONDAY, a_forecast

HOUR = timedelta(hours=1)
CAPACITIES = {None: 100.0, "48": 48.0, "80.5": 80.5, "1.2x": 120.0}
CEILINGS = {None: 140.0, "150": 150.0, "1.1x": 154.0}


def paths_of(hours: int, seed: int, **changes: Any) -> Forecast:
    dice, flat = random.Random(seed), (50.0,) * hours
    rows = [[dice.choice((dice.uniform(0, 60), dice.uniform(40, 130))) for _ in range(hours)] for _ in range(64)]
    paths = Paths.of(rows, blocks=14, windows=7)
    return a_forecast(
        **{"prediction": flat, "lower_bound": flat, "upper_bound": flat, "paths": paths, "maximum": 140.0} | changes
    )


def rows_of(forecast: Forecast) -> list[list[float]]:
    assert forecast.paths is not None
    return forecast.paths.rows()


def amount(text: str | None) -> Amount | None:
    return None if text is None else Amount.parse(text)


def check(found: Excess | None, rows: list[list[float]], first: int, level: float, *, includes_at: float | None = None) -> None:
    """Against the definition: `includes_at` is from where on the level counts as reached."""

    def is_above(value: float) -> bool:
        return value > level if includes_at is None else value >= includes_at

    breaching = sorted(next(n for n, value in enumerate(row) if is_above(value)) for row in rows if any(map(is_above, row)))
    assert found is not None
    assert found.level == pytest.approx(level)
    assert found.likelihood == Likelihood.of((21 * len(breaching) / 64 + 0.5) / 22)
    assert found.probability == found.likelihood.share
    assert found.hours == pytest.approx(sum(is_above(value) for row in rows for value in row) / 64)
    assert found.shortfall == pytest.approx(sum(max(0.0, value - level) for row in rows for value in row) / 64)
    assert found.slack == pytest.approx(sum(max(0.0, level - value) for row in rows for value in row) / 64)
    ends = [breaching[ceil(len(breaching) * part) - 1] for part in (0.5, 0.05)] if breaching else [None, None]
    assert [found.first_at, found.not_before] == [None if n is None else MONDAY + (first + n) * HOUR for n in ends]


@pytest.mark.parametrize("seed", range(8))
def test_every_number_is_what_the_paths_say(seed: int) -> None:
    dice = random.Random(seed)
    forecast = paths_of(50, seed)
    over, most_steps = dice.choice(((0, None), (5, None), (3, 24), (10, 30)))
    (capacity, present), (ceiling, most) = dice.choice([*CAPACITIES.items()]), dice.choice([*CEILINGS.items()])
    scale, lost = dice.choice((1.0, 1.2, 0.7)), dice.choice((0.0, 0.25))
    change = Change(capacity=amount(capacity), ceiling=amount(ceiling), scale=scale, lost=lost)
    then = changed(forecast, rows_of(forecast), change)
    whole, *days = outlooks(then.forecast, then.rows, MONDAY + over * HOUR, most_steps)
    last = min(50, over + (most_steps or 50))
    starts = range(over, last, 24) if last - over > 24 else ()
    assert [(day.start_at, day.end_at) for day in days] == [
        (MONDAY + n * HOUR, MONDAY + min(n + 24, last) * HOUR) for n in starts
    ]
    guaranteed, maximum = present * (1 - lost), most * (1 - lost)
    assert (then.forecast.guaranteed, then.forecast.maximum) == pytest.approx((guaranteed, maximum))
    for outlook, first, end in ((whole, over, last), *((day, n, min(n + 24, last)) for day, n in zip(days, starts, strict=True))):
        rows = [[value * scale for value in row[first:end]] for row in rows_of(forecast)]
        check(outlook.borrowing, rows, first, guaranteed)
        check(outlook.waiting, rows, first, maximum, includes_at=0.99 * maximum)
        lent = sum(max(0.0, min(value, maximum) - guaranteed) for row in rows for value in row) / 64
        assert outlook.lent == pytest.approx(lent)
        assert outlook.demand == pytest.approx(sum(map(sum, rows)) / 64)
        assert outlook.lent_share == pytest.approx(lent / outlook.demand)
        highest = sorted(map(max, rows))
        assert outlook.peak == {f"q{level:g}": highest[ceil(64 * level) - 1] for level in (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)}


def test_nothing_otherwise_is_as_now_also_for_the_longest_paths() -> None:
    forecast = paths_of(400, 1)
    rows = rows_of(forecast)
    now = outlooks(forecast, rows, MONDAY)
    then = changed(forecast, rows, Change(capacity=Amount.parse("1x"), scale=1.0))
    assert outlooks(then.forecast, then.rows, MONDAY) == now


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [
        ("48", Unit.MEGABYTES, 48.0),
        ("1.5x", Unit.MEGABYTES, 150.0),
        ("30%", Unit.MEGABYTES, 240.0),  # of the parent, as YARN means it
        ("30%", Unit.VCORES, 240.0),
        ("30%", Unit.PERCENT, 30.0),
        ("30%", Unit.FRACTION, 0.3),
        ("0.3", Unit.FRACTION, 0.3),
        ("48", None, 48.0),
    ],
)
def test_what_an_amount_means_depends_on_the_unit(text: str, unit: Unit | None, amount: float) -> None:
    assert Amount.parse(text).in_unit("capacity", unit, 100.0, 800.0) == pytest.approx(amount)


@pytest.mark.parametrize("text", ["", "-3", "+20%", " 20%", "30 %", "1e3", "x", "nan", "1.2X", "30%%", "١"])
def test_an_amount_of_another_form_is_refused_with_those_that_are_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"accepted is a number .*\(48\), a share \(30%\), or a multiple .*\(1\.2x\)"):
        Amount.parse(text)


def test_an_amount_of_what_is_not_known_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"what the parent is guaranteed is not known.*accepted is a number"):
        Amount.parse("30%").in_unit("capacity", Unit.MEGABYTES, 100.0, None)
    with pytest.raises(InvalidRequest, match="what it is now is not known; accepted is a number"):
        Amount.parse("2x").in_unit("capacity", Unit.MEGABYTES, None, None)


def test_lost_nodes_are_a_share_as_their_number_says_nothing() -> None:
    assert parse_lost("12.5%") == 0.125
    for text in ("3", "0%", "100%", "1.2x", ""):
        with pytest.raises(ValueError, match="accepted is the share of the cluster's capacity that is lost"):
            parse_lost(text)


def test_a_ceiling_is_never_below_what_is_guaranteed() -> None:
    forecast = paths_of(10, 1, maximum=110.0)
    rows = rows_of(forecast)
    raised = changed(forecast, rows, Change(capacity=Amount.parse("120")))
    assert (raised.forecast.maximum, len(raised.notes)) == (120.0, 1)
    for change in (Change(ceiling=Amount.parse("90")), Change(capacity=Amount.parse("120"), ceiling=Amount.parse("110"))):
        with pytest.raises(InvalidRequest, match=r"is below what is guaranteed; accepted are ceilings from (100|120) % on"):
            changed(forecast, rows, change)


def test_a_person_is_told_where_numbers_say_less_than_they_seem_to() -> None:
    forecast = paths_of(10, 1)
    capped = replace(forecast, maximum=60.0)
    rows = [[min(60.0, value) for value in row] for row in rows_of(forecast)]
    assert changed(capped, rows, Change(ceiling=Amount.parse("120"))).notes == (
        "the forecast ends at the ceiling of now: above it, more may be wanted than is counted here",
    )
    assert changed(forecast, rows_of(forecast), Change(capacity=Amount.parse("90%"))).notes == (
        "percentages are of what the queue is guaranteed now, not of its parent",
    )
    of_cluster = replace(forecast, guaranteed=40.0)
    assert changed(of_cluster, rows, Change(capacity=Amount.parse("30%"))).notes == (
        "percentages are those of the forecast, not of its parent",
    )


def test_work_is_told_in_gigabytes_of_megabytes_and_in_per_cent_of_fractions() -> None:
    def shortfall(**changes: Any) -> float | None:
        forecast = replace(paths_of(2, 1), **changes)
        [told] = outlooks(forecast, [[3_072.0, 1_024.0]], MONDAY)
        return told.borrowing and told.borrowing.shortfall

    limits = {"guaranteed": 1_024.0, "maximum": None}
    assert shortfall(unit=Unit.MEGABYTES, **limits) == 2.0
    assert shortfall(unit=Unit.FRACTION, **limits) == 204_800.0
    assert shortfall(unit=None, step_seconds=1_800, **limits) == 1_024.0


def test_what_a_change_does_is_said_in_a_sentence() -> None:
    def said(forecast: Forecast, change: Change) -> str:
        then = changed(forecast, rows_of(forecast), change)
        [now] = outlooks(forecast, rows_of(forecast), MONDAY)
        [changes] = outlooks(then.forecast, then.rows, MONDAY)
        return sentence(now, changes, forecast.unit)

    more = Change(capacity=Amount.parse("200"))
    borrowed = "Chance to be above its guarantee of 200 %: < 5 %, 0.0 h expected"
    assert said(paths_of(10, 1, maximum=None), more) == f"{borrowed}; now 75 %, 1.5 h expected."
    at_ceiling = "Chance to be at its ceiling of 140 %: < 5 %, 0.0 h expected"
    assert said(paths_of(10, 1), Change(capacity=Amount.parse("130"))).endswith(f" {at_ceiling}, as now.")
    unknown = paths_of(10, 1, maximum=None, guaranteed=None)
    assert said(unknown, more) == f"{borrowed}."
    assert said(unknown, Change(scale=2.0)) == "Neither what is guaranteed nor a ceiling is known: give a capacity."


def test_why_nothing_is_told_is_said() -> None:
    forecast = paths_of(10, 1)
    assert why_untold(forecast, MONDAY) is None
    assert "is over" in str(why_untold(forecast, MONDAY + 10 * HOUR))
    bare = replace(forecast, paths=None)
    for is_newest, why in ((True, "too few windows"), (False, "a newer forecast of it is there"), (None, "or too few windows")):
        assert why in str(why_untold(bare, MONDAY, is_newest=is_newest))
    few = Paths.of([[1.0] * 10], blocks=6, windows=7)
    assert "6 windows of the backtest, of which 7" in str(why_untold(replace(forecast, paths=few), MONDAY))


def test_limits_that_are_not_known_are_told_as_such() -> None:
    forecast = paths_of(10, 1, maximum=None, guaranteed=None)
    [told] = outlooks(forecast, rows_of(forecast), MONDAY)
    assert isinstance(told, Outlook)
    assert (told.borrowing, told.waiting, told.lent, told.lent_share) == (None, None, None, None)

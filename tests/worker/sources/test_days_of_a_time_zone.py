"""Steps of whole days over both changes of clocks: every source gives what pandas makes of days of that time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.domain.places import Place
from shared.domain.samples import Aggregation
from tests.worker.sources.queries import a_query
from tests.worker.sources.stored import (
    keep,
    store_csv,
    store_documents,
    store_metrics,
    store_one_file_per_queue,
    store_points,
    store_time_series,
)
from worker.sources.base import Query, Source

BERLIN, ST_JOHNS, SAO_PAULO = "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo"  # half an hour off; without midnights
CHANGES = {BERLIN: ("2026-03-29", "2026-10-25"), ST_JOHNS: ("2026-03-08", "2026-11-01"), SAO_PAULO: ("2017-10-15", "2018-02-17")}
WAYS = [
    *(pytest.param(("empty_folder", way), id=f"files-{way.__name__}") for way in (store_csv, store_one_file_per_queue)),
    pytest.param(("influxd", store_points), id="influxdb"),
    pytest.param(("metrics_server", store_metrics), id="prometheus"),
    *(pytest.param(("mongod", way), id=f"mongodb-{way.__name__}") for way in (store_documents, store_time_series)),
]


def hourly_facts() -> pd.DataFrame:
    """A week on either side of each change; of the days of change no hour is like another."""
    days = [pd.Timestamp(day, tz="UTC") for changes in CHANGES.values() for day in changes]
    times = pd.DatetimeIndex(
        sorted({at for day in days for at in pd.date_range(day - pd.Timedelta(days=7), day + pd.Timedelta(days=8), freq="1h")})
    )
    rng = np.random.default_rng(5)
    facts = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used_capacity": rng.gamma(4, 15, len(times))})
    return facts.assign(memory=rng.random(len(times)))


@pytest.fixture(scope="module", params=WAYS)
def stored(request: pytest.FixtureRequest) -> tuple[Source, Place]:
    source, place, *_ = keep(request, request.param, hourly_facts())
    return source, place


def around(place: Place, zone: str, change: str, aggregation: Aggregation, days: int = 1) -> Query:
    """Whole steps from a week before the change to a week after it."""
    query = a_query(place, step_seconds=days * 86_400, aggregation=aggregation, timezone=zone)
    noon = datetime.fromisoformat(change).replace(hour=12, tzinfo=UTC)
    start, end = (query.grid.bucket_start(noon + timedelta(days=away)) for away in (1 - 7 * days, 7 * days))
    return replace(query, start=start, end=end)


def as_pandas_has_it(query: Query) -> pd.DataFrame:
    facts = hourly_facts().set_index("timestamp").drop(columns="queue")
    own = facts[(facts.index >= query.known_from) & (facts.index < query.end)]
    if query.holds:
        own = own.reindex(pd.date_range(own.index[0], query.end, freq="1min", inclusive="left"), method="ffill")
        own = own[own.index >= query.start]
    days = own.tz_convert(query.timezone).resample("D")
    return days.agg(_summary(query)).tz_convert("UTC").dropna(how="all")


def _summary(query: Query) -> str | Callable[[pd.Series], float]:
    if query.aggregation is Aggregation.P95:
        return lambda day: day.sort_values().iloc[int(0.95 * len(day) + 0.5) - 1] if len(day) else np.nan
    return "mean" if query.holds else query.aggregation.value


@pytest.mark.parametrize(("zone", "change"), [(zone, change) for zone, changes in CHANGES.items() for change in changes])
@pytest.mark.parametrize("aggregation", Aggregation)
def test_days_are_those_of_pandas_over_a_change_of_clocks(stored, zone, change, aggregation):
    source, place = stored
    query = around(place, zone, change, aggregation)
    reading, expected = source.read(query), as_pandas_has_it(query)
    assert len(expected) == query.grid.steps_between(query.start, query.end) == 13
    assert len(set(expected.index.diff()[1:])) == 2  # one of them has 23 or 25 hours
    pd.testing.assert_frame_equal(
        reading.frame[list(expected)], expected, check_freq=False, check_names=False, check_index_type=False, rtol=1e-9
    )
    assert reading.newest_at == hourly_facts().timestamp[lambda times: times < pd.Timestamp(query.end)].max()


@pytest.mark.parametrize("change", CHANGES[BERLIN])
def test_weeks_are_seven_such_days_and_begin_on_thursdays_as_those_of_utc(stored, change):
    source, place = stored
    query = around(place, BERLIN, change, Aggregation.MEAN, days=7)
    facts = hourly_facts().set_index("timestamp").drop(columns="queue").tz_convert(BERLIN)
    facts = facts[(facts.index >= query.start) & (facts.index < query.end)]
    expected = facts.groupby(facts.index.tz_localize(None).to_period("W-WED")).mean()
    found = source.read(query).frame.tz_convert(BERLIN)
    assert set(found.index.day_name()) == {"Thursday"}
    np.testing.assert_allclose(found[list(expected)].to_numpy(), expected.to_numpy(), rtol=1e-9)


def test_a_time_zone_that_a_server_does_not_know_yet_is_read_all_the_same(stored):
    source, place = stored
    query = around(place, "America/Coyhaique", CHANGES[BERLIN][0], Aggregation.MEAN)  # of 2025
    expected = as_pandas_has_it(query)
    found = source.read(query).frame[list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_freq=False, check_names=False, check_index_type=False, rtol=1e-9)

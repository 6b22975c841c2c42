"""One queue's history from several places: frames that are put together, and real files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest

from shared.config.settings import Settings
from shared.domain.codec import from_document
from shared.domain.jobs import DataPlaces, Place
from shared.domain.losses import Loss
from shared.errors import SourceNotFound
from shared.fleet.runstate import RunState
from tests.factories import DEADLINE, MONDAY, a_job, a_load, a_request, write_loads
from tests.scraping import counted_here
from worker.job import steps
from worker.job.ingestion import merge, read_all, usage_query
from worker.job.resources import Resources, use
from worker.sources.base import Reading

FILES = Place(name="files")
PLACES = DataPlaces(source=(Place(name="files", path="usage/*.csv"), Place(name="files", path="nodes/*.csv")), destination=FILES)
HOURS = pd.date_range("2026-01-05", periods=4, freq="1h", tz="UTC")
NODES = Place(name="influxdb", measurement="nodes")


@pytest.fixture
def here(settings: Settings, run_state: RunState) -> Iterator[Resources]:
    """Usage of two queues in one folder, what their nodes say of one of them in another."""
    assert settings.files_dir is not None
    write_loads(settings.files_dir / "usage", "root.adhoc", "root.etl")
    (settings.files_dir / "nodes").mkdir()
    load = a_load(seed=3)
    nodes = pd.DataFrame({"heat": load.to_numpy(), "used_capacity": 1.0}, index=load.index.rename("timestamp"))
    nodes.to_csv(settings.files_dir / "nodes" / "root.etl.csv")
    with use(Resources(settings)) as given:
        yield given


def reading_of(here: Resources, queue: str, **changes: object) -> Reading:
    request = a_request(data=PLACES, **changes)
    return read_all(request, usage_query(request, queue, MONDAY), partial(here.read, project=""))


def test_covariates_come_from_the_other_place(here: Resources) -> None:
    found = reading_of(here, "root.etl")
    assert list(found.frame.columns) == ["used_capacity", "heat", "files_used_capacity"]
    assert len(found.frame) == 14 * 24
    assert found.frame.notna().all(axis=None)


def test_a_queue_without_covariates_is_read_without_them_and_says_so(here: Resources) -> None:
    found = reading_of(here, "root.adhoc")
    assert list(found.frame.columns) == ["used_capacity"]
    assert "files has no covariates of this queue in the history asked for" in found.notes


def test_columns_may_come_from_any_of_the_places(here: Resources) -> None:
    assert list(reading_of(here, "root.etl", columns=("heat",)).frame.columns) == ["used_capacity", "heat"]
    with pytest.raises(SourceNotFound, match="'cold', there are used_capacity, heat"):
        reading_of(here, "root.etl", columns=("cold",))


def test_a_job_is_planned_whose_columns_are_those_of_another_place(here: Resources) -> None:
    request = a_request(data=PLACES, columns=("heat",))
    job = here.store.jobs.add(a_job(request=request))
    here.run_state.begin_job(job.job_id, DEADLINE)
    steps.plan(job.job_id)
    assert here.run_state.queue_states(job.job_id)


def test_every_read_is_counted_also_one_that_finds_nothing(here: Resources) -> None:
    before = counted_here("queuecast_source_seconds_count", kind="files")
    reading_of(here, "root.adhoc")
    assert counted_here("queuecast_source_seconds_count", kind="files") == before + 2


def test_a_source_may_make_its_steps_from_the_times_of_a_stored_job() -> None:
    query = usage_query(a_request(), "root.etl", from_document(datetime, MONDAY.isoformat()))
    assert len(pd.date_range(query.start, query.end, freq="1h", inclusive="left")) == 14 * 24


def a_reading(first: int = 0, notes: tuple[str, ...] = (), **columns: float) -> Reading:
    frame = pd.DataFrame({name: [value] * (4 - first) for name, value in columns.items()}, index=HOURS[first:])
    return Reading(frame=frame, rows=len(frame), notes=notes)


def test_covariates_stand_beside_the_usage_on_its_steps_alone() -> None:
    found = merge(a_reading(1, used=50.0), [(NODES, a_reading(load=7.0)), (NODES, a_reading(2, heat=3.0))], None, "used").frame
    assert list(found.index) == list(HOURS[1:])
    assert list(found.columns) == ["used", "load", "heat"]
    np.testing.assert_array_equal(found["heat"].to_numpy(), [np.nan, 3.0, 3.0])


def test_places_of_one_collection_keep_their_columns_apart() -> None:
    places = [(NODES, a_reading(load=2.0, nodes_load=3.0)), (NODES, a_reading(load=4.0))]
    found = merge(a_reading(load=1.0), places, None, "load").frame.iloc[0]
    assert found.to_dict() == {"load": 1, "nodes_nodes_load": 2, "nodes_load": 3, "nodes_nodes_nodes_load": 4}


def test_what_a_covariate_left_out_is_said_with_its_place() -> None:
    found = merge(a_reading(notes=("a",), used=50.0), [(NODES, a_reading(notes=("b",), load=7.0))], None, "used")
    assert found.notes == ("a", "nodes: b")


def test_yarns_own_limits_are_read_though_no_column_is_asked_for(settings: Settings, run_state: RunState) -> None:
    folder = settings.files_dir
    assert folder is not None
    folder.mkdir(exist_ok=True)
    rows = a_load().to_frame().assign(absolute_capacity=20.0, absolute_max_capacity=50.0, memory=1.0)
    rows.rename_axis("timestamp").to_csv(folder / "root.etl.csv")
    limits = ["absolute_capacity", "absolute_max_capacity"]
    with use(Resources(settings)) as given:
        for columns, expected in (((), limits), (("memory",), ["memory", *limits]), (None, [*limits, "memory"])):
            request = a_request(columns=columns)
            found = read_all(request, usage_query(request, "root.etl", MONDAY), partial(given.read, project=""))
            assert list(found.frame.columns) == ["used_capacity", *expected]


def test_a_covariate_lost_whole_takes_no_other_along_and_advice_is_told() -> None:
    lost = Loss(what="texts", column="maxcap", count=4, total=4)
    nodes = replace(a_reading(load=7.0), losses=(lost,), advice=("make an index",))
    found = merge(a_reading(used=50.0), [(NODES, nodes)], None, "used")
    assert (found.losses, found.advice) == ((), ("nodes: make an index",))

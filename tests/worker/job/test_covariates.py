"""Usage from one source, covariates from others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from shared.domain.jobs import Place
from shared.errors import SourceNotFound
from worker.job.covariates import merge
from worker.sources.base import Reading

HOURS = pd.date_range("2026-01-05", periods=4, freq="1h", tz="UTC")
NODES = Place(name="influxdb", measurement="nodes")


def a_reading(first: int = 0, notes: tuple[str, ...] = (), **columns: float) -> Reading:
    frame = pd.DataFrame({name: [value] * (4 - first) for name, value in columns.items()}, index=HOURS[first:])
    return Reading(frame=frame, rows=len(frame), notes=notes)


def test_covariates_stand_beside_the_usage_on_the_same_steps() -> None:
    found = merge(a_reading(used=50.0), [(NODES, a_reading(1, load=7.0))], None, "used").frame
    assert list(found.columns) == ["used", "load"]
    np.testing.assert_array_equal(found["load"].to_numpy(), [np.nan, 7.0, 7.0, 7.0])


def test_steps_that_only_a_covariate_has_are_left_out() -> None:
    found = merge(a_reading(2, used=50.0), [(NODES, a_reading(load=7.0))], None, "used").frame
    assert list(found.index) == list(HOURS[2:])


def test_a_name_that_is_taken_gets_its_place_in_front() -> None:
    found = merge(a_reading(used=50.0, memory=1.0), [(NODES, a_reading(memory=2.0))], None, "used").frame
    assert list(found.columns) == ["used", "memory", "nodes_memory"]


def test_places_of_one_collection_keep_their_columns_apart() -> None:
    places = [(NODES, a_reading(load=2.0, nodes_load=3.0)), (NODES, a_reading(load=4.0))]
    found = merge(a_reading(load=1.0), places, None, "load").frame.iloc[0]
    assert found.to_dict() == {"load": 1, "nodes_nodes_load": 2, "nodes_load": 3, "nodes_nodes_nodes_load": 4}


def test_only_the_columns_asked_for_are_kept() -> None:
    covariates = [(NODES, a_reading(load=7.0, heat=3.0))]
    assert list(merge(a_reading(used=50.0, x=1.0), covariates, ("load",), "used").frame.columns) == ["used", "load"]


def test_a_column_that_no_source_has_is_named() -> None:
    with pytest.raises(SourceNotFound, match="'cold', there are used, load"):
        merge(a_reading(used=50.0), [(NODES, a_reading(load=7.0))], ("cold",), "used")


def test_what_a_covariate_left_out_is_said_with_its_place() -> None:
    found = merge(a_reading(notes=("a",), used=50.0), [(NODES, a_reading(notes=("b",), load=7.0))], None, "used")
    assert found.notes == ("a", "nodes: b")

"""Cells as people write them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from shared.errors import UnreadableData
from tests.worker.sources.files import HEADER, START, read, values, write_csv


@pytest.mark.parametrize("cells", [[Decimal("1.5")], [np.float32(1.5)], [True, False]], ids=["decimal", "float32", "booleans"])
def test_numbers_of_other_types_and_booleans_become_floats(tmp_path, cells):
    times = [START + number * timedelta(hours=1) for number in range(len(cells))]
    pd.DataFrame({"timestamp": times, "queue": "a", "used_capacity": cells}).to_parquet(tmp_path / "x.parquet")
    assert values(read(tmp_path)) == [float(cell) for cell in cells]


@pytest.mark.parametrize(("cell", "shown"), [("high", "high"), ("61%", "61%"), ('"6,1,2"', "6,1,2")])
def test_a_column_of_text_that_was_asked_for_is_refused_with_an_example(tmp_path, cell, shown):
    write_csv(tmp_path, [f"2026-01-05,a,1,{cell}"], header=f"{HEADER},load")
    for asked in ({"target": "load"}, {"columns": ("load",)}):
        found = rf"file rows\.csv, column load\): found string such as '{shown}'; accepted are numbers"
        with pytest.raises(UnreadableData, match=found):
            read(tmp_path, **asked)


def test_numbers_stored_as_text_in_parquet_are_read_and_nan_is_a_gap(tmp_path):
    times = [START, START + timedelta(hours=1)]
    pd.DataFrame({"timestamp": times, "queue": "a", "used_capacity": ["61.2", "NaN"]}).to_parquet(tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert (values(reading), reading.losses) == ([61.2], ())


def test_a_few_texts_among_numbers_are_left_out_and_counted(tmp_path):
    write_csv(tmp_path, [f"2026-01-05T{hour:02}:00Z,a,{'down' if hour == 3 else hour}" for hour in range(6)])
    reading = read(tmp_path)
    assert values(reading) == [0.0, 1.0, 2.0, 4.0, 5.0]
    [loss] = reading.losses
    assert (loss.what, loss.count, loss.total, loss.example) == ("cells with text instead of a number", 1, 6, "down")
    assert loss.first_at == loss.last_at == START + timedelta(hours=3)
    assert reading.non_finite == 1


def test_broken_values_are_gaps_and_counted(tmp_path):
    cells = ["1", "", "NaN", "inf", "-inf", "1e200", "n/a", "8"]
    write_csv(tmp_path, [f"2026-01-05T{hour:02}:00Z,a,{cell}" for hour, cell in enumerate(cells)])
    reading = read(tmp_path)
    assert reading.frame.used_capacity.dropna().tolist() == [1.0, 8.0]
    assert reading.non_finite == 6


def test_what_stands_for_no_limit_or_for_minus_one_without_a_sign_is_no_load(tmp_path):
    cells = np.array([1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 8], dtype=np.uint64)
    times = [START + number * timedelta(hours=1) for number in range(len(cells))]
    pd.DataFrame({"timestamp": times, "queue": "a", "used_capacity": cells}).to_parquet(tmp_path / "x.parquet")
    reading = read(tmp_path)
    assert reading.frame.used_capacity.dropna().tolist() == [1.0, 8.0]
    [loss] = reading.losses
    assert (loss.count, loss.example) == (4, "2147483647")

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from shared.domain.distribution import Quantiles
from shared.domain.forecasts import Forecast
from tests.factories import MONDAY, a_forecast
from worker.backtest.export import COLUMNS, ExportFormat, export_forecasts, replacing

FORECASTS = [
    a_forecast(queue='root."ä", b', hyperparameters={"order": 3, "growth": "flat"}),
    a_forecast(mape=None, skill=None, prediction=(1 / 3,), lower_bound=(-1.0,), upper_bound=(1e300,)),
]
FORMATS = list(ExportFormat)


def read(path: Path) -> pd.DataFrame:
    """The export as its readers see it, times as timestamps."""
    match path.suffix:
        case ".csv":
            return pd.read_csv(path, parse_dates=["issued_at", "timestamp"], float_precision="round_trip")
        case ".jsonl":
            frame = pd.DataFrame(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
            frame[["issued_at", "timestamp"]] = frame[["issued_at", "timestamp"]].apply(pd.to_datetime)
            return frame.assign(hyperparameters=[json.dumps(value, sort_keys=True) for value in frame["hyperparameters"]])
        case _:
            return pd.read_parquet(path)


@pytest.mark.parametrize("file_format", FORMATS)
def test_one_row_per_queue_and_step_comes_back_to_the_bit(tmp_path: Path, file_format: ExportFormat) -> None:
    path = tmp_path / f"forecasts.{file_format}"
    assert export_forecasts(FORECASTS, path) == 4
    frame = read(path)
    assert tuple(frame.columns) == COLUMNS
    assert frame["queue"].tolist() == ['root."ä", b'] * 3 + ["root.etl"]
    assert frame["prediction"].tolist() == [50.0, 60.0, 55.0, 1 / 3]
    assert frame["upper_bound"].tolist() == [60.0, 75.0, 70.0, 1e300]
    assert frame["step"].tolist() == [1, 2, 3, 1]
    assert [moment.to_pydatetime() for moment in frame["timestamp"]] == [MONDAY + timedelta(hours=n) for n in (0, 1, 2, 0)]
    assert {moment.to_pydatetime() for moment in frame["issued_at"]} == {MONDAY}
    assert [json.loads(text) for text in frame["hyperparameters"]] == [{"order": 3, "growth": "flat"}] * 3 + [{"days": 1}]
    assert frame["mape"].isna().tolist() == [False, False, False, True]
    assert set(frame["job_id"]) == {"job-1"}


@pytest.mark.parametrize("file_format", FORMATS)
def test_levels_of_any_forecast_are_the_last_columns_and_empty_where_one_has_none(
    tmp_path: Path, file_format: ExportFormat
) -> None:
    path = tmp_path / f"forecasts.{file_format}"
    told = [
        a_forecast(quantiles=Quantiles(levels=levels, values=tuple((100 * level,) * 3 for level in levels)))
        for levels in ((0.05, 0.5), (0.5, 0.975), ())
    ]
    export_forecasts(told, path)
    frame = read(path)
    assert sorted(frame.columns) == sorted((*COLUMNS, "q0.05", "q0.5", "q0.975"))
    if file_format is not ExportFormat.JSONL:  # whose rows name their own
        assert tuple(frame.columns) == (*COLUMNS, "q0.05", "q0.5", "q0.975")
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert frame["q0.05"].tolist() == [5.0] * 3 + [nan] * 6
    assert frame["q0.5"].tolist() == [50.0] * 6 + [nan] * 3
    assert frame["q0.975"].tolist() == [nan] * 3 + [97.5] * 3 + [nan] * 3


def test_csv_is_for_spreadsheets_and_scripts(tmp_path: Path) -> None:
    export_forecasts([a_forecast(skill=None)], tmp_path / "f.csv")
    head, first, *_ = (tmp_path / "f.csv").read_text(encoding="utf-8").split("\n")
    assert head == ",".join(COLUMNS)
    assert first == (
        "root.etl,used_capacity,Resource Forecasting,2026-01-05T00:00:00Z,2026-01-05T00:00:00Z,1,50.0,40.0,60.0,"
        'seasonal_naive,"{""days"": 1}",7.5,,job-1,capacity forecasting,files:,,3600,mean,'
    )


@pytest.mark.parametrize("forecasts", [[], [a_forecast(mape=None, skill=None)]], ids=["none", "empty columns"])
def test_parquet_has_the_same_types_whatever_is_in_it(tmp_path: Path, forecasts: list[Forecast]) -> None:
    export_forecasts(forecasts, tmp_path / "f.parquet")
    types = pd.read_parquet(tmp_path / "f.parquet", dtype_backend="pyarrow").dtypes.astype(str)
    times = "timestamp[ms, tz=UTC][pyarrow]"
    assert (types["timestamp"], types["issued_at"], types["step"]) == (times, times, "int64[pyarrow]")
    assert (types["mape"], types["skill"], types["prediction"], types["queue"]) == ("double[pyarrow]",) * 3 + ("string[pyarrow]",)


def test_standard_output_gets_csv_unless_told_otherwise_and_stays_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    export_forecasts(FORECASTS, None)
    export_forecasts(FORECASTS[:1], None, ExportFormat.JSONL)
    print("still open", flush=True)
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0].startswith("queue,metric,job,")
    assert [json.loads(line)["step"] for line in lines[5:8]] == [1, 2, 3]
    assert lines[8] == "still open"


def test_endings_are_read_in_any_case(tmp_path: Path) -> None:
    export_forecasts(FORECASTS, tmp_path / "F.CSV")
    assert (tmp_path / "F.CSV").read_text().startswith("queue,")


def test_an_export_that_breaks_off_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text("earlier")
    with pytest.raises(ValueError, match="Out of range float"):
        export_forecasts([a_forecast(), a_forecast(mape=float("nan"))], path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as stream:
        stream.write(b"later")
    assert path.read_text() == "later"


def test_a_cell_that_a_spreadsheet_would_compute_is_quoted_and_a_number_is_not(tmp_path: Path) -> None:
    target = tmp_path / "f.csv"
    forecast = a_forecast(queue="=cmd|' /C calc'!A0", job="@SUM(1)", lower_bound=(-1.5, 45.0, 41.0))
    export_forecasts([forecast], target)
    first = next(csv.DictReader(target.read_text().splitlines()))
    assert (first["queue"], first["job"], first["lower_bound"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)", "-1.5")

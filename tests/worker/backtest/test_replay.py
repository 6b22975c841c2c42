"""The replay: the very pipeline of a job. What it does not see: tests/worker/test_leakage.py; its command: test_cli.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.config.connection import Connection
from shared.connections.files import FilesConnection
from shared.domain.choice import Effort
from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, JobRequest, Place
from shared.errors import DataError, UsageError
from tests.factories import MONDAY, a_load, a_request
from worker.backtest.replay import QueueReplay, columns_of, replay, rows
from worker.backtest.sample_options import aliases_of
from worker.pipeline.ensembles.blends import BLENDS

QUEUES = ("root.adhoc", "root.etl", "root.llap")
HOUR = timedelta(hours=1)


def a_folder(folder: Path) -> Connection:
    """A long file with three queues of 16 days."""
    frames = []
    for number, queue in enumerate(QUEUES):
        load = a_load(16 * 24, seed=number)
        frames.append(pd.DataFrame({"queue": queue, "timestamp": load.index, "used_capacity": load.to_numpy()}))
    pd.concat(frames).to_parquet(folder / "usage.parquet")
    return FilesConnection(path=folder)


def everything(**changes: Any) -> JobRequest:
    """A request for all files of a folder, with two models that are quick."""
    place = Place(name="files")
    values = {"model": ("prophet", "hour_mean"), "hyperparameters": {"prophet": {"growth": ("flat",)}}}
    return a_request(**({"data": DataPlaces(source=place, destination=place)} | values | changes))


def a_replay(connection: Connection, *, processes: int = 1, origins: int = 2, **changes: Any) -> list[QueueReplay]:
    return replay(everything(**changes), {"files": connection}, origins=origins, processes=processes)


def frame_of(found: list[QueueReplay]) -> pd.DataFrame:
    return pd.DataFrame(rows(found), columns=columns_of(found))


def test_there_is_one_row_per_queue_cutoff_and_step(tmp_path: Path) -> None:
    found = frame_of(a_replay(a_folder(tmp_path)))
    assert len(found) == len(QUEUES) * 2 * 24
    assert set(found["origin"]) == {MONDAY - timedelta(days=2), MONDAY - timedelta(days=1)}
    assert (found["timestamp"] == found["origin"] + (found["step"] - 1) * HOUR).all()
    assert ((found["lower_bound"] <= found["prediction"]) & (found["prediction"] <= found["upper_bound"])).all()
    assert found["actual"].notna().all()
    assert set(found["hyperparameters"].map(json.loads).map(type)) == {dict}


def test_a_value_that_stays_is_no_miss(tmp_path: Path) -> None:
    """It has more digits than a history keeps."""
    load = a_load(16 * 24)
    load.iloc[200:] = 100 / 7
    frame = pd.DataFrame({"queue": "root.etl", "timestamp": load.index, "used_capacity": load.to_numpy()})
    frame.to_parquet(tmp_path / "usage.parquet")
    (result,) = a_replay(FilesConnection(path=tmp_path), origins=1, model=("last_value",), hyperparameters={})[0].results
    assert result.actual.tolist() == list(result.forecast.prediction)


def test_other_queues_change_nothing(tmp_path: Path) -> None:
    together = frame_of(a_replay(a_folder(tmp_path)))
    alone = frame_of(a_replay(a_folder(tmp_path), queues=("root.etl",)))
    pd.testing.assert_frame_equal(together[together["queue"] == "root.etl"].reset_index(drop=True), alone)


def test_thorough_tries_everything_and_may_choose_a_blend(tmp_path: Path) -> None:
    """Five days of history keep it short; on a wave with noise the blends are ahead."""
    auto = {
        "model": "auto",
        "effort": Effort.THOROUGH,
        "selection": "robust",
        "hyperparameters": {},
        "data_ingestion_time_period": Duration(5, "d"),
        "queues": ("root.etl",),
    }
    connection = a_folder(tmp_path)
    first, second = (a_replay(connection, origins=1, **auto) for _ in range(2))
    pd.testing.assert_frame_equal(frame_of(first), frame_of(second))
    (result,) = first[0].results
    assert result.forecast.model in BLENDS
    assert str(result.forecast.hyperparameters["members"]).count(", ") >= 2
    assert {"theta", "ces", "ets", "mstl", "mfles", "prophet"} <= set(result.seconds_by_model)
    assert sum(result.seconds_by_model.values()) <= result.seconds


def test_a_queue_that_cannot_be_forecast_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    connection = a_folder(tmp_path)
    (tmp_path / "root.short.csv").write_text("timestamp,queue,used_capacity\n2026-01-01T00:00Z,root.short,5\n")
    found = {each.queue: each for each in a_replay(connection, model=("hour_mean",), hyperparameters={})}
    assert "not more than one horizon" in found["root.short"].reasons[0]
    assert {queue: found[queue].reasons for queue in QUEUES} == dict.fromkeys(QUEUES, ())


@pytest.mark.parametrize(("minutes_left", "steps"), [(0, 0), (1, 0), (20, 1), (59, 1)])
def test_a_last_hour_that_has_only_begun_is_no_actual_value(tmp_path: Path, minutes_left: int, steps: int) -> None:
    """Samples of every minute; the last cutoff lies one horizon before the end of the last whole hour."""
    load = a_load(6 * 24).resample("1min").ffill().iloc[: (6 * 24 - 1) * 60]
    times = pd.date_range(end=MONDAY - timedelta(minutes=1 + minutes_left), periods=len(load), freq="1min")
    frame = pd.DataFrame({"queue": "root.etl", "timestamp": times, "used_capacity": load.to_numpy()})
    frame.to_csv(tmp_path / "usage.csv", index=False)
    found = frame_of(a_replay(FilesConnection(path=tmp_path), origins=1, model=("hour_mean",), hyperparameters={}))
    assert found["timestamp"].max() == MONDAY - (1 + steps) * HOUR


def test_what_is_doubtful_of_the_data_is_told(tmp_path: Path) -> None:
    load = a_load(16 * 24)
    load.iloc[: 8 * 24] /= 100
    frame = pd.DataFrame({"queue": "root.etl", "timestamp": load.index, "used_capacity": load.to_numpy()})
    frame.to_parquet(tmp_path / "usage.parquet")
    [found] = a_replay(FilesConnection(path=tmp_path), origins=1, model=("hour_mean",), hyperparameters={})
    [said] = found.losses
    assert "as when the unit has changed" in said


def test_an_empty_folder_has_nothing_to_replay(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no CSV or Parquet file"):
        a_replay(FilesConnection(path=tmp_path))


def test_cutoffs_and_steps_of_days_lie_at_midnights_of_their_time_zone(tmp_path: Path) -> None:
    load = a_load(60 * 24, end=datetime(2026, 4, 5, tzinfo=UTC))  # a week after clocks were changed
    load.rename_axis("timestamp").reset_index().assign(queue="root.etl").to_parquet(tmp_path / "usage.parquet")
    days = {"aggregation_time_period": Duration(1, "d"), "data_ingestion_time_period": Duration(28, "d")}
    ahead = {"future_prediction_time_period": Duration(4, "d"), "timezone": "Europe/Berlin", "model": ("seasonal_naive",)}
    found = frame_of(a_replay(FilesConnection(path=tmp_path), **days, **ahead, hyperparameters={}))
    midnights = pd.date_range("2026-03-28", periods=8, freq="D", tz="Europe/Berlin")
    assert found["timestamp"].tolist() == midnights.tolist()
    assert found["origin"].unique().tolist() == [midnights[0], midnights[4]]
    expected = load.tz_convert("Europe/Berlin").resample("D").mean()[midnights]
    np.testing.assert_allclose(found["actual"].astype(float), expected.to_numpy(), rtol=1e-9)


def test_a_renamed_queue_is_replayed_with_the_past_that_it_had_under_its_former_name(tmp_path: Path) -> None:
    load = a_load(16 * 24)
    was, now = load[: 15 * 24 - 12], load[15 * 24 - 12 :]
    both = [pd.DataFrame({"queue": name, "timestamp": own.index, "used_capacity": own}) for name, own in (("a", was), ("b", now))]
    pd.concat(both).to_parquet(tmp_path / "usage.parquet")
    connection = FilesConnection(path=tmp_path)
    plain = {"model": ("hour_mean",), "hyperparameters": {}}
    alone = {each.queue: each.results for each in a_replay(connection, origins=1, **plain)}
    [found] = replay(everything(**plain), {"files": connection}, origins=1, aliases=aliases_of(["a=b"]))
    [result] = found.results
    whole = tmp_path / "whole"
    whole.mkdir()
    pd.DataFrame({"queue": "b", "timestamp": load.index, "used_capacity": load}).to_parquet(whole / "usage.parquet")
    [[same]] = [each.results for each in a_replay(FilesConnection(path=whole), origins=1, **plain)]
    assert (found.queue, result.forecast.prediction) == ("b", same.forecast.prediction)
    assert result.actual.tolist() == same.actual.tolist()
    assert alone["b"][0].forecast.prediction != same.forecast.prediction  # of half a day of its own


@pytest.mark.parametrize(
    ("renamed", "words"),
    [
        (["a"], "accepted is OLD=NEW"),
        (["a=a"], "the same name"),
        (["a=b", "c=b"], "b was a before"),
        (["a=b", "b=a"], "names go one way only"),
    ],
)
def test_former_names_that_cannot_be_are_refused(renamed: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        aliases_of(renamed)

"""Prophet: weeks, and the optimiser's price."""

from __future__ import annotations

import logging
import os
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.worker.models.histories import a_calendar, a_history, an_extent
from worker.models.base import FloatArray, History
from worker.models.prophet_model import ProphetModel


def _history_to(end: datetime, target_of: object, *, length: int, horizon: int) -> History:
    times = pd.date_range(end - pd.Timedelta(hours=length), periods=length + horizon, freq="h")
    target = np.asarray(target_of(times[:length]), dtype=float)  # type: ignore[operator]
    return a_history(length, horizon=horizon, times=times, features=lambda: a_calendar(times), target=target)


def test_a_weekly_season_is_fitted_from_two_weeks_on() -> None:
    def weekly(times: pd.DatetimeIndex) -> FloatArray:
        return np.where(times.dayofweek >= 5, 20.0, 60.0)

    end = datetime(2026, 1, 3)  # noqa: DTZ001 # a Saturday
    two_weeks, less = (
        ProphetModel(growth="flat").forecast(_history_to(end, weekly, length=days * 24, horizon=24), 24) for days in (21, 13)
    )
    assert two_weeks.mean() < 30
    assert less.mean() > 40


def test_below_100_points_the_slow_optimiser_is_not_taken() -> None:
    history = a_history(72)
    ProphetModel().forecast(history, 24)  # the import is not what is measured
    before = _cpu_seconds()
    ProphetModel().forecast(history, 24)
    assert _cpu_seconds() - before < 1  # L-BFGS: 0.05 s; Newton: 2–3 s


def _cpu_seconds() -> float:
    """Of this process and of Stan's, which is a child."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def test_a_fit_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cmdstanpy import _TMPDIR

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(Path(_TMPDIR).iterdir())
    ProphetModel().forecast(a_history(72), 24)
    assert set(Path(_TMPDIR).iterdir()) == before
    assert list(tmp_path.iterdir()) == []


def test_a_fit_says_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ProphetModel().forecast(a_history(24 * 2), 24)
    assert [record.name for record in caplog.records if record.name.startswith(("prophet", "cmdstanpy"))] == []


def test_a_constant_history_goes_on() -> None:
    forecast = ProphetModel().forecast(a_history(72, target=np.full(72, 5.0)), 24)
    assert forecast == pytest.approx(np.full(24, 5.0))


def test_less_than_two_days_are_refused() -> None:
    assert ProphetModel().missing(an_extent(47)) == "it needs 48 steps of history, found 47"

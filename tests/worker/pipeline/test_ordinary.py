"""What is known to come from occasions, bad times and regressors is no change of a queue's level."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.domain.occasions import Event, Excluded
from tests.factories import MONDAY, a_job, a_load, a_request, a_spec
from tests.worker.pipeline.factories import a_snapshot
from worker.job.catalogue import model_cards
from worker.pipeline.doubts import level_change, level_since
from worker.pipeline.ordinary import as_ordinary
from worker.pipeline.queue import run_queue
from worker.sources.base import Reading

SINCE = MONDAY - timedelta(days=2)
DAYS = [SINCE.date(), SINCE.date() + timedelta(days=1)]


def a_wave() -> pd.Series:
    index = a_load().index
    return 42 + 8 * pd.Series(np.sin(np.arange(336) / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 0.1, 336), index=index)


def quiet_at_the_end() -> pd.Series:
    return a_wave().where(a_load().index < SINCE, 5.0 + np.arange(336) % 3 / 10)


@pytest.mark.parametrize(
    "given",
    [
        {"holidays": tuple(DAYS)},
        {"events": (Event(name="visit", start=SINCE, end=MONDAY),)},
        {"exclude": (Excluded(name="outage", start=SINCE, end=MONDAY),)},
    ],
    ids=["holidays", "events", "exclude"],
)
def test_days_at_the_end_of_which_it_is_known_why_are_no_change_of_level(given: dict[str, Any]) -> None:
    snapshot = a_snapshot(quiet_at_the_end())
    assert level_since(as_ordinary(snapshot, a_spec())) == SINCE
    usual = as_ordinary(snapshot, a_spec(**given))
    assert (level_since(usual), level_change(usual)) == (None, None)
    assert usual.frame.index.equals(snapshot.frame.index)


def test_neither_is_what_a_regressor_tells() -> None:
    planned = pd.Series(np.random.default_rng(2).normal(10, 2, 336), index=a_load().index)
    planned.iloc[-48:] += 60
    snapshot = a_snapshot(a_wave() + 2 * planned)
    assert level_since(as_ordinary(snapshot, a_spec())) == SINCE
    assert level_since(as_ordinary(replace(snapshot, regressors=planned.to_frame("planned")), a_spec())) is None


def test_a_job_that_ends_with_holidays_says_nothing_of_a_change_of_level() -> None:
    reading = Reading(frame=quiet_at_the_end().rename("used_capacity").to_frame(), rows=336)
    for holidays, is_told in ((tuple(DAYS), False), (None, True)):
        job = a_job(request=a_request(model=("hour_median",), holidays=holidays))
        run = run_queue(job, reading, queue="root.etl", issued_at=MONDAY, created_at=MONDAY, cards=model_cards())
        assert any("the level has changed" in each for each in run.prepared.quality.warnings) == is_told

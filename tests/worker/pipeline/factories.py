"""Values for the pipeline's tests: valid by default; a test overrides the one thing it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from shared.domain.forecasts import Measures
from shared.domain.timegrid import TimeGrid
from tests.factories import MONDAY, a_load
from worker.models import models
from worker.models.base import Extent, FloatArray, History, Model
from worker.pipeline.snapshot import Snapshot, make_snapshot

NO_MEASURES = Measures(mape=None, wape=None, smape=None, mase=None, rmse=None, skill=None, steps=0, skipped_steps=0)


def a_snapshot(
    target: pd.Series | None = None, *, end: datetime = MONDAY, step_seconds: int = 3_600, **covariates: Any
) -> Snapshot:
    """A queue of `a_load`, two weeks of hours unless said otherwise; NaN or absent = gap."""
    series = a_load(end=end, step_seconds=step_seconds) if target is None else target
    frame = pd.DataFrame({"used_capacity": series} | covariates)
    snapshot, _ = make_snapshot(frame, queue="root.etl", target="used_capacity", grid=TimeGrid(step_seconds), issued_at=end)
    return snapshot


def a_covariate(seed: int = 1, *, hours: int = 14 * 24) -> pd.Series:
    """Another column of the same hours as `a_load`, in bytes, that says nothing about the target."""
    times = a_load(hours).index
    return pd.Series(np.random.default_rng(seed).normal(8e9, 1e9, len(times)), index=times)


@dataclass(frozen=True, kw_only=True)
class Fixed(Model):
    """A model that answers with what a test wants: a value for each step, or an error."""

    answer: ClassVar[Any] = 50.0

    def missing(self, extent: Extent) -> str | None:
        return None

    def forecast(self, history: History, horizon: int) -> FloatArray:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return np.asarray(self.answer, dtype=np.float64) * np.ones(horizon)


def answering(answer: Any, **changes: Any) -> type[Fixed]:
    """A model class with this answer."""
    return type("Answering", (Fixed,), {"answer": answer, **changes})


@contextmanager
def offering(**kinds: type[Model]) -> Iterator[None]:
    """Inside, the worker has these models beside its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "_all", {name: models[name] for name in models} | kinds)
        yield

"""AutoGluon on the same tasks, where it is installed: an environment of its own, never a dependency.

It is given the same histories and no more, all of a data set in one fit, and no pretrained models. Into a copy of `.venv`:
`pip install autogluon.timeseries`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from importlib.util import find_spec
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from tests.bench.series import DataSet, queue_of
from worker.backtest.summary import CutoffResult
from worker.pipeline.score import cpu_seconds

SETTINGS = {"enable_ensemble": True, "excluded_model_types": ["Chronos", "Chronos2", "Toto"], "presets": "medium_quality"}
IS_HERE = find_spec("autogluon") is not None and find_spec("autogluon.timeseries") is not None


def told(data: DataSet, tasks: Sequence[CutoffResult], options: argparse.Namespace) -> None:
    """One line: its ratio beside that of the seasonal naive, and what it costs; nothing where it is not installed."""
    if not IS_HERE:
        return
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    started, horizon = cpu_seconds(), len(tasks[0].actual)
    histories = TimeSeriesDataFrame.from_data_frame(_histories(data, tasks, options), id_column="item")
    with TemporaryDirectory() as folder:
        predictor = TimeSeriesPredictor(prediction_length=horizon, freq="h", eval_metric="WAPE", path=folder, verbosity=0)
        forecasts = predictor.fit(histories, **SETTINGS).predict(histories)
        seconds = cpu_seconds() - started
    ratios = []
    for place, task in enumerate(tasks):
        known = np.isfinite(task.actual)
        missed, naive = (
            float(np.abs(made - task.actual)[known].sum()) for made in (forecasts.loc[place]["mean"].to_numpy(), task.reference)
        )
        ratios += [missed / naive] if missed and naive else []
    ratio = math.exp(fmean(map(math.log, ratios))) if ratios else math.nan
    print(f"    AutoGluon: WAPE ÷ naive {ratio:.3f}  CPU s {seconds / len(tasks):.2f}")


def _histories(data: DataSet, tasks: Sequence[CutoffResult], options: argparse.Namespace) -> pd.DataFrame:
    """What each task knew, in long form."""
    frame = pd.read_parquet(options.data / data.file)
    by_queue = {str(name): own.set_index("ds")[data.target] for name, own in frame.groupby("unique_id")}
    parts = []
    for place, task in enumerate(tasks):
        end = pd.Timestamp(task.forecast.issued_at).tz_localize(None)
        values = by_queue[queue_of(task.forecast.queue)]
        own = values[(values.index < end) & (values.index >= end - pd.Timedelta(days=options.history))]
        parts.append(pd.DataFrame({"item": place, "timestamp": own.index, "target": own.to_numpy()}))
    return pd.concat(parts)

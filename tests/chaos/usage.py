"""Made-up usage, exact on purpose: a daily wave that grows evenly, so that one model can know it and the others cannot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tests.chaos.names import CURSED
from tests.factories import MONDAY

HOURS = 14 * 24


def write_usage(folder: Path, queues: int, *, cursed: int = 0) -> list[str]:
    """One file per queue; returns the queues' names. Of the last `cursed` ones every candidate fails."""
    times = pd.date_range(end=MONDAY - timedelta(hours=1), periods=HOURS, freq="1h", tz="UTC")
    names = [f"root.q{number:02}" for number in range(queues)]
    for number, name in enumerate(names):
        wave = 40 + 20 * np.sin((times.hour - number % 24) / 24 * 2 * np.pi) + 0.05 * np.arange(HOURS)
        usage = wave + (2 * CURSED if number >= queues - cursed else 0)
        pd.DataFrame({"timestamp": times, "used_capacity": usage}).to_csv(folder / f"{name}.csv", index=False)
    return names

"""Tables as anybody may write them: what is read of them is what an independent reading finds, and the rest is told as lost."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.sources.files import read

START = datetime(2026, 3, 20, tzinfo=UTC)
END = START + timedelta(days=16)  # over a change of clocks
ZONE = ZoneInfo("Europe/Berlin")
NULLS = ("", "NA", "N/A", "null", "NaN", "-", "nan")
TEXTS = ("down", "see ticket", "12 MB", "#REF!")

TIMES: dict[str, Callable[[datetime], str]] = {
    "utc": lambda at: at.isoformat().replace("+00:00", "Z"),
    "offset": lambda at: at.astimezone(ZONE).isoformat(),
    "local": lambda at: f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
    "seconds": lambda at: f"{at.timestamp():.0f}",
    "milliseconds": lambda at: f"{at.timestamp() * 1e3:.0f}",
    "nanoseconds": lambda at: f"{at.timestamp():.0f}000000000",
}
SIGNS = {",": (".", ","), ";": (",", "."), "\t": (".", " "), "|": (",", "'")}


def written(value: float, decimal: str, thousands: str) -> str:
    return f"{value:,.2f}".replace(",", "§").replace(".", decimal).replace("§", thousands)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, list[tuple[datetime, str, float | str]]]:
    """Separator, way of writing times, and cells: a number, a word for no value, or text that is lost."""
    separator, times = draw(st.sampled_from(sorted(SIGNS))), draw(st.sampled_from(sorted(TIMES)))
    minutes = draw(st.lists(st.integers(0, 16 * 24 * 4 - 1), min_size=3, max_size=60, unique=True))
    cell = st.one_of(
        st.integers(1, 10**7).map(lambda cents: cents / 100),
        st.integers(1, 10**7).map(lambda cents: cents / 100),
        st.sampled_from(NULLS),
        st.sampled_from(TEXTS),
    )
    rows: list[tuple[datetime, str, float | str]] = [
        (START + timedelta(minutes=15 * minute), draw(st.sampled_from(("a", "NA", "null"))), draw(cell))
        for minute in sorted(minutes)
    ]
    rows.append((END - timedelta(minutes=15), "a", 1234.5))  # so that the signs and the queue are there
    return separator, times, rows


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_what_is_read_is_what_was_written_and_the_rest_is_told(table):
    separator, times, rows = table
    decimal, thousands = SIGNS[separator]
    rows = list({at: (at, queue, cell) for at, queue, cell in rows}.values())
    with TemporaryDirectory() as folder, (Path(folder) / "t.csv").open("w", newline="") as file:
        sheet = csv.writer(file, delimiter=separator)
        sheet.writerow(("timestamp", "queue", "used_capacity"))
        for at, queue, cell in rows:
            sheet.writerow((TIMES[times](at), queue, cell if isinstance(cell, str) else written(cell, decimal, thousands)))
        file.flush()
        reading = read(
            Path(folder), queue="a", start=START, end=END, samples_timezone="Europe/Berlin" if times == "local" else None
        )
    own = [(at, cell) for at, queue, cell in rows if queue == "a"]
    numbers = pd.Series({at: cell for at, cell in own if not isinstance(cell, str)}, dtype=np.float64)
    expected = numbers.groupby(numbers.index.floor("h")).mean()
    found = reading.frame.used_capacity.dropna()
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12)
    lost = sum(cell in TEXTS for _, cell in own)
    assert sum(loss.count for loss in reading.losses) == lost
    assert reading.rows == len(own)

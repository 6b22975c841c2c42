"""Cells as numbers: what counts as a number, and what a column of text is told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

MAX_NUMBER = 1e100  # beyond it squares overflow: a broken sample, not a load


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """values: float64, NaN where a cell is empty, text, infinite or absurdly large. texts: cells that hold text."""

    values: NDArray[np.float64]
    texts: int = 0


def is_number_type(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds numbers: integers, floats, decimals, booleans (as 0 and 1), or nothing at all."""
    from pyarrow import types

    accepted = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(accepts(kind) for accepts in accepted)


def without_null_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A CSV's column without its words for "no value" (NA, null, NaN …): right for numbers and times, not for names."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    words = pa.array(csv.ConvertOptions().null_values)
    return pc.if_else(pc.is_in(column, value_set=words), pa.scalar(None, pa.string()), column)


def read_numbers(column: pa.ChunkedArray, *, from_text: bool) -> Numbers | None:
    """A column as numbers, or None when it is no column of numbers.

    Args:
        column: of any type.
        from_text: read texts as numbers, as CSV needs it; the column is one of text when most of its filled cells are.
    """
    import pyarrow as pa

    if is_number_type(column.type):
        numeric = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        return Numbers(values=_usable(numeric.cast(pa.float64(), safe=False).to_pandas().to_numpy(dtype=np.float64)))
    if not (from_text and column.type == pa.string()):
        return None
    with suppress(pa.ArrowInvalid):  # fast and strict: every filled cell is a number
        return Numbers(values=_usable(column.cast(pa.float64()).to_pandas().to_numpy(dtype=np.float64)))
    values = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(dtype=np.float64)
    texts = int(np.isnan(values).sum()) - column.null_count
    return Numbers(values=_usable(values), texts=texts) if texts * 2 <= len(values) - column.null_count else None


def _usable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(values) < MAX_NUMBER, values, np.nan)

"""Cells as numbers, each by itself: what counts as a number, which sign stands before decimals, and what is only text."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.domain.samples import CsvForm
from worker.sources._decimals import Signs, signs_of, without_blanks
from worker.sources._lost import NULL_WORDS
from worker.sources.base import NO_LIMIT

if TYPE_CHECKING:
    import pyarrow as pa

MAX_NUMBER = 1e100  # beyond it squares overflow: a broken sample, not a load
_MORE_NULL_WORDS = ("#na", "#n/a n/a", "1.#ind", "1.#qnan", "-1.#ind", "-1.#qnan", "nil", "undefined", "–", "—")

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A column as numbers.

    values: float64, NaN where a cell has none that is of use. is_text: cells that hold text. is_broken: cells with a number that
    is infinite, absurdly large, or stands for "no limit". as_read: the numbers, with these. texts: the cells as they are written,
    where they are text. signs: how.
    """

    values: NDArray[np.float64]
    is_text: Bools
    is_broken: Bools
    as_read: NDArray[np.float64]
    texts: pa.ChunkedArray | None = None
    signs: Signs = field(default_factory=Signs)

    def written(self, place: int) -> str:
        """One cell as it stands in the source."""
        return f"{self.as_read[place]:.16g}" if self.texts is None else str(self.texts[place])

    @property
    def are_text(self) -> bool:
        """Whether most of the filled cells hold text: then nobody means numbers, unless the column was asked for."""
        return int(self.is_text.sum()) > int(np.isfinite(self.values).sum())


def is_number_type(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds numbers: integers, floats, decimals, booleans (as 0 and 1), or nothing at all."""
    from pyarrow import types

    accepted = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(accepts(kind) for accepts in accepted)


def is_text_type(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds texts, such as categories of them."""
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind) or (types.is_dictionary(kind) and is_text_type(kind.value_type))


def read_numbers(column: pa.ChunkedArray, form: CsvForm) -> Numbers:
    """A column of numbers or texts as numbers.

    Raises:
        UnreadableData: numbers are written in two ways, or in one that may mean two things.
    """
    import pyarrow as pa

    if is_number_type(column.type):
        numeric = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        return _judged(numeric.cast(pa.float64(), safe=False).to_numpy())
    return _from_texts(column.cast(pa.string()), form)


def without_null_words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without blanks around them, and without words for "no value" (NA, null, NaN …): right for numbers, not for names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    words = pa.array([*NULL_WORDS, *_MORE_NULL_WORDS])
    return pc.if_else(pc.is_in(pc.utf8_lower(trimmed), value_set=words), pa.scalar(None, pa.string()), trimmed)


def _from_texts(column: pa.ChunkedArray, form: CsvForm) -> Numbers:
    import pyarrow as pa

    cells = without_null_words(column)
    numbers = without_blanks(cells)
    signs = signs_of(numbers, form)
    plain = signs.plain(numbers)
    with suppress(pa.ArrowInvalid):  # fast and strict: every filled cell is a number
        return _judged(plain.cast(pa.float64()).to_numpy(), signs=signs, texts=cells)
    values = pd.to_numeric(plain.to_pandas(), errors="coerce").to_numpy(dtype=np.float64)
    is_text = np.isnan(values) & ~cells.is_null().to_numpy()
    return _judged(values, is_text=is_text, texts=cells, signs=signs)


def _judged(
    values: NDArray[np.float64], *, is_text: Bools | None = None, texts: pa.ChunkedArray | None = None, signs: Signs | None = None
) -> Numbers:
    is_broken = (np.abs(values) >= MAX_NUMBER) | np.isin(values, NO_LIMIT)  # NaN is neither
    return Numbers(
        values=np.where(is_broken, np.nan, values),
        is_text=np.zeros(len(values), dtype=bool) if is_text is None else is_text,
        is_broken=is_broken,
        as_read=values,
        texts=texts,
        signs=signs or Signs(),
    )

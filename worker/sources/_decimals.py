"""Which signs numbers are written with: 1,024.5 or 1.024,5. What is said counts; else the cells tell, or an error asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shared.domain.samples import CsvForm
from shared.errors import UnreadableData

if TYPE_CHECKING:
    import pyarrow as pa

ASK = 'say in `csv` which it is: {"decimal": ","} or {"decimal": ".", "thousands": ","}'
MIN_CELLS = 10  # with three digits behind their points, before that says something
MIN_FACTOR = 10  # how far below the whole numbers those with a point lie, where the point looks like one of thousands
_BLANKS = " '’\u00a0\u202f"  # between thousands, as in France and Switzerland: there they mean nothing else
_IN_BLANKS = rf"^[+-]?\d{{1,3}}([{_BLANKS}]\d{{3}})+([.,]\d*)?$"
_POINT_EITHER, _COMMA_EITHER = r"^[+-]?[1-9]\d{0,2}\.\d{3}$", r"^[+-]?[1-9]\d{0,2},\d{3}$"  # decimals, or thousands
_EITHER = re.compile(_POINT_EITHER)


def _telling(decimal: str, other: str) -> str:
    """A pattern of numbers that can only be meant with this decimal sign: what has three digits behind it may be either."""
    shapes = (
        rf"(\d{{4,}}|0\d*|){decimal}\d+",
        rf"\d{{1,3}}{decimal}(\d{{0,2}}|\d{{4,}})",
        rf"\d{{1,3}}({other}\d{{3}})+{decimal}\d*",
        rf"\d{{1,3}}({other}\d{{3}}){{2,}}",
    )
    return rf"^[+-]?({'|'.join(shapes)})([eE][+-]?\d+)?$"


_POINT, _COMMA = _telling(r"\.", ","), _telling(",", r"\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How a column's numbers are written.

    decimal, thousands: the signs; "" = none. said: what was found out, in plain words. doubt: why it may be otherwise.
    """

    decimal: str = "."
    thousands: str = ""
    said: str = ""
    doubt: str = ""

    def plain(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """The cells with a point before decimals and nothing between thousands; what is written otherwise is no number then."""
        import pyarrow.compute as pc

        if self.thousands:
            between, sign = (re.escape(text) for text in (self.thousands, self.decimal))
            in_groups = pc.match_substring_regex(cells, rf"^[+-]?\d{{1,3}}({between}\d{{3}})+({sign}\d*)?([eE][+-]?\d+)?$")
            cells = pc.if_else(in_groups, pc.replace_substring(cells, pattern=self.thousands, replacement=""), cells)
        if self.decimal != ".":
            cells = pc.replace_substring(cells, pattern=".", replacement="?")
            cells = pc.replace_substring(cells, pattern=self.decimal, replacement=".")
        return cells


def signs_of(cells: pa.ChunkedArray, form: CsvForm) -> Signs:
    """How the numbers are written: as the form says, else as they tell.

    Raises:
        UnreadableData: some have a decimal comma and some a decimal point, or what they have may be either.
    """
    import pyarrow.compute as pc

    if form.decimal or form.thousands:
        decimal = form.decimal or ("," if form.thousands == "." else ".")
        return Signs(decimal=decimal, thousands=form.thousands or ("." if decimal == "," else ""))
    if not pc.any(pc.match_substring(cells, ",")).as_py():
        return Signs(doubt=points_in_doubt(cells))
    return _told(cells)


def without_blanks(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without blanks and apostrophes between thousands."""
    import pyarrow.compute as pc

    has_blanks = pc.match_substring_regex(cells, _IN_BLANKS)
    if not pc.any(has_blanks).as_py():
        return cells
    return pc.if_else(has_blanks, pc.replace_substring_regex(cells, pattern=f"[{_BLANKS}]", replacement=""), cells)


def _told(cells: pa.ChunkedArray) -> Signs:
    import pyarrow.compute as pc

    points, commas, either = (
        cells.filter(pc.match_substring_regex(cells, pattern)) for pattern in (_POINT, _COMMA, _COMMA_EITHER)
    )
    if len(points) and len(commas):
        found = f"found {len(points):,} numbers with a decimal point such as {points[0].as_py()!r}"
        raise UnreadableData(f"{found} and {len(commas):,} with a decimal comma such as {commas[0].as_py()!r}; {ASK}")
    if len(commas):
        return Signs(decimal=",", thousands=".", said="a comma was read as the decimal sign")
    if len(points):
        return Signs(thousands=",", said="a comma was read as the sign between thousands")
    if len(either):
        example = str(either[0])
        fraction, thousand = example.replace(",", "."), example.replace(",", "")
        found = f"found {len(either):,} numbers such as {example!r}"
        raise UnreadableData(f"{found}, which may mean {fraction} or {thousand}; {ASK}")
    return Signs()


def points_in_doubt(cells: pa.ChunkedArray) -> str:
    """Why a point may be one of thousands: always three digits behind it, and far below the numbers without one, or with a 0 at
    the end, which whoever writes whole numbers without a point leaves out; or "".
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    pointed = cells.filter(pc.match_substring(cells, "."))
    others = cells.filter(pc.match_substring_regex(cells, r"^[+-]?\d+$"))
    if not len(pointed) or not len(others) or not pc.all(pc.match_substring_regex(pointed, _POINT_EITHER)).as_py():
        return ""
    low, high = (np.abs(part.cast(pa.float64()).to_numpy()) for part in (pointed, others))
    three = f"every number with a point has three digits behind it, such as {str(pointed[0])!r}"
    if np.median(low) * MIN_FACTOR <= np.median(high):
        return f"{three}, and lies far below the others, such as {str(others[0])!r}"
    with_zero = pointed.filter(pc.match_substring_regex(pointed, "0$"))
    if len(with_zero) and 0 < high.max() < 1_000:
        other = others[int(np.argmax(high))]
        return (
            f"{three}, some with a 0 at the end, such as {str(with_zero[0])!r}, and others have no point, such as {str(other)!r}"
        )
    return ""


def all_in_doubt(cells: Sequence[str]) -> str:
    """Why the points of whole numbers may be those of thousands: all of them have three digits behind it; or ""."""
    if len(cells) < MIN_CELLS or not all(_EITHER.match(cell) for cell in cells):
        return ""
    return f"every number has a point and three digits behind it, such as {cells[0]!r}"

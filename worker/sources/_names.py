"""Queues whose name is made of several columns: the values joined by `/`, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

MAX_SPLITS = 100  # of one name: each is a condition of its own


def joined(parts: Sequence[str | None]) -> str | None:
    """The name that values of several columns make up; None = no queue, as the first one is missing.

    Others that are missing or empty, as YARN's default partition is, are left out: `root.etl`, beside `root.etl/gpu`.
    """
    return "/".join(part for part in parts if part) if parts and parts[0] else None


def splits(name: str, count: int) -> list[tuple[str, ...]]:
    """Every way in which values of `count` columns make up the name; "" = the column has none there."""
    return list(dict.fromkeys(_cut(name, count)))[:MAX_SPLITS]


def _cut(name: str, count: int) -> Iterator[tuple[str, ...]]:
    words = name.split("/")
    for filled in range(min(count, len(words)), 0, -1):
        for ends in combinations(range(1, len(words)), filled - 1):
            borders = (0, *ends, len(words))
            parts = ["/".join(words[start:end]) for start, end in pairwise(borders)]
            if all(parts):
                yield from _spread(parts, count)


def _spread(parts: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    """The parts in their order over the columns, the first in the first one."""
    for places in combinations(range(1, count), len(parts) - 1):
        values = [""] * count
        for place, part in zip((0, *places), parts, strict=True):
            values[place] = part
        yield tuple(values)

"""Columns that come along without being named: too many of them help no model, so those most related to the target are kept."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import UnreadableData
from worker.sources.base import MAX_UNNAMED, Query

FloatArray = NDArray[np.float64]

_SAYS_LIMITS = re.compile(r"capacity|guaranteed|maximum", re.IGNORECASE)  # constant as a rule, and needed for what they are


def most_related(steps: pd.DataFrame, query: Query) -> tuple[pd.DataFrame, str | None]:
    """The steps without the columns that nobody has named and that are least related to the target, and what to say of them.

    Raises:
        UnreadableData: there are too many, and no target by which to choose.
    """
    named = [name for name in query.required if name in steps.columns]
    named += [name for name in steps.columns if name not in named and _SAYS_LIMITS.search(name)]
    others = [name for name in steps.columns if name not in named]
    if len(others) <= MAX_UNNAMED:
        return steps, None
    most = f"more than the {MAX_UNNAMED} that are read without being named"
    if query.target is None or query.target not in steps.columns:
        raise UnreadableData(f"{len(others):,} columns that nobody asked for, {most}; name in `columns` those that matter")
    relation = _relation(steps[others].to_numpy(), steps[query.target].to_numpy())
    best = np.argsort(-relation, kind="stable")[:MAX_UNNAMED]
    kept = [others[place] for place in sorted(best) if relation[place] > 0]
    note = (
        f"{len(others):,} columns that nobody asked for, {most}: kept the {len(kept):,} most related to {query.target!r};"
        " name in `columns` those that matter"
    )
    return steps[[*named, *kept]], note


def _relation(columns: FloatArray, target: FloatArray) -> FloatArray:
    """How strongly each column moves with the target, 0–1; 0 for one that does not move."""
    known = np.isfinite(target)
    columns, target = columns[known], target[known]
    with np.errstate(all="ignore"):
        centred = np.nan_to_num(columns - np.nanmean(columns, axis=0))
        moved = target - target.mean()
        lengths = np.sqrt((centred**2).sum(axis=0) * (moved**2).sum())
        relation: FloatArray = np.nan_to_num(np.abs(centred.T @ moved) / lengths, nan=0.0, posinf=0.0)
    return relation

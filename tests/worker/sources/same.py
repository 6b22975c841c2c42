"""Whether two sources, or two ways of reading one, tell the same of a queue."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd

from shared.errors import DataError
from worker.sources.base import Reading


def assert_same(found: Reading | DataError, wanted: Reading | DataError) -> None:
    if isinstance(wanted, DataError) or isinstance(found, DataError):
        assert (type(found), str(found)) == (type(wanted), str(wanted))
        assert getattr(found, "last_at", None) == getattr(wanted, "last_at", None)
        return
    pd.testing.assert_frame_equal(found.frame, wanted.frame, check_freq=False, rtol=1e-12, atol=0)  # MongoDB adds up otherwise
    pd.testing.assert_frame_equal(found.regressors, wanted.regressors, check_exact=True, check_freq=False)
    pd.testing.assert_frame_equal(found.beside, wanted.beside, check_exact=True, check_freq=False)
    for part in fields(Reading):
        if part.name not in {"frame", "regressors", "beside"}:
            assert getattr(found, part.name) == getattr(wanted, part.name), part.name

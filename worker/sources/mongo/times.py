"""Times of documents, which may be dates, texts and numbers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from bson import Decimal128

from worker.sources._times import Times, read_times


def times_of(stored: Sequence[object]) -> Times:
    """Dates, texts and numbers, each by itself."""
    import pyarrow as pa

    moments, kinds = np.zeros(len(stored), dtype=np.int64), np.zeros(len(stored), dtype=np.uint8)
    stored = [float(value.to_decimal()) if isinstance(value, Decimal128) else value for value in stored]
    written = {datetime: pa.timestamp("us", tz="UTC"), str: pa.string(), int: pa.int64(), float: pa.float64()}
    for accepted, kind in written.items():
        places = [place for place, value in enumerate(stored) if isinstance(value, accepted) and not isinstance(value, bool)]
        if places:
            own = read_times(pa.array([stored[place] for place in places], kind))
            moments[places], kinds[places] = own.moments, own.kinds
    return Times(moments=moments, kinds=kinds)

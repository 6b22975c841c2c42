"""What a forecast is in percent of the guarantee now, and what its values are, in lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.basis import MAX_AT_LEAST
from shared.domain.codec import Document


def relative_lines(series: Document) -> Iterator[str]:
    """Nothing of a forecast of an earlier release, or where nothing is known."""
    if relative := series.get("relative"):
        low, high = relative["peak_lower_bound"], relative["peak_upper_bound"]
        now, peak = relative["guaranteed"], relative["peak"]
        yield f"of the {now:.0f} guaranteed now the peak is {peak:.0f} % ({low:.0f} to {high:.0f} %)"
    basis = series.get("basis") or {}
    if ratio := basis.get("p95_to_mean"):
        which = "these are the 95 % quantiles," if series["aggregation"] == "p95" else "the 95 % quantiles are"
        yield f"of each step's samples {which} about {ratio:.2f} times the mean"
    if (share := basis.get("at_least") or 0.0) > MAX_AT_LEAST:
        yield f"at least: in {share:.0%} of the steps the queue was held back, and nobody knows how much more it wanted"

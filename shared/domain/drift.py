"""Drift: when issued forecasts have become so much worse than their search expected that it is time for another one.

    e  mean |y − f| of the steps verified since the search, of the forecasts issued in the last week (or horizon, if longer)
    n  the seasonal naive's on the same steps
    E  the winner's in the backtest of its search; r = E / n there: 1 − skill, at most 1

    drifted:  e > 1.5 E,  and e > the worst window's,  and e / n > (1 + r) / 2,  all over at least two days and 48 steps

That errors leave the range seen while learning is the test of Gama et al. (Learning with drift detection, SBIA 2004); the worst
window is that range without a distribution, and the factor is there for the few windows of a short history. The third part asks
whether the queue has only become harder for everybody: while the winner keeps half of its lead over the seasonal naive, a search
finds nothing better. Errors are means in the metric's unit, so that idle queues, of which no percentage is defined, count; one
that was and is idle misses by nothing and never drifts. What judges was issued after the choice, and nothing is tuned on it; the
numbers are conventions, fitted to no data. A search begins the count anew, so that none is forced twice within two days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from shared.domain.accuracy import MIN_COMPARED_STEPS, ZERO, ErrorSums
from shared.domain.forecasts import Score, WindowForecast
from shared.domain.timegrid import MINUTE, SECONDS_PER_DAY
from shared.domain.wording import digits

LOOK_BACK = timedelta(days=7)
MIN_DAYS = 2
FACTOR = 1.5
DRIFTED = "its forecasts have drifted: they missed by clearly more than the last search expected, so all candidates compete again"


def looked_at_since(searched_at: datetime, now: datetime, horizon: timedelta) -> datetime:
    """Since when issued forecasts tell of drift."""
    return max(searched_at, now - max(LOOK_BACK, horizon))


def drift(verified: ErrorSums | None, score: Score, step_seconds: int, searched_at: datetime) -> str | None:
    """In numbers how far forecasts have drifted from what their winner scored; None = they have not, or nobody knows.

    Args:
        verified: what forecasts issued since then missed by.
    """
    least = max(MIN_COMPARED_STEPS, MIN_DAYS * SECONDS_PER_DAY // step_seconds)
    windows = [error for window in score.windows if (error := _mean_error([window])) is not None]
    if verified is None or verified.compared_steps < least or not windows:
        return None
    missed, naive = (total / verified.compared_steps for total in (verified.compared_error, verified.naive_error))
    expected = _mean_error(score.windows) or 0.0
    lead = 1.0 if score.measures.skill is None else min(1.0, 1 - score.measures.skill)
    limit = max(FACTOR * expected, *windows, ZERO)
    if missed <= limit or missed < naive * (1 + lead) / 2:
        return None
    return (
        f"over {verified.compared_steps} verified steps its forecasts missed by {digits(missed)} on average, the same hour of "
        f"the day before by {digits(naive)}; the search of {searched_at:{MINUTE}} "
        f"expected {digits(expected)}, at worst {digits(max(windows))}"
    )


def _mean_error(windows: Sequence[WindowForecast]) -> float | None:
    """Mean |actual − prediction| over the steps with a value; None without any."""
    errors = [*_errors(windows)]
    return sum(errors) / len(errors) if errors else None


def _errors(windows: Sequence[WindowForecast]) -> Iterator[float]:
    for window in windows:
        for actual, prediction in zip(window.actual, window.prediction, strict=True):
            if actual is not None:
                yield abs(actual - prediction)

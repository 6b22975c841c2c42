"""The blends: candidates of candidates. In each step the median of what their members forecast, which outvotes the odd one out.

Their backtest is computed from the members' recorded window forecasts and costs no fit; delivering one costs its members' refits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from shared.cards import FLOOR
from shared.forecasts import Candidate, Measures, Score, WindowForecast
from shared.jobs import JobRequest
from worker.models.base import FloatArray
from worker.pipeline.measures import measure

BLEND_CHEAP = "blend_cheap"
BLEND_TOP3 = "blend_top3"
BLENDS = (BLEND_CHEAP, BLEND_TOP3)

# Four cheap models that err in different directions: yesterday, an average week, a damped trend, a smooth level.
CHEAP = (
    FLOOR,
    Candidate(model="hour_mean", hyperparameters={"days": 7}),
    Candidate(model="theta"),
    Candidate(model="ces"),
)
FEWEST = 3  # members: the median of two is their mean, and one bad one spoils that
TOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A blend that was scored, and the candidates it is made of."""

    score: Score
    members: tuple[Candidate, ...]


def wanted_blends(request: JobRequest) -> tuple[str, ...]:
    """The blends that a request asks for: all with "auto", else those it names."""
    return tuple(name for name in BLENDS if request.model == "auto" or name in request.model)


def blends_of(ranked: Sequence[Score], wanted: Collection[str]) -> tuple[Blend, ...]:
    """The blends that these scores allow.

    Args:
        ranked: of single candidates, best first, all on the same windows.
        wanted: names of blends; others are not made.
    """
    members = {
        BLEND_CHEAP: [score for candidate in CHEAP for score in ranked if score.candidate == candidate],
        BLEND_TOP3: ranked[:TOP],
    }
    naive = next((score for score in ranked if score.candidate == FLOOR), None)
    return tuple(_blend(name, members[name], naive) for name in BLENDS if name in wanted and len(members[name]) >= FEWEST)


def blended(forecasts: Sequence[FloatArray]) -> FloatArray:
    """The median of each step: arrays of one shape, at least one."""
    median: FloatArray = np.median(np.stack(forecasts), axis=0)
    return median


def _blend(name: str, members: Sequence[Score], naive: Score | None) -> Blend:
    """Scored like any other candidate; `seconds` is 0, since its members' seconds are counted with them."""
    predictions = [blended([_prediction(member, index) for member in members]) for index in range(len(members[0].windows))]
    measured = [_measured(members, naive, [index], [prediction]) for index, prediction in enumerate(predictions)]
    windows = tuple(
        WindowForecast(origin_at=seen.origin_at, actual=seen.actual, prediction=tuple(prediction.tolist()), measures=measures)
        for seen, prediction, measures in zip(members[0].windows, predictions, measured, strict=True)
    )
    candidate = Candidate(model=name, hyperparameters={"members": ", ".join(member.candidate.label for member in members)})
    overall = _measured(members, naive, range(len(windows)), predictions)
    score = Score(candidate=candidate, measures=overall, windows=windows, seconds=0.0)
    return Blend(score=score, members=tuple(member.candidate for member in members))


def _measured(
    members: Sequence[Score], naive: Score | None, indices: Sequence[int], predictions: Sequence[FloatArray]
) -> Measures:
    """Measures over these windows; what they compare with is taken from the recorded forecasts, as there is no snapshot here."""
    actual = [_actual(members[0], index) for index in indices]
    return measure(
        np.concatenate(actual),
        np.concatenate(predictions),
        naive=np.concatenate(
            [_prediction(naive, i) if naive else np.full_like(values, np.nan) for i, values in zip(indices, actual, strict=True)]
        ),
        scale=np.concatenate([np.full_like(values, _scale(members, i)) for i, values in zip(indices, actual, strict=True)]),
    )


def _scale(members: Sequence[Score], index: int) -> float:
    """MASE's scale of a window, which is a member's mean absolute error over its MASE; NaN where that is not defined."""
    for member in members:
        if mase := member.windows[index].measures.mase:
            return float(np.nanmean(np.abs(_actual(member, index) - _prediction(member, index)))) / mase
    return float("nan")


def _actual(score: Score, index: int) -> FloatArray:
    return np.array(score.windows[index].actual, dtype=np.float64)  # None becomes NaN


def _prediction(score: Score, index: int) -> FloatArray:
    return np.array(score.windows[index].prediction, dtype=np.float64)

"""Which accuracy measure the outcomes of a queue are compared by, and the leaderboard that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shared.domain.choice import Metric, Ranking
from shared.domain.forecasts import Outcome, QueueWork, Score

Price = Callable[[Score], float]


def no_price(_score: Score) -> float:
    """Of candidates whose costs do not count."""
    return 0.0


def leaderboard(outcomes: Sequence[Outcome], asked: Ranking = Ranking.MAPE, price: Price = no_price) -> tuple[Outcome, ...]:
    """All outcomes: scores first, best before worse, then failures.

    Scores that are equal in all digits that people are shown are in the order of their prices, and of equal prices the better
    one is first, then the first candidate.
    """
    scores = [outcome for outcome in outcomes if isinstance(outcome, Score)]
    by = ranking(scores, asked)

    def place(score: Score) -> tuple[float, float, float]:
        value = score.measures.by(by)
        return by.printed(value), price(score), value

    failures = [outcome for outcome in outcomes if not isinstance(outcome, Score)]
    return (*sorted(scores, key=place), *failures)


def leaderboard_so_far(work: QueueWork | None, outcomes: Mapping[int, Outcome], asked: Metric) -> tuple[Outcome, ...]:
    """Of a queue that ends without a winner, by place of the candidate: what only a blend is made of is not on it."""
    unranked = () if work is None else work.unranked
    return leaderboard([each for each in outcomes.values() if each.candidate not in unranked], Ranking(asked))


def ranking(scores: Sequence[Score], asked: Ranking = Ranking.MAPE) -> Ranking:
    """What these scores are compared by, all on the same steps: what is asked for, where that says something of these steps.

    WAPE instead of MAPE where more than half of the steps are near zero and MAPE would speak of nothing else, and instead of a
    MASE that is not defined; RMSE where all steps are zero.
    """
    if all(score.measures.wape is None for score in scores):
        return Ranking.RMSE
    says_nothing = {
        Ranking.MAPE: any(score.measures.is_mostly_near_zero for score in scores),
        Ranking.MASE: any(score.measures.mase is None for score in scores),
    }
    return Ranking.WAPE if says_nothing.get(asked, False) else asked

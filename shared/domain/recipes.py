"""What a winner's forecast is made of, for each part of the horizon; what is kept of a winner to fit it again later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from shared.domain.choice import Ranking
from shared.domain.codec import to_json
from shared.domain.forecasts import Candidate, Score
from shared.domain.jobs import JobRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A candidate that takes part in a forecast, and how many votes it has."""

    candidate: Candidate
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """From this step (1, 2, …) up to the next part: who takes part, heaviest first.

    aim: as in `worker.pipeline.ensembles.recipe.blended`.
    """

    members: tuple[Member, ...]
    first_step: int = 1
    aim: float = 0.0


Recipe = tuple[Part, ...]  # in the order of their steps, the first from step 1 on


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """Who has won the last search of a queue; key = (search, queue). Times are aware UTC.

    search: what was searched with, as `search_of` has it. searched_at: issue time of the job that did.
    recipe, company: as in `worker.pipeline.selection.choose.Selection`.
    """

    search: str
    queue: str
    job_id: str
    searched_at: datetime
    created_at: datetime
    score: Score
    recipe: Recipe
    company: Recipe = ()
    ranked_by: Ranking = Ranking.MAPE


def search_of(request: JobRequest) -> str:
    """Stands for all of a request that a winner depends on: another source, place, horizon or grid is another search.

    Names alone say nothing: two requests of one job name may speak of different data.
    """
    told = replace(request, job_description="", user_name="", owner="", queues=(), as_of=None, max_candidates=0)
    return sha256(to_json(told).encode()).hexdigest()[:32]

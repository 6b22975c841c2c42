"""From candidate to forecast: the values that travel between the steps of a job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from math import inf
from statistics import median
from typing import Literal

from shared.domain.basis import Basis
from shared.domain.choice import Ranking
from shared.domain.components import Components
from shared.domain.distribution import Paths, Quantiles
from shared.domain.jobs import Hyperparameter
from shared.domain.lanes import Lane
from shared.domain.likelihood import Claim
from shared.domain.occasions import Event, Excluded, Holidays
from shared.domain.samples import Aggregation, Fill
from shared.domain.series import Series
from shared.domain.stepped import Issued, Stepped
from shared.domain.units import Unit

_OF_SERIES = tuple(each.name for each in fields(Series))
FROM_PARENT = "from_parent"  # stands for the model of a queue that is too new, and is forecast from its parent's


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model with its hyperparameters, to be tried on one queue."""

    model: str
    hyperparameters: Mapping[str, Hyperparameter] = field(default_factory=dict)

    @property
    def candidate_id(self) -> str:
        """Hash of the content: the same candidate has the same id in every job."""
        return hashlib.sha256(json.dumps([self.model, dict(self.hyperparameters)], sort_keys=True).encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """For people: `prophet growth=flat`."""
        return " ".join([self.model, *(f"{name}={value}" for name, value in sorted(self.hyperparameters.items()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Candidates `first` … `last` of a queue (indices, both included), scored in one task of `lane`."""

    first: int
    last: int
    lane: Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSpec(Stepped):
    """How a queue is backtested and forecast: fixed once per queue from the request and the data at hand."""

    target: str
    step_seconds: int
    horizon_steps: int
    window_steps: int  # length of one backtest window; the horizon where history allows, else shorter
    windows: int
    interval: float
    quantiles: tuple[float, ...] = ()  # levels that were asked for, beside those that every forecast has
    bounds: tuple[float | None, float | None]
    timezone: str
    holidays: Holidays | None = None
    events: tuple[Event, ...] = ()
    exclude: tuple[Excluded, ...] = ()
    columns: tuple[str, ...] = ()  # covariates that were asked for by name
    fill: Fill = field(default_factory=Fill)
    unit: Unit | None = None
    guaranteed: float | None = None
    maximum: float | None = None
    basis: Basis | None = None
    every_steps: int = 0  # from the beginning of one backtest window to that of the next; 0 = they lie side by side

    @property
    def stride(self) -> int:
        """Steps from the beginning of one window to that of the next."""
        return self.every_steps or self.window_steps

    @property
    def held_back_steps(self) -> int:
        """Steps that all windows cover together; what is before them is the shortest training part."""
        return self.window_steps + (self.windows - 1) * self.stride


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWork:
    """What is to be done for one queue of a job; written once, so that an index never changes its meaning."""

    spec: ForecastSpec
    candidates: tuple[Candidate, ...]
    blocks: tuple[Block, ...]
    unranked: tuple[Candidate, ...] = ()  # those that a blend is made of and that cannot win by themselves
    is_refit: bool = False  # the winner of the last search is fitted again, and nothing is scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Accuracy over scored steps; `None` = not defined there. Formulas: worker/pipeline/measures.py."""

    mape: float | None  # all percentages are 0–100, not fractions
    wape: float | None
    smape: float | None
    mase: float | None
    rmse: float | None
    skill: float | None  # 1 − WAPE / WAPE(seasonal naive)
    steps: int  # scored steps
    skipped_steps: int  # left out of MAPE because the actual value is zero
    near_zero_steps: int = 0  # those, and steps so small beside the mean that a MAPE speaks of nothing else
    crps: float | None = None  # in per cent of the values, as WAPE is; only of what quantiles were made for

    @property
    def is_mostly_near_zero(self) -> bool:
        """Whether MAPE says nothing of what matters; records of earlier releases know the zeros only."""
        return 2 * max(self.skipped_steps, self.near_zero_steps) > self.steps

    def by(self, ranking: Ranking) -> float:
        """The one of them that outcomes are compared by; infinite where it is not defined."""
        value: float | None = getattr(self, ranking)
        return inf if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowForecast:
    """One rolling origin: what a candidate predicted and what happened; both of length `window_steps`."""

    origin_at: datetime
    actual: tuple[float | None, ...]  # None = gap, not scored
    prediction: tuple[float, ...]
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A candidate that forecast all windows. `measures` are over all scored steps of all windows."""

    candidate: Candidate
    measures: Measures
    windows: tuple[WindowForecast, ...]
    seconds: float  # CPU seconds of all windows
    kind: Literal["score"] = "score"

    @property
    def typical_wape(self) -> float | None:
        """The WAPE to expect: that of the window in the middle, which one wild window does not move."""
        each = [window.measures.wape for window in self.windows if window.measures.wape is not None]
        return median(each) if each else self.measures.wape


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A candidate that did not; `error` is the class of the error, `reason` its message."""

    candidate: Candidate
    error: str
    reason: str
    seconds: float = 0.0
    kind: Literal["failure"] = "failure"


Outcome = Score | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Issued):
    """A queue's forecast as it is delivered. Tuples have one entry per step; every number is finite."""

    queue: str
    metric: str
    project: str
    cluster: str  # as in Series
    job: str  # job_name: with series, issued_at and job_id the key of the forecast
    job_id: str
    issued_at: datetime
    created_at: datetime
    step_seconds: int
    aggregation: Aggregation
    where: str = ""  # likewise
    timezone: str = "UTC"  # of the request: at its midnight steps of whole days begin
    day_starts: tuple[datetime, ...] = ()  # of steps that are days of it; () = they are steps of UTC
    model: str
    hyperparameters: Mapping[str, Hyperparameter]
    mape: float | None
    skill: float | None
    seconds: float
    prediction: tuple[float, ...]
    lower_bound: tuple[float, ...]
    upper_bound: tuple[float, ...]
    made_up: tuple[int, ...] = ()  # steps (1, 2, …) at hours of the day at which nothing was measured: no peak is named there
    interval: float = 0.0  # share of the actual values that should lie within the bounds; 0 = nobody knows it any more
    unit: Unit | None = None  # what its values are counted in; None = nobody knows
    guaranteed: float | None = None  # in that unit: what the queue has, and the most that it can get; None = not known
    maximum: float | None = None
    wape: float | None = None  # beside `mape`, of the same steps
    ranked_by: Ranking = Ranking.MAPE  # what its winner was chosen by
    searched_at: datetime | None = None  # issue time of the search that chose and scored its winner; None = this one did
    quantiles: Quantiles = field(default_factory=Quantiles)  # of each step; the bounds are two of them
    peaks: Quantiles = field(default_factory=Quantiles)  # of the maximum of each day from `issued_at` on
    components: Components = field(default_factory=Components)  # what it is made of
    basis: Basis | None = None  # what is known of the values that it was learned from
    claims: tuple[Claim, ...] = ()  # of its first day, as they were issued; none in those of earlier releases
    paths: Paths | None = None  # the store keeps them of the newest forecast of a series and job

    @property
    def series(self) -> Series:
        """What its values belong to."""
        return Series(**{name: getattr(self, name) for name in _OF_SERIES})

    @property
    def series_id(self) -> str:
        """Of its series."""
        return self.series.series_id

"""Outcomes as a test of the choice wants them: a score with a MAPE, or with the errors of its windows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from shared.domain.forecasts import Candidate, Failure, Measures, Outcome, Score, WindowForecast
from shared.domain.search_space import REFERENCE
from tests.factories import MONDAY
from worker.pipeline.ensembles.blends import BLEND_TOP3
from worker.pipeline.selection.choose import Selection, Terms
from worker.pipeline.selection.choose import choose as choose_by

COSTS = {"last_value": 1, "seasonal_naive": 1, "hour_mean": 1, "var": 5, "prophet": 20, "lstm": 300}
HALF_ZERO: dict[str, Any] = {"skipped_steps": 36}
MORE_ZERO: dict[str, Any] = {"skipped_steps": 37}
ALL_ZERO: dict[str, Any] = {"skipped_steps": 72, "wape": None}


def choose(outcomes: Sequence[Outcome], blends: Collection[str] = (), **terms: Any) -> Selection:
    return choose_by(outcomes, Terms(costs=COSTS, composites=blends, **terms))


def a_score(model: str, mape: float | None, hyperparameters: dict[str, Any] | None = None, **changes: Any) -> Score:
    values: dict[str, Any] = {
        "wape": mape,
        "smape": mape,
        "mase": 1.0,
        "rmse": 1.0,
        "skill": 0.0,
        "steps": 72,
        "skipped_steps": 0,
    }
    measures = Measures(mape=mape, **(values | changes))
    return Score(
        candidate=Candidate(model=model, hyperparameters=hyperparameters or {}), measures=measures, windows=(), seconds=0.1
    )


def a_floor(mape: float | None, **changes: Any) -> Score:
    return a_score(REFERENCE.model, mape, dict(REFERENCE.hyperparameters), **changes)


def a_failure(model: str, reason: str = "too short") -> Failure:
    return Failure(candidate=Candidate(model=model), error="NeedsMoreHistory", reason=reason)


def a_try(model: str, *errors: float, hyperparameters: dict[str, Any] | None = None, windows: int = 2) -> Score:
    """A score of windows in each of which everything is 100 and the model is off by so much in each step."""
    mape = sum(map(abs, errors)) / len(errors)
    scored = a_score(model, mape, hyperparameters, rmse=mape, steps=windows * len(errors), mase=mape / 10, skill=1 - mape / 20)
    window = WindowForecast(
        origin_at=MONDAY,
        actual=(100.0,) * len(errors),
        prediction=tuple(100 + error for error in errors),
        measures=replace(scored.measures, steps=len(errors)),
    )
    return replace(scored, windows=(window,) * windows)


def a_reference_try(windows: int = 2) -> Score:
    return a_try(REFERENCE.model, 20, 20, 20, 20, hyperparameters=dict(REFERENCE.hyperparameters), windows=windows)


A_REFERENCE = a_reference_try()
ONE_EACH = [a_try("theta", 9, 0, 0, 3), a_try("prophet", 0, 9, 0, 3), a_try("var", 0, 0, 9, 3)]
TOP3 = (BLEND_TOP3,)

"""What a person is told of what a forecast follows besides models: special times, and a level that has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from shared.domain.forecasts import Candidate
from shared.domain.identifiers import first_of
from shared.domain.occasions import Excluded
from shared.domain.timegrid import MINUTE
from shared.domain.wording import digits
from worker.models.base import History
from worker.pipeline.history import Known, build
from worker.pipeline.snapshot import Snapshot
from worker.prepare.effects import Effect
from worker.prepare.occasions import Occasion, excluded_steps

FEW = 2  # occasions, from which little is learned
MAX_NAMED = 3


def said_of_occasions(known: Known, snapshot: Snapshot, exclude: Sequence[Excluded]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes and warnings on special times, by kind, and on those known to be bad."""
    end = len(known.occasions.owner) - known.horizon
    notes: list[str] = [_left_out(each, snapshot) for each in exclude]
    warnings: list[str] = []
    for kind in dict.fromkeys(each.kind for each in known.occasions.all):
        ahead = [each for each in known.occasions.all if each.kind == kind and each.end > end]
        effect = known.effects.get(kind)
        told = _warned(kind, ahead, effect) if ahead else None
        if told:
            warnings.append(told)
        elif effect is not None:
            notes += _noted(kind, effect)
    return tuple(notes), tuple(warnings)


def said_of_calendar(candidates: Iterable[Candidate], history: History) -> tuple[str, ...]:
    """Which models learn from which features of the calendar, beside the seasons that they have."""
    learned: dict[tuple[str, ...], list[str]] = {}
    for candidate in candidates:
        if names := build(candidate).calendar_of(history):
            learned.setdefault(names, []).append(candidate.model)
    told = ((" and ".join(dict.fromkeys(models)), names) for names, models in learned.items())
    return tuple(f"of the calendar {models} learns from {', '.join(names)}, beside its own seasons" for models, names in told)


def said_of_shift(known: Known) -> str:
    """What to say of a change of level in the last days; "" = there is none."""
    if known.shift is None:
        return ""
    return (
        f"the level has changed: since {known.shift_at:{MINUTE}} values are about {digits(known.shift.after)}, at these hours"
        f" before they were about {digits(known.shift.before)}; the forecast goes on at the new level, to which what it"
        " learns from before was moved, and the backtest's scores tell of both levels"
    )


def _left_out(excluded: Excluded, snapshot: Snapshot) -> str:
    steps = int(excluded_steps(pd.DatetimeIndex(snapshot.frame.index), snapshot.grid, [excluded]).sum())
    if not steps:
        return f"{excluded.name!r} lies outside of the history: leaving it out changes nothing"
    return f"{excluded.name!r} is left out: nothing is learned from or scored on its {steps:,} step{'s' * (steps != 1)}"


def _warned(kind: str, ahead: Sequence[Occasion], effect: Effect | None) -> str | None:
    when = first_of(ahead, MAX_NAMED, say=lambda each: f"{each.name} ({each.day})", between=", ")
    if effect is None:
        return (
            f"{when}: nothing is known of its effect, as the history has no earlier {kind!r}, and the forecast is that of"
            " ordinary days; a longer data_ingestion_time_period may have one"
        )
    if effect.count > FEW:
        return None
    seen = "once" if effect.count == 1 else "twice"
    return f"{when}: a {kind!r} was seen only {seen} in the history ({_size(effect)}), and {_believed(effect)}"


def _noted(kind: str, effect: Effect) -> Iterator[str]:
    times = f"{effect.count} time{'s' * (effect.count != 1)}"
    done = "ordinary days are learned from the others" if effect.share > 0 else "which does not stand out from noise"
    yield f"{kind!r} was seen {times} in the history ({_size(effect)}): {done}"


def _size(effect: Effect) -> str:
    return f"{effect.mean:+.3g} on average against what was expected"


def _believed(effect: Effect) -> str:
    if not effect.share:
        return "as that may be noise, the forecast is that of ordinary days"
    return f"{effect.share:.0%} of its effect is expected again, with a wide interval"

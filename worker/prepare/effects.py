"""What occasions of a kind did, so that the next one is forecast: learned against what would have been expected.

    expected    ▅ ▆ ▇ ▇ ▆ ▅        a sum        what happened − expected
    happened    ▁ ▂ ▂ ▂ ▂ ▁        a share      what happened ÷ expected
                                   a level      what happened, whatever was expected

Each by age, the steps since an occasion began; which of the three holds is what tells each occasion best from the others. What
noise would also show is not believed (James and Stein, Estimation with quadratic loss, 1961), nor all of what was seen once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BELIEVED = {1: 0.85, 2: 0.95}  # of an effect that was seen so many times
# Times what noise would show of an effect that is none: noise lasts, and so a day of it may look like one.
CAUTION = 2.0
TINY = 1e-300
MIN_BETWEEN = 2
DOUBTED = {1: 0.25, 2: 0.1}  # of the effect, how far the next one may lie from it (one standard deviation) at least


class Form(StrEnum):
    """How an occasion changes what is expected."""

    SUM = "sum"
    SHARE = "share"
    LEVEL = "level"


class Seen(NamedTuple):
    """An occasion of the history: its steps by age, what happened there and what would have been expected."""

    ages: NDArray[np.int_]
    happened: FloatArray
    expected: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a kind of occasion does. A forecast becomes `scale × forecast + shift`.

    scale, shift: by age; the last entry is that of ages that were never seen.
    mean: how much more there was than expected. share: how much of that is believed; 0 = nothing.
    spread: standard deviation of the next one around it, beside `scale` times that of ordinary days.
    """

    scale: FloatArray
    shift: FloatArray
    mean: float
    share: float
    spread: float
    count: int

    def at(self, ages: NDArray[np.int_]) -> tuple[FloatArray, FloatArray]:
        """Scale and shift at these ages."""
        known = np.minimum(ages, len(self.scale) - 1)
        return self.scale[known], self.shift[known]


def learn(seen: Sequence[Seen], noise: float) -> Effect:
    """The effect of a kind.

    Args:
        seen: its occasions, at least one, each with at least one step.
        noise: standard deviation of ordinary steps around what is expected of them.
    """
    form = _form(seen)
    size, apart = _size(seen, form, noise)
    share = max(0.0, 1 - CAUTION * max(noise**2, apart) / len(seen) / max(size, TINY)) * BELIEVED.get(len(seen), 1.0)
    scale, shift = _profile(seen, form, noise)
    doubt = max(1 - share, DOUBTED.get(len(seen), 0.0)) * float(np.sqrt(size))
    return Effect(
        scale=1 + share * (scale - 1),
        shift=share * shift,
        mean=float(np.mean([(each.happened - each.expected).mean() for each in seen])),
        share=share,
        spread=max(_between(seen, form, noise), doubt),
        count=len(seen),
    )


def _size(seen: Sequence[Seen], form: Form, noise: float) -> tuple[float, float]:
    """Mean square of the effect, and of what the occasions depart from it by; 0 of one alone."""
    scale, shift = _profile(seen, form, noise)
    size, apart = 0.0, 0.0
    for each in seen:
        told = scale[each.ages] * each.expected + shift[each.ages]
        size += float(np.mean((told - each.expected) ** 2)) / len(seen)
        apart += float(np.mean((told - each.happened) ** 2)) / max(1, len(seen) - 1)
    return size, apart if len(seen) > 1 else 0.0


def _form(seen: Sequence[Seen]) -> Form:
    """What tells each occasion best from the others; of one alone a fall is a share, and a rise a sum."""
    forms = [Form.SUM, Form.LEVEL]
    if all((each.expected > 0).all() for each in seen):
        forms.insert(0, Form.SHARE)
    if len(seen) == 1:
        return forms[0] if (seen[0].happened < seen[0].expected).mean() > 0.5 else Form.SUM
    return min(forms, key=lambda form: round(_left_out(seen, form, 0.0), 9))


def _left_out(seen: Sequence[Seen], form: Form, noise: float) -> float:
    """Mean square of what each occasion misses by when it is told from the others."""
    squares = []
    for index, each in enumerate(seen):
        scale, shift = _profile([*seen[:index], *seen[index + 1 :]], form, noise)
        known = np.minimum(each.ages, len(scale) - 1)
        squares.append(float(np.mean((scale[known] * each.expected + shift[known] - each.happened) ** 2)))
    return float(np.mean(squares))


def _between(seen: Sequence[Seen], form: Form, noise: float) -> float:
    """Standard deviation between occasions, without what of it is that of ordinary steps."""
    if len(seen) < MIN_BETWEEN:
        return 0.0
    carried = noise * float(_profile(seen, form, noise)[0].mean())
    few = (len(seen) + 1) / (len(seen) - 1)  # so few tell little of how much they vary
    return float(np.sqrt(few * max(0.0, _left_out(seen, form, noise) - carried**2)))


def _profile(seen: Sequence[Seen], form: Form, noise: float) -> tuple[FloatArray, FloatArray]:
    """Scale and shift by age, and at last of all ages together, to which each is drawn as far as it may be noise."""
    oldest = max(int(each.ages.max()) for each in seen)
    happened, expected, count = np.zeros(oldest + 1), np.zeros(oldest + 1), np.zeros(oldest + 1)
    for each in seen:
        np.add.at(happened, each.ages, each.happened)
        np.add.at(expected, each.ages, each.expected)
        np.add.at(count, each.ages, 1.0)
    overall = _value(form, np.array([happened.sum()]), np.array([expected.sum()]), np.array([count.sum()]))[0]
    has = count > 0
    own = np.full(oldest + 1, overall)
    own[has] = _value(form, happened[has], expected[has], count[has])
    unit = noise * count.sum() / expected.sum() if form is Form.SHARE else noise  # noise, in the unit of the value
    varied = float(np.mean((own[has] - overall) ** 2))
    drawn = max(0.0, 1 - float(np.mean(unit**2 / count[has])) / varied) if varied > 0 else 0.0
    values = np.append(overall + drawn * (own - overall), overall)
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    return {Form.SUM: (ones, values), Form.SHARE: (values, zeros), Form.LEVEL: (zeros, values)}[form]


def _value(form: Form, happened: FloatArray, expected: FloatArray, count: FloatArray) -> FloatArray:
    if form is Form.SHARE:
        return happened / expected
    return (happened - expected) / count if form is Form.SUM else happened / count

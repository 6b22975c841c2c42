"""Where the slider of a queue's page begins and ends."""

from __future__ import annotations

from typing import Any

import pytest

from api.dashboard.whatif import slider_of
from shared.domain.units import Unit
from tests.factories import a_forecast


@pytest.mark.parametrize(
    ("changes", "present", "is_known"),
    [
        ({"unit": Unit.MEGABYTES, "guaranteed": 40_960.0}, 40_960.0, True),
        ({"unit": Unit.FRACTION, "guaranteed": 1.0, "upper_bound": (0.5, 7.5, 0.7)}, 100.0, True),
        ({"guaranteed": 1 / 3}, 1 / 3, True),
        ({"guaranteed": None, "unit": None}, 75.0, False),
        ({"guaranteed": None, "upper_bound": (0.0, 0.0, 0.0)}, 0.0, False),
        ({"maximum": 1_000.0}, 100.0, True),
    ],
)
def test_what_is_now_lies_on_a_step_of_the_slider_with_room_above(
    changes: dict[str, Any], present: float, is_known: bool
) -> None:
    forecast = a_forecast(**changes)
    slider = slider_of(forecast)
    assert (slider.present, slider.is_known) == (pytest.approx(present), is_known)
    assert 0 <= slider.lowest <= slider.present < slider.highest
    steps = (slider.present - slider.lowest) / slider.step
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert 40 <= (slider.highest - slider.lowest) / slider.step <= 200 or present == 0
    shown = 100 if forecast.unit is Unit.FRACTION else 1
    assert slider.highest >= shown * max(*forecast.upper_bound, forecast.maximum or 0.0)

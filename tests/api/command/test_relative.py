"""What the terminal says of percentages and of what values are."""

from __future__ import annotations

from api.command.relative import relative_lines

RELATIVE = {"guaranteed": 200.0, "factor": 0.5, "peak": 86.6, "peak_lower_bound": 70.0, "peak_upper_bound": 110.4}


def test_what_is_known_is_told_and_nothing_else() -> None:
    told = {"aggregation": "p95", "relative": RELATIVE, "basis": {"p95_to_mean": 1.3, "saturated": 0.4, "at_least": 0.25}}
    assert list(relative_lines(told)) == [
        "of the 200 guaranteed now the peak is 87 % (70 to 110 %)",
        "of each step's samples these are the 95 % quantiles, about 1.30 times the mean",
        "at least: in 25% of the steps the queue was held back, and nobody knows how much more it wanted",
    ]
    of_means = {"aggregation": "mean", "relative": None, "basis": {"p95_to_mean": 1.3, "saturated": 0.0, "at_least": 0.2}}
    assert list(relative_lines(of_means)) == ["of each step's samples the 95 % quantiles are about 1.30 times the mean"]
    assert list(relative_lines({"aggregation": "mean"})) == []

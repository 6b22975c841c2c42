"""How a request wants its winners chosen: by which rule, and by which accuracy measure."""

from __future__ import annotations

from enum import StrEnum


class SelectionRule(StrEnum):
    """Which candidate wins."""

    LOWEST_MAPE = "lowest_mape"  # the lowest one, literally; of another measure where `metric` says so
    ROBUST = "robust"  # a blend unless something is much better, near ties to the cheaper, nothing worse than the reference


class Metric(StrEnum):
    """What a request may want candidates compared by."""

    MAPE = "mape"
    WAPE = "wape"
    MASE = "mase"


class Effort(StrEnum):
    """How much a request lets be tried of what it does not name."""

    FAST = "fast"  # arithmetic
    NORMAL = "normal"  # the blend of its cheap members; dear models where the cheap ones leave something to gain
    THOROUGH = "thorough"  # every model with its whole grid


class Ranking(StrEnum):
    """What they are compared by; each is a field of `Measures`."""

    MAPE = "mape"
    WAPE = "wape"
    MASE = "mase"
    RMSE = "rmse"  # where every actual value is zero

    def text(self, value: float) -> str:
        """A value as people read it, in the digits that decide what is equal: `7.90 %`."""
        if self is Ranking.RMSE:
            return f"{value:.4g}"
        return f"{value:.3f}" if self is Ranking.MASE else f"{value:.2f} %"

    def printed(self, value: float) -> float:
        """The value with the digits of `text`."""
        return float(self.text(value).removesuffix(" %"))

"""How likely something is, from the share of joint paths where it happens, and how that is told.

    P = (n q + ½) / (n + 1)        q = share of the paths, n = what they were made from

The half keeps what a few weeks have never seen from being called impossible (Krichevsky and Trofimov's estimate, The performance
of universal encoding, IEEE Trans. Inform. Theory 27, 1981). Probabilities are told in steps: so few origins carry no digits.
"""

from __future__ import annotations

from enum import StrEnum


class Likelihood(StrEnum):
    """A probability as it is told."""

    BELOW_5 = "< 5 %"
    ABOUT_10 = "10 %"
    ABOUT_25 = "25 %"
    ABOUT_50 = "50 %"
    ABOUT_75 = "75 %"
    ABOUT_90 = "90 %"
    ABOVE_95 = "> 95 %"

    @classmethod
    def of(cls, probability: float) -> Likelihood:
        """The nearest of them."""
        ends = ((0.05, cls.BELOW_5), (0.175, cls.ABOUT_10), (0.375, cls.ABOUT_25), (0.625, cls.ABOUT_50), (0.825, cls.ABOUT_75))
        told = next((name for end, name in ends if probability < end), None)
        return told or (cls.ABOVE_95 if probability > 0.95 else cls.ABOUT_90)

    @property
    def share(self) -> float:
        """As a number: 0.05 stands for all that is below, 0.95 for all that is above."""
        return int(self.strip("<> %")) / 100


def probability(share: float, made_from: int) -> float:
    """P of a window, from the share of the paths that exceed a level there."""
    return (made_from * share + 0.5) / (made_from + 1)

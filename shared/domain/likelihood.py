"""How likely something is, from the share of joint paths where it happens, and how that is told.

    P = (n q + ½) / (n + 1)        q = share of the paths, n = what they were made from

The half keeps what a few weeks have never seen from being called impossible (Krichevsky and Trofimov's estimate, The performance
of universal encoding, IEEE Trans. Inform. Theory 27, 1981). Probabilities are told in steps: so few origins carry no digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """Levels of which a forecast claims how likely they are exceeded within a day."""

    GUARANTEED = "guaranteed"
    PART_OF_LIMIT = "80 % of the limit"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is claimed of one of them: the chance, 0–1, in all its digits, and the hours that are expected above it."""

    about: About
    probability: float
    hours: float


class Likelihood(StrEnum):
    """A probability as it is told."""

    BELOW_5 = "< 5 %"
    ABOUT_10 = "10 %"
    ABOUT_25 = "25 %"
    ABOUT_50 = "50 %"
    ABOUT_75 = "75 %"
    ABOUT_90 = "90 %"
    ABOVE_95 = "> 95 %"
    # Where chances have not held lately.
    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    LIKELY = "likely"

    @classmethod
    def of(cls, probability: float) -> Likelihood:
        """The nearest of them."""
        ends = ((0.05, cls.BELOW_5), (0.175, cls.ABOUT_10), (0.375, cls.ABOUT_25), (0.625, cls.ABOUT_50), (0.825, cls.ABOUT_75))
        told = next((name for end, name in ends if probability < end), None)
        return told or (cls.ABOVE_95 if probability > 0.95 else cls.ABOUT_90)

    @property
    def share(self) -> float | None:
        """As a number: 0.05 stands for all that is below, 0.95 for all that is above; None = it is a word."""
        return None if self.isalpha() else int(self.strip("<> %")) / 100

    @property
    def in_words(self) -> Likelihood:
        """Likely from every second time on."""
        if self.share is None:
            return self
        if self is Likelihood.BELOW_5:
            return Likelihood.UNLIKELY
        return Likelihood.LIKELY if self.share >= 0.5 else Likelihood.POSSIBLE


def probability(share: float, made_from: int) -> float:
    """P of a window, from the share of the paths that exceed a level there."""
    return (made_from * share + 0.5) / (made_from + 1)

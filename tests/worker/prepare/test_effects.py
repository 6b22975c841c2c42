"""What occasions of a kind did, and how much of that is believed."""

from __future__ import annotations

import numpy as np
import pytest

from worker.prepare.effects import Effect, Seen, learn

USUAL = 50 + 20 * np.sin(np.arange(24) / 24 * 2 * np.pi)
AGES = np.arange(24)


def days(*happened: np.ndarray | float, expected: np.ndarray = USUAL) -> list[Seen]:
    return [Seen(ages=AGES, happened=np.broadcast_to(each, 24).astype(float), expected=expected) for each in happened]


def next_of(effect: Effect, expected: np.ndarray = USUAL) -> np.ndarray:
    scale, shift = effect.at(AGES)
    return scale * expected + shift


@pytest.mark.parametrize(
    ("happened", "other", "then"),
    [
        ((USUAL + 30,), USUAL / 2, USUAL / 2 + 30),
        ((USUAL / 10,), USUAL / 2, USUAL / 20),
        ((np.full(24, 5.0),), USUAL / 2, np.full(24, 5.0)),
    ],
    ids=["a sum", "a share", "a level"],
)
def test_the_form_that_tells_each_from_the_others_is_taken(happened: tuple, other: np.ndarray, then: np.ndarray) -> None:
    like = {id(USUAL): happened[0], id(other): then}
    seen = [*days(like[id(USUAL)]), *days(then, expected=other), *days(happened[0]), *days(then, expected=other)]
    assert next_of(learn(seen, 0.5)) == pytest.approx(happened[0], rel=0.05, abs=0.5)
    assert next_of(learn(seen, 0.5), other) == pytest.approx(then, rel=0.05, abs=0.5)


def test_what_was_seen_once_or_twice_is_believed_in_part_and_with_doubt() -> None:
    once, twice, often = (learn(days(*[USUAL - 40] * count), 1.0) for count in (1, 2, 5))
    assert once.share < twice.share < 1
    assert often.share == pytest.approx(1, abs=0.01)
    assert once.spread > twice.spread > often.spread
    for effect in (once, twice, often):
        assert np.abs(next_of(effect) - (USUAL - 40)).max() < 1.645 * effect.spread + 1


def test_what_noise_would_show_too_is_not_believed() -> None:
    draw = np.random.default_rng(1)
    shares = [learn(days(*(USUAL + draw.normal(0, 10, 24) for _ in range(3))), 10.0).share for _ in range(100)]
    assert np.mean(np.array(shares) == 0) > 0.9


def test_those_that_do_not_agree_are_hardly_believed_and_widen_the_interval() -> None:
    effect = learn(days(USUAL - 40, USUAL, USUAL - 40, USUAL), 1.0)
    assert effect.share < 0.6
    assert effect.spread > 15


def test_an_age_that_was_never_seen_has_the_mean_of_the_others() -> None:
    effect = learn([Seen(ages=np.arange(3), happened=np.full(3, 90.0), expected=np.full(3, 50.0))] * 3, 1.0)
    scale, shift = effect.at(np.array([0, 2, 3, 50]))
    assert (scale * 50 + shift).tolist() == pytest.approx([90] * 4, abs=1)


def test_a_part_of_an_occasion_teaches_its_steps() -> None:
    ramp = USUAL - np.arange(24)
    part = Seen(ages=AGES[12:], happened=ramp[12:], expected=USUAL[12:])
    effect = learn([*days(ramp, ramp), part], 0.1)
    assert next_of(effect) == pytest.approx(ramp, abs=2)

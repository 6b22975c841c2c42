"""Paths of several queues, drawn together: the same block of each, and the sum of what was drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.distribution import Origin, Paths, block_name
from shared.domain.joint import Joint, added, drawn_together
from tests.factories import MONDAY, a_forecast

MONDAYS = [block_name(Origin.MISSES, MONDAY - timedelta(days=day)) for day in range(4)]
DAYS = [block_name(Origin.DAY, MONDAY - timedelta(days=day)) for day in range(3)]
names = st.lists(st.sampled_from([*MONDAYS, *DAYS]), min_size=1, max_size=12)


def paths_of(*blocks: str, scale: float = 1.0) -> Paths:
    """The path at place n is n at its first step and 10 n at its second, times the scale."""
    return Paths.of([[scale * n, 10 * scale * n] for n in range(len(blocks))], blocks=9, windows=9, drawn_from=blocks)


def test_one_draw_takes_the_same_block_of_all_queues() -> None:
    one, other = paths_of(MONDAYS[0], MONDAYS[1], DAYS[0]), paths_of(DAYS[0], MONDAYS[1], MONDAYS[2], scale=100)
    draws = drawn_together([one, other])
    assert draws.places == ((1, 1), (2, 0))
    assert (draws.blocks, draws.windows) == (1, 1)
    assert draws.of(1, other.rows()) == [other.rows()[1], other.rows()[0]]


def test_where_one_has_fewer_paths_of_a_block_these_are_taken_again() -> None:
    draws = drawn_together([paths_of(*[MONDAYS[0]] * 4), paths_of(*[MONDAYS[0]] * 2)])
    assert draws.places == ((0, 0), (1, 0), (2, 1), (3, 1))


def test_what_is_known_of_the_worst_known_counts() -> None:
    few = Paths.of([[1.0]], blocks=0, windows=9, drawn_from=MONDAYS[:1])  # its backtest is shorter than its horizon
    lost = Paths.of([[1.0]], blocks=9, windows=9, drawn_from=MONDAYS[:1])
    assert drawn_together([few, lost]).blocks == 0
    assert drawn_together([lost]).is_calibrated


def test_paths_of_earlier_releases_have_no_draw_together() -> None:
    assert drawn_together([paths_of(MONDAYS[0]), Paths.of([[1.0, 2.0]], blocks=9)]).places == ()


@given(blocks=st.lists(names, min_size=1, max_size=4))
def test_the_sum_is_exactly_that_of_the_paths_that_were_drawn(blocks: list[list[str]]) -> None:
    each = [paths_of(*own, scale=number + 0.1) for number, own in enumerate(blocks)]
    draws = drawn_together(each)
    rows = [paths.rows() for paths in each]
    total = added(draws.of(number, own) for number, own in enumerate(rows))
    for draw, sums in zip(draws.places, total, strict=True):
        assert len({paths.drawn_from[place] for paths, place in zip(each, draw, strict=True)}) == 1
        assert sums == [sum(rows[queue][place][step] for queue, place in enumerate(draw)) for step in range(2)]
    assert len({each[0].drawn_from[draw[0]] for draw in draws.places}) == len(set.intersection(*map(set, blocks)))


@given(own=names, queues=st.integers(1, 4))
def test_queues_of_the_same_blocks_are_drawn_with_each_path_once(own: list[str], queues: int) -> None:
    draws = drawn_together([paths_of(*own)] * queues)
    assert sorted(draws.places) == [(place,) * queues for place in range(len(own))]
    assert added([[[1.0, 2.0]], [[0.5, -2.0]]]) == [[1.5, pytest.approx(0.0)]]


SCALES = st.sampled_from([None, 1.0, 1.2, 0.0])  # None = nothing is said of the queue


@given(
    blocks=st.lists(names, min_size=1, max_size=4),
    is_alike=st.booleans(),
    asked=st.lists(st.lists(SCALES, min_size=4), max_size=6),
)
def test_whatever_was_added_before_each_sum_is_that_by_hand(
    blocks: list[list[str]], is_alike: bool, asked: list[list[float | None]]
) -> None:
    each = [paths_of(*(blocks[0] if is_alike else own), scale=number + 0.1) for number, own in enumerate(blocks)]
    joint = Joint.of([a_forecast(queue=f"root.q{number}", paths=paths) for number, paths in enumerate(each)])
    assert joint.draws.is_alike == all(paths.drawn_from == each[0].drawn_from for paths in each)
    for scales in asked:
        scaled = {f"root.q{number}": scale for number, scale in enumerate(scales[: len(each)]) if scale is not None}
        factors = [scaled.get(f"root.q{number}", 1.0) for number in range(len(each))]
        assert [*map(list, joint.total(scaled=scaled))] == [by_hand(joint, draw, factors) for draw in joint.draws.places]
        for without in range(len(each)):
            others = [float(number != without) for number in range(len(each))]
            found = joint.total(without=f"root.q{without}")
            assert [*map(list, found)] == [by_hand(joint, draw, others) for draw in joint.draws.places]


def by_hand(joint: Joint, draw: tuple[int, ...], factors: list[float]) -> object:
    rows = [forecast.paths.rows() for forecast in joint.forecasts if forecast.paths is not None]
    return pytest.approx([sum(factors[q] * rows[q][place][step] for q, place in enumerate(draw)) for step in range(2)])

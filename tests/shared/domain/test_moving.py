"""What a queue leaves to its siblings when it moves, and what those that it comes to must give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.moving import Branch, Limits, fitting, refuse_place
from shared.domain.units import Unit
from shared.errors import InvalidRequest

amounts = st.floats(1.0, 1e6)


def branch(*guaranteed: float | None, is_divided: bool | None = True, whole: float | None = None) -> Branch:
    children = {f"root.a.{number}": Limits(guaranteed=each) for number, each in enumerate(guaranteed)}
    return Branch(parent="root.a", limits=Limits(guaranteed=whole), children=children, is_divided=is_divided)


def of(children: dict[str, Limits]) -> list[float | None]:
    return [limits.guaranteed for limits in children.values()]


@given(guaranteed=st.lists(amounts, min_size=1, max_size=5), leaves=amounts)
def test_parts_of_one_whole_stay_the_whole_in_the_same_proportion(guaranteed: list[float], leaves: float) -> None:
    left = of(branch(*guaranteed).when_it_leaves(leaves))
    assert sum(filter(None, left)) == pytest.approx(sum(guaranteed) + leaves)
    back = Branch(
        parent="", limits=Limits(), children={str(n): Limits(guaranteed=g) for n, g in enumerate(left)}, is_divided=True
    )
    assert of(back.when_it_comes(leaves)) == pytest.approx(guaranteed, rel=1e-6)


def test_of_amounts_siblings_give_only_what_there_is_no_room_for() -> None:
    for is_divided in (False, None):
        here = branch(60.0, 20.0, is_divided=is_divided, whole=100.0)
        assert of(here.when_it_comes(20.0)) == [60.0, 20.0]
        assert of(here.when_it_comes(40.0)) == pytest.approx([45.0, 15.0])
        assert of(here.when_it_comes(100.0)) == [0.0, 0.0]
        assert of(here.when_it_leaves(20.0)) == [60.0, 20.0]


def test_where_guarantees_are_not_known_nothing_is_taken_or_given() -> None:
    assert of(branch(60.0, None).when_it_comes(20.0)) == [60.0, None]
    assert of(branch(60.0, None).when_it_leaves(20.0)) == [60.0, None]
    assert of(branch(60.0, is_divided=False).when_it_comes(20.0)) == [60.0]
    assert of(branch(60.0).when_it_comes(None)) == [60.0]
    assert branch().when_it_comes(1.0) == {}


def test_nobody_is_guaranteed_more_than_the_ceiling() -> None:
    here = Branch(parent="", limits=Limits(), children={"a": Limits(guaranteed=50.0, maximum=60.0)}, is_divided=True)
    assert of(here.when_it_leaves(50.0)) == [60.0]


@pytest.mark.parametrize(
    ("queue", "parent", "why"),
    [
        ("root", "root.a", "stays where it is"),
        ("root.a.b", "root.a", "the parent already"),
        ("root.a", "root.a", "below itself"),
        ("root.a", "root.a.b", "below itself"),
        ("etl", "other", "below no queue"),
    ],
)
def test_a_queue_comes_neither_below_itself_nor_to_where_it_is(queue: str, parent: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        refuse_place(queue, parent)


def test_a_parent_must_have_what_it_is_to_guarantee_and_its_ceiling_holds() -> None:
    above = Limits(guaranteed=100.0, maximum=200.0)
    assert fitting(Limits(guaranteed=100.0, maximum=300.0), above, "root.b", Unit.MEGABYTES, is_asked=True).maximum == 200.0
    bare = Limits(guaranteed=100.0)
    assert fitting(bare, above, "root.b", Unit.MEGABYTES, is_asked=True) == bare
    kept = Limits(guaranteed=30.0, maximum=150.0)
    assert fitting(kept, above, "root.b", Unit.MEGABYTES, is_asked=True) == kept
    assert fitting(kept, Limits(), "root.b", None, is_asked=False) == kept
    for is_asked, advice in ((True, "accepted is what it has"), (False, "give a capacity")):
        with pytest.raises(InvalidRequest, match=advice):
            fitting(Limits(guaranteed=101.0), above, "root.b", Unit.MEGABYTES, is_asked=is_asked)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.capacities import Capacity, Mode, Part
from shared.yarn.capacity_text import capacity_of, text_of
from tests.shared.yarn.trees import mb

AMOUNTS = st.integers(0, 10**9).map(lambda amount: amount / 1_000)
PARTS = st.tuples(st.sampled_from([Mode.PERCENTAGE, Mode.WEIGHT, Mode.ABSOLUTE]), AMOUNTS)
CAPACITIES = (
    AMOUNTS.map(Capacity.of_percent)
    | AMOUNTS.map(Capacity.of_weight)
    | st.builds(
        Capacity.of_resources,
        st.builds(mb, st.integers(0, 2**50), st.integers(0, 2**30)),
        st.sampled_from([(), (("yarn.io/gpu", "2"), ("disk", "10G"))]),
    )
    | st.builds(
        lambda memory, vcores: Capacity(
            mode=Mode.MIXED,
            parts=(
                Part(resource="memory-mb", mode=Mode.WEIGHT, amount=memory),
                Part(resource="vcores", mode=vcores[0], amount=vcores[1]),
            ),
        ),
        AMOUNTS,
        PARTS,
    )
)


@given(CAPACITIES)
def test_a_capacity_comes_back_from_its_text(capacity: Capacity) -> None:
    assert capacity_of(text_of(capacity)) == capacity


@pytest.mark.parametrize(
    ("text", "capacity"),
    [
        ("45", Capacity.of_percent(45.0)),
        (" 100.000\n", Capacity.of_percent(100.0)),
        (".5", Capacity.of_percent(0.5)),
        ("2.5w", Capacity.of_weight(2.5)),
        ("[memory=10240,vcores=12]", Capacity.of_resources(mb(10_240, 12))),
        ("[memory=10 Gi, vcores=12]", Capacity.of_resources(mb(10_240, 12))),
        ("[memory-mb=4096.0,vcores=4.0]", Capacity.of_resources(mb(4_096, 4))),
        ("[memory=1024]", Capacity.of_resources(mb(1_024, 0))),
        ("[memory=1024,vcores=1,yarn.io/gpu=2]", Capacity.of_resources(mb(1_024, 1), (("yarn.io/gpu", "2"),))),
    ],
)
def test_what_configurations_have_is_read(text: str, capacity: Capacity) -> None:
    assert capacity_of(text) == capacity


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "45%", "1e3", "nan", "٣", "-", "--1", "1w2", "9" * 25, "9" * 20, "${percent}"),
        *("[memory]", "[memory=1x]", "[vcores=1Gi]", "[memory=1,memory-mb=1]", "[=1]", "[memory=1", "[memory=1,v\x00c=2]"),
        "[" + "a=1," * 400 + "]",
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"accepted are a percentage such as 45"):
        capacity_of(text)


def test_numbers_are_written_short_and_without_an_exponent() -> None:
    numbers = (45.0, 33.3333, 0.00001, 1e15, 0.0)
    assert [text_of(Capacity.of_percent(number)) for number in numbers] == ["45", "33.3333", "0.00001", "1000000000000000", "0"]

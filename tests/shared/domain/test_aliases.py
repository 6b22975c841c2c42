"""What queues were called before: chains of names, and what is refused of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.aliases import Alias, check_alias, former_names
from shared.errors import InvalidRequest
from tests.factories import MONDAY


def an_alias(old: str, new: str) -> Alias:
    return Alias(cluster="prod", old=old, new=new, renamed_at=None, stated_at=MONDAY, stated_by="ops")


KNOWN = [an_alias("a", "b"), an_alias("b", "c"), an_alias("x", "y")]


def test_a_queue_has_all_the_names_that_it_had_before_the_last_first() -> None:
    assert [alias.old for alias in former_names("c", KNOWN)] == ["b", "a"]
    assert former_names("a", KNOWN) == former_names("unknown", KNOWN) == ()


def test_a_loop_that_two_have_made_at_once_ends() -> None:
    loop = [an_alias("a", "b"), an_alias("b", "a")]
    assert [alias.old for alias in former_names("a", loop)] == ["b"]


@pytest.mark.parametrize(
    ("old", "new", "field", "why"),
    [
        ("a", "a", "new", "the same name"),
        ("z", "b", "new", "b was a before"),
        ("a", "z", "old", "a is b now"),
        ("c", "a", "new", "a → b → c → a"),
        ("y", "x", "new", "x → y → x"),
    ],
)
def test_what_would_be_a_loop_or_a_fork_is_refused_with_its_names(old: str, new: str, field: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        check_alias(old, new, KNOWN)
    assert refused.value.ids["field"] == field


names = st.sampled_from("abcdef")


@given(asked=st.lists(st.tuples(names, names), max_size=12))
def test_whatever_is_accepted_each_name_leads_to_one_end(asked: list[tuple[str, str]]) -> None:
    known: list[Alias] = []
    for old, new in asked:
        try:
            check_alias(old, new, known)
        except InvalidRequest:
            continue
        known.append(an_alias(old, new))
    for name in "abcdef":
        chain = [name, *(alias.old for alias in former_names(name, known))]
        assert len(chain) == len(set(chain))
    assert len({alias.old for alias in known}) == len({alias.new for alias in known}) == len(known)

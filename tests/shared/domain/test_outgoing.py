from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.outgoing import MAX_LABEL, cell, from_path, in_path, isolated, label, readable


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_quoted(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["root.etl", "", "1-2", "a=b", -1.5, 0, None])
def test_all_else_stays_as_it_is(value: object) -> None:
    assert cell(value) == value


def test_a_label_has_no_control_characters_and_an_end() -> None:
    assert label("a\x00b\nc\x9bd\u202ee\ud800") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd"
    assert label("Köln.etl") == "Köln.etl"
    assert len(label("x" * 10_000)) == MAX_LABEL


def test_a_name_turns_nothing_around_it() -> None:
    assert readable("root.\u202egpj\u2069") == "root.\ufffdgpj\ufffd"
    assert isolated("root.etl") == "root.etl"
    assert isolated("קבוצה") == "\u2068קבוצה\u2069"


NAMES = st.text(st.sampled_from("./%2Eea ä#?"), min_size=1, max_size=12)


@given(name=NAMES)
@example(name="..")
@example(name="%2E%2E")
@example(name="a/../b")
@example(name="/a//")
def test_a_name_in_an_address_has_no_part_that_anybody_drops_and_is_read_back(name: str) -> None:
    address = in_path(name)
    assert from_path(unquote(address)) == name
    assert not {"", ".", ".."} & set(unquote(address).split("/"))


@pytest.mark.parametrize("name", ["root.etl", "root/etl", "100%", "a.b..c"])
def test_plain_names_are_written_as_ever(name: str) -> None:
    assert in_path(name) == quote(name)
    assert from_path(name) == name

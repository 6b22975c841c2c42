"""Days as they were count for siblings as far as all of them have them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.worker.decisions.demands import BLOCKS, wanted_of, with_days
from worker.decisions.shared_days import on_shared_days
from worker.decisions.terms import Facts


def test_where_one_has_no_day_as_it_was_all_siblings_go_without() -> None:
    full, few, none = with_days(wanted_of(1.0, 1.0), 2.0), with_days(wanted_of(2.0), 2.0, (2, 9, 7)), wanted_of(3.0)
    found, days = on_shared_days([full, None, few], counts_vcores=True)
    assert days == ("was 2026-01-02T00:00", "was 2026-01-07T00:00")
    assert [None if each is None else int(each.memory.is_recent.sum()) for each in found] == [2, None, 2]
    assert on_shared_days([full, few, none], counts_vcores=True)[1] == ()
    [without, *_], _ = on_shared_days([full, none], counts_vcores=True)
    assert without is not None
    assert (without.memory_blocks, without.vcores_blocks) == (BLOCKS, BLOCKS)
    assert without.memory.mass == pytest.approx(wanted_of(1.0).memory.mass)
    short = replace(full, vcores=few.memory, vcores_blocks=few.memory_blocks)  # of processors fewer days are known
    assert len(on_shared_days([short], counts_vcores=True)[1]) == 2
    assert len(on_shared_days([short], counts_vcores=False)[1]) == 7


def test_a_new_queue_that_is_not_changed_yet_takes_no_day_from_its_siblings() -> None:
    is_new = Facts(history_days=3.0)
    full, new = with_days(wanted_of(1.0), 2.0), replace(wanted_of(3.0), facts=is_new)
    few = replace(with_days(wanted_of(2.0), 2.0, (2, 9, 7)), facts=is_new)
    found, days = on_shared_days([full, new, few], counts_vcores=True)
    assert len(days) == 7
    assert [None if each is None else int(each.memory.is_recent.sum()) for each in found] == [7, 0, 2]

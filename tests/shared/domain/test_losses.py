"""What is said of a loss: how much it is, and by which rule that is too much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import a_loss

FEW = {"count": 3}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "they are more than 5% of the column"),
        ({"column": None}, "they are more than 5% of all"),
        (FEW | {"is_at_end": True}, "nothing that can be used comes after them"),
        (FEW | {"is_one_sided": True}, "they are all that is above, or below, some value"),
        (FEW, None),
        ({"is_nobodys": True, "is_at_end": True}, None),
        ({"is_nobodys": True, "count": 300}, "they are more than 50% of the column"),
    ],
)
def test_a_loss_says_by_which_rule_it_is_too_much(changes: dict[str, Any], rule: str | None) -> None:
    loss = a_loss(**changes)
    assert (loss.is_severe, loss.why_severe) == (rule is not None, rule)
    assert (f", too much as {rule}; say how" in loss.text) == loss.is_severe
    assert ("too much" in loss.text) == loss.is_severe

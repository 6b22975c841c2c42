"""Both parents of a queue that moves, and its siblings there, now and then, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from api.command.output import amount
from shared.command.tables import print_table
from shared.command.terminal import notice, shown
from shared.domain.codec import Document

MAX_MISSING = 10  # children that are named


def print_move(answer: Document) -> None:
    """A table of guarantees and of the chance to be above them; notes say who is in no sum."""
    sides = (answer["moved"]["old_parent"], answer["moved"]["new_parent"])
    rows = [row for side in sides for row in _rows(side, answer["unit"])]
    print_table(("", "guaranteed", "above it", "then", "above it"), rows)
    for side in sides:
        if side["reason"]:
            notice(f"note: of {side['queue']} nothing is told: {side['reason']}", style="yellow")
        for each in side["missing"][:MAX_MISSING]:
            notice(f"note: {each['queue']} is not in the sum of {side['queue']}: {each['reason']}", style="yellow")


def _rows(side: Document, unit: str | None) -> Iterator[tuple[str, ...]]:
    if side["now"]:
        both = [{"guaranteed": each["guaranteed"]} | each["whole"] for each in (side["now"], side["then"])]
        yield f"children of {side['queue']}", *_cells(both, unit)
    for each in side["siblings"]:
        yield each["queue"], *_cells([each["now"], each["then"]], unit)


def _cells(both: list[Document], unit: str | None) -> Iterator[str]:
    for each in both:
        yield amount(each["guaranteed"], unit)
        yield shown(each["borrowing"] and each["borrowing"]["likelihood"])

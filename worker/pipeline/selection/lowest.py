"""The lowest measure wins, literally: no margin, no preference, nothing that has to be beaten but the others."""

from __future__ import annotations

from shared.domain.forecasts import Score
from worker.pipeline.selection.board import Board


def lowest(board: Board) -> tuple[Score, str]:
    """The first on the board, and how near the second is: of equal ones, in the digits that are shown, the cheaper is first."""
    winner, *others = board.scores
    name, shown, by = board.name(winner), board.by.text(board.value(winner)), board.by.upper()
    if not others:
        return winner, f"{name} is the only candidate that could be scored: {by} {shown}"
    second, value = board.name(others[0]), board.by.text(board.value(others[0]))
    runner_up = f"{second} has the same and is not cheaper" if value == shown else f"next is {second} with {value}"
    return winner, f"{name} has the lowest {by} of {len(board.scores)} candidates: {shown}; {runner_up}"

"""Tables on stdout: as wide as a terminal, where what says least makes room first; whole in a pipe, with --wide and as CSV."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

from shared.command.terminal import LINES, NOTHING, Form, console, form, notice, plain, shown
from shared.domain.outgoing import cell
from shared.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2  # characters between columns
MIN_TEXT = 20  # characters that a column of sentences needs
_NUMBER = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?")

_OPTIONS = {
    "wide": Annotated[bool, typer.Option("--wide", help="All columns, also those that the terminal has no room for.")],
    "as_csv": Annotated[bool, typer.Option("--csv", help="Print all columns as CSV.")],
}


def tabular(command: Callable[..., None]) -> Callable[..., None]:
    """The command with --wide and --csv, which say how its tables are printed."""

    @wraps(command)
    def formed(**given: object) -> None:
        wide, as_csv = given.pop("wide"), given.pop("as_csv")
        if sum(map(bool, (wide, as_csv, given.get("as_json")))) > 1:
            raise UsageError("accepted is one of --wide, --csv and --json")
        token = form.set(Form.CSV if as_csv else Form.WIDE if wide else Form.FITTING)
        try:
            command(**given)
        finally:
            form.reset(token)

    hints = get_type_hints(command, include_extras=True)
    own = signature(command).parameters.values()
    more = [Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=_OPTIONS[name]) for name in _OPTIONS]
    signed = [each.replace(annotation=hints[each.name], kind=Parameter.KEYWORD_ONLY) for each in own]
    formed.__annotations__ = hints | _OPTIONS | {"return": None}
    formed.__signature__ = signature(command).replace(parameters=[*signed, *more])  # type: ignore[attr-defined] # typer reads both
    return formed


def print_table(
    columns: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    title: str | None = None,
    spare: Sequence[str] = (),
    cut: str = "",
    text: Collection[str] = (),
    none: str = "",
    right: Collection[str] = (),
) -> None:
    """Print rows to stdout; None is shown as a dash, floats with sensible digits.

    Args:
        spare: columns that a terminal without room for all does without, the first of them first.
        cut: a column that ends where a terminal does.
        text: columns of sentences, which are broken where there is no room for them.
        none: is told beside the columns' names where there are no rows.
        right: columns that end where their names do.
    """
    names, values = [*columns], [[*row] for row in rows]
    if form.get() is Form.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *(map(_plain, row) for row in values)])
    else:
        _print_fitting(names, [[shown(value) for value in row] for row in values], (title, spare, {cut, *text}), cut, right)
    if none and not values:
        notice(none)


def _print_fitting(
    names: list[str],
    rows: list[list[str]],
    layout: tuple[str | None, Sequence[str], Collection[str]],
    cut: str,
    right: Collection[str],
) -> None:
    from rich.table import Table

    title, spare, text = layout
    target, kept = console(sys.stdout), [*range(len(names))]
    if is_narrow := target.is_terminal and form.get() is not Form.WIDE:
        kept = _fitting(names, [*_needs(names, rows, text)], spare, target.width)
    table = Table(box=None, pad_edge=False, title=title, title_justify="left", header_style="bold")
    for index in kept:
        _add_column(table, names[index], is_cut=names[index] == cut and is_narrow, is_right=names[index] in right)
    for row in rows:
        table.add_row(*(row[index] for index in kept))
    target.print(table)
    if len(kept) < len(names):
        notice(f"no room for {', '.join(name for index, name in enumerate(names) if index not in kept)}: {_ways()}")


def _add_column(table: Table, name: str, *, is_cut: bool, is_right: bool) -> None:
    """A narrow terminal breaks names, it never cuts them."""
    table.add_column(name, overflow="ellipsis" if is_cut else "fold", no_wrap=is_cut, justify="right" if is_right else "left")


def _needs(names: Sequence[str], rows: Sequence[Sequence[str]], text: Collection[str]) -> Iterator[int]:
    """Characters that each column needs for lines that are not broken; of sentences, so that they can be read."""
    from rich.cells import cell_len

    for index, name in enumerate(names):
        longest = max((cell_len(line) for row in rows for line in row[index].split("\n")), default=0)
        yield max(cell_len(name), min(longest, MIN_TEXT) if name in text else longest)


def _fitting(names: Sequence[str], needs: Sequence[int], spare: Sequence[str], room: int) -> list[int]:
    """Which columns there is room for.

    >>> _fitting(["queue", "peak", "job"], [8, 5, 6], ["job"], 20)
    [0, 1]
    """
    kept = [*range(len(names))]
    for name in spare:
        if sum(needs[index] + GAP for index in kept) - GAP <= room:
            break
        kept.remove(names.index(name))
    return kept


def _ways() -> str:
    return "a wider terminal, or --json" if form.get() is None else "--wide, --csv, --json"


def _plain(value: object) -> object:
    """A cell of CSV: no value is empty; a text that would be taken for a formula is quoted, unless it is a number."""
    if value is None or value == NOTHING:
        return ""
    if not isinstance(value, str):
        return value
    return value if _NUMBER.fullmatch(value) else cell(plain(value, keeps=LINES))

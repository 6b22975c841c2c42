"""How good a queue's forecasts have been, as people read it on a terminal."""

from __future__ import annotations

from shared.command.terminal import notice, print_table, say
from shared.domain.codec import Document

LEADS = ("forecasts", "steps", "wape", "mape", "bias", "coverage", "skill")
CHANCES = ("about", "days", "predicted_days", "happened_days", "expected_hours", "real_hours", "brier", "skill")


def print_accuracy(answer: Document) -> None:
    """By lead time, and whether chances have held."""
    columns = ("steps ahead", "forecasts", "steps", "WAPE %", "MAPE %", "bias", "in bounds %", "skill")
    rows = [(f"{lead['first_step']}–{lead['last_step'] or '…'}", *(lead[name] for name in LEADS)) for lead in answer["leads"]]
    print_table(columns, rows)
    if not rows:
        notice("nothing has been scored yet: a later job does it, as soon as it has read what happened")
    if levels := answer["chances"]["levels"]:
        columns = ("above, in a day", "days", "expected", "came", "hours expected", "came", "Brier", "skill")
        print_table(columns, [[level[name] for name in CHANCES] for level in levels])
        pit = answer["chances"]["peak_pit"]
        say(f"days' peaks by tenths of their forecast: {' '.join(map(str, pit))}")

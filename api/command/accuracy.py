"""How good a queue's forecasts have been, as people read it on a terminal."""

from __future__ import annotations

from shared.command.tables import print_table
from shared.command.terminal import notice, say, shown_time
from shared.domain.codec import Document
from shared.domain.wording import counted

LEADS = ("forecasts", "steps", "wape", "mape", "bias", "coverage", "skill")
CHANCES = ("about", "days", "predicted_days", "happened_days", "expected_hours", "real_hours", "brier", "skill")


def print_accuracy(answer: Document) -> None:
    """By lead time, and whether chances have held."""
    columns = ("steps ahead", "forecasts", "steps", "WAPE %", "MAPE %", "bias", "in bounds %", "skill")
    rows = [(f"{lead['first_step']}–{lead['last_step'] or '…'}", *(lead[name] for name in LEADS)) for lead in answer["leads"]]
    print_table(columns, rows)
    if not rows:
        notice("nothing has been scored yet: a later job does it, as soon as it has read what happened")
    _print_chances(answer["chances"])


def print_pooled(answer: Document) -> None:
    """Whether chances have held, over all queues."""
    _print_chances(answer["chances"])
    verdict = answer["calibration"]
    if verdict is None or verdict["error"] is None:
        notice("nothing has been scored yet: a later job does it, as soon as it has read the first day of a forecast")
        return
    off = f"off by {verdict['error']:.2f} on average, over {counted(verdict['days'], 'day')} of queues"
    if verdict["lost_at"]:
        say(f"chances do not hold ({off}) and are told in words since {shown_time(verdict['lost_at'])}")
    else:
        say(f"chances hold: {off}")


def _print_chances(chances: Document) -> None:
    if levels := chances["levels"]:
        columns = ("above, in a day", "days", "expected", "came", "hours expected", "came", "Brier", "skill")
        print_table(columns, [[level[name] for name in CHANCES] for level in levels])
        say(f"days' peaks by tenths of their forecast: {' '.join(map(str, chances['peak_pit']))}")

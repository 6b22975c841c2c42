"""What the shell's completion offers: names and ids as the service has them.

It is asked once, for a moment; where it does not answer, or refuses, nothing is offered and nothing is said.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from operator import itemgetter

import typer

from api.command.service import DEFAULT_URL, connect
from shared.domain.codec import Document

PATIENCE_SECONDS = 1.0  # somebody waits at the keyboard
MAX_OFFERED = 100
Offer = tuple[str, str]  # what is put in, and what is told beside it
Offering = Callable[[typer.Context, str], list[Offer]]


def _offered(path: str, of: Callable[[Document], Iterable[Offer]], **query: object) -> Offering:
    """Offers what an answer holds and begins as was typed."""

    def offer(context: typer.Context, incomplete: str) -> list[Offer]:
        url = context.params.get("url") or os.environ.get("QUEUECAST_URL") or DEFAULT_URL
        try:
            with redirect_stderr(io.StringIO()):
                answer = connect(url, patience_seconds=PATIENCE_SECONDS).get(path, **query)
                found = dict(of(answer))
        except Exception:  # noqa: BLE001 - whatever it is, a message in the middle of a line that is typed helps nobody
            return []
        return [each for each in found.items() if each[0].startswith(incomplete)][:MAX_OFFERED]

    return offer


def _rows(name: str, key: str, *about: str) -> Callable[[Document], Iterable[Offer]]:
    """Of each row of a list its key, and what tells it from others."""

    def offers(answer: Document) -> Iterable[Offer]:
        return ((row[key], ", ".join(filter(None, map(row.get, about)))) for row in answer[name])

    return offers


def _parents(answer: Document) -> Iterable[Offer]:
    leaves = {queue["queue"] for queue in answer["queues"]} - {queue["parent"] for queue in answer["queues"]}
    return ((queue["queue"], "") for queue in sorted(answer["queues"], key=itemgetter("queue")) if queue["queue"] not in leaves)


offer_jobs = _offered("jobs", _rows("jobs", "job_id", "state", "job_name"), limit=MAX_OFFERED)
offer_queues = _offered("queues", _rows("queues", "queue"))
offer_tree = _offered("tree", _rows("queues", "queue"))
offer_parents = _offered("tree", _parents)
offer_decisions = _offered("decisions", _rows("decisions", "decision_id", "state", "sentence"), limit=MAX_OFFERED)
offer_schedules = _offered("schedules", _rows("schedules", "schedule_id", "name"))
offer_aliases = _offered("aliases", _rows("aliases", "new"))

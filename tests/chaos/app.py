"""The workers' Celery application for chaos: further models, short limits, and points at which a process kills itself.

A point is a file `<data folder>/points/<name>` that holds a number n: for whoever passes it as the n-th the file is taken away
and the fault happens. So it happens exactly where a test wants it, and once: death by SIGKILL before and after a message is sent
or a proposal is kept, and no memory left at the beginning of a step.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from shared.config.settings import load_settings
from shared.fleet import broker
from tests.chaos import models
from tests.chaos.names import CURSED
from worker.fleet import signals
from worker.job import deciding, steps

if os.environ.get("CHAOS_WITHOUT_SHIM"):
    broker.prepare_channels = lambda: None
from worker.app import app

__all__ = ["app", "models"]

SOFT_SECONDS, HARD_SECONDS = map(int, os.environ.get("CHAOS_LIMITS", "4,6").split(","))

signals.PRELOADED.clear()  # a worker that is killed every few seconds should be back soon
app.conf.update(task_soft_time_limit=SOFT_SECONDS, task_time_limit=HARD_SECONDS)
_POINTS = load_settings().data_dir / "points"
_send, _score, _make_known = app.amqp.send_task_message, steps.score_candidate, deciding.make_known


def is_due(point: str) -> bool:
    """Whether somebody wants the fault here and now."""
    file = _POINTS / point
    with suppress(FileNotFoundError, ValueError):
        left = int(file.read_text()) - 1
        if left == 0:
            file.unlink()
            return True
        file.write_text(str(left))
    return False


def _send_past_points(producer: Any, name: str, message: Any, **options: Any) -> Any:
    if is_due(f"before.{name}"):
        os.kill(os.getpid(), signal.SIGKILL)
    sent = _send(producer, name, message, **options)
    if is_due(f"after.{name}"):
        os.kill(os.getpid(), signal.SIGKILL)
    return sent


def _short_of_memory(step: str) -> Callable[..., Any]:
    original = getattr(steps, step)

    def begin(*arguments: Any, **options: Any) -> Any:
        if is_due(f"memory.{step}"):
            raise MemoryError
        return original(*arguments, **options)

    return begin


def _score_unless_cursed(candidate: Any, windows: Any, spec: Any, **options: Any) -> Any:
    if windows[0].actual.max() > CURSED:
        raise ValueError("cursed")
    return _score(candidate, windows, spec, **options)


def _make_known_past_points(*arguments: Any) -> bool:
    if is_due("before.make_known"):
        os.kill(os.getpid(), signal.SIGKILL)
    is_new = _make_known(*arguments)
    if is_due("after.make_known"):
        os.kill(os.getpid(), signal.SIGKILL)
    return is_new


app.amqp.send_task_message = _send_past_points
deciding.make_known = _make_known_past_points
steps.score_candidate = _score_unless_cursed
for step in ("plan", "ingest", "select"):
    setattr(steps, step, _short_of_memory(step))

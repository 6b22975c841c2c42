"""The workers' Celery application for chaos: further models, short limits, and points at which a process kills itself.

A point is a file `<data folder>/points/<name>` that holds a number n: the n-th process that passes it takes the file away and
dies by SIGKILL. So a fault happens exactly where a test wants it, and once.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from shared.settings import load_settings
from tests.chaos import models
from worker import signals, steps
from worker.app import app

__all__ = ["app", "models"]

SOFT_SECONDS, HARD_SECONDS = 4, 6

signals.PRELOADED.clear()  # a worker that is killed every few seconds should be back soon
app.conf.update(task_soft_time_limit=SOFT_SECONDS, task_time_limit=HARD_SECONDS)
_POINTS = load_settings().data_dir / "points"
_send, _score = app.amqp.send_task_message, steps.score_candidate


def pass_point(name: str) -> None:
    """Die here if somebody wants it."""
    point = _POINTS / name
    with suppress(FileNotFoundError, ValueError):
        left = int(point.read_text()) - 1
        if left > 0:
            point.write_text(str(left))
            return
        point.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _send_past_points(producer: Any, name: str, message: Any, **options: Any) -> Any:
    pass_point(f"before.{name}")
    sent = _send(producer, name, message, **options)
    pass_point(f"after.{name}")
    return sent


def _score_unless_cursed(candidate: Any, windows: Any, spec: Any, **options: Any) -> Any:
    if windows[0].actual.max() > models.CURSED:
        raise ValueError("cursed")
    return _score(candidate, windows, spec, **options)


app.amqp.send_task_message = _send_past_points
steps.score_candidate = _score_unless_cursed

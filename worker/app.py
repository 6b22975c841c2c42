"""The workers' entry point: `celery --app worker.app worker`. Importing it is what starts a worker's world."""

from __future__ import annotations

import structlog

from shared.config.data_folder import keep_private, open_data_folder
from shared.config.settings import load_settings
from shared.config.settings_file import SettingsFile
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import make_celery
from shared.telemetry.logs import configure_logs
from worker.fleet import signals, tasks
from worker.fleet.event_batches import EventBatches
from worker.fleet.pulse import Pulse
from worker.job.resources import Resources, provide

__all__ = ["app", "signals", "tasks"]  # imported for what they register with Celery

keep_private()
settings = load_settings()
configure_logs(settings.log_level)
if note := open_data_folder(settings):
    structlog.get_logger(__name__).warning(note)
provide(Resources(settings, file=SettingsFile()))
app = make_celery(redis_server(settings), "worker", settings.task_limits)
app.steps["consumer"].update((Pulse, EventBatches))

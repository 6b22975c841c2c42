"""The workers' entry point with the benchmark's models: `celery --app tests.bench.worker_app worker`."""

from __future__ import annotations

from tests.bench import models
from worker.app import app

__all__ = ["app", "models"]

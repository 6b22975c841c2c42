"""What gunicorn logs, in the same JSON lines as everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from shared.logs import configure_logs


class GunicornLogs(Logger):  # type: ignore[misc]
    """Given to gunicorn as its `--logger-class`."""

    def setup(self, cfg: Any) -> None:
        """Hand both of gunicorn's logs to the root logger."""
        super().setup(cfg)
        configure_logs(cfg.loglevel.upper())
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:  # noqa: ARG002 - gunicorn's
        """One line per request, under the id that the answer carries; without the query, which may hold names of people."""
        told = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "status": resp.status_code}
        more = {"seconds": round(request_time.total_seconds(), 3), "request_id": dict(resp.headers).get("X-Request-ID")}
        self.access_log.info("request", extra=told | more)

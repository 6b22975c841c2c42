"""Logs as JSON lines: when, what, who says it, and whom it is about (job, request, queue, model). Never a secret.

Everything that logs through the standard library (Celery, waitress, werkzeug) comes out the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from shared.telemetry.said_once import LIBRARIES, SaidOnce

AUDIT = "queuecast.audit"  # the logger of who changed what; it speaks at every level
MAX_AUDITED = 200  # characters of an id that came from outside

_STARS = "**********"
_URL_CREDENTIALS = re.compile(r'(\w://)[^\s/"]*@')  # the quote ends a JSON text; "@" itself may stand in a password
_SECRET_NAME = re.compile(r"password|secret|token|authorization|cookie|api_key", re.IGNORECASE)
_CHATTY = (  # at INFO and below they describe themselves, not us; that a task was received is said twice with its end
    *("asyncio", "celery.worker.strategy", "fsspec", "matplotlib", "pymongo", "urllib3"),
)

_ONCE = SaidOnce()  # one a process


class _CommandLines(logging.StreamHandler[TextIO]):
    """The lines of a command. One of audit that cannot be written stops it: nothing is done without a trace."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Deal with the exception that is being handled."""
        if record.name == AUDIT and (error := sys.exception()):
            raise error
        super().handleError(record)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (default: stdout); may be called again.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        stream: stderr for commands whose stdout is their answer.
    """
    chain = _chain()
    handler = _CommandLines(stream) if stream else logging.StreamHandler(sys.stdout)
    written = _to_words if stream and stream.isatty() else _to_line
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, written]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=chain))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    _quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *chain,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _quieten() -> None:
    """Keep libraries from saying what is not about us, or twice."""
    for name in LIBRARIES:
        logging.getLogger(name).addFilter(_ONCE)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(AUDIT).setLevel(logging.INFO)
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it calls it an error that we have no library for plots


def _chain() -> list[Processor]:
    """What happens to every line, ours and a library's."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _hide_named_secrets,
    ]


def log_about(
    *,
    job_id: str | None = None,
    request_id: str | None = None,
    queue: str | None = None,
    model: str | None = None,
    decision_id: str | None = None,
) -> AbstractContextManager[None]:
    """Put the given ids into every line that is logged inside the `with` block, in this thread."""
    ids = {"job_id": job_id, "request_id": request_id, "queue": queue, "model": model, "decision_id": decision_id}
    return structlog.contextvars.bound_contextvars(**{name: value for name, value in ids.items() if value is not None})


def audit(what: str, *, who: str, name: str, source: str, outcome: object, **about: object) -> None:
    """Say who changed what, from where, and what came of it.

    A line like all others: JSON, so that nothing in it can make a second one. It is written at every log level.

    Args:
        what: the operation, such as `submit_job`.
        who: id of the token, "local" or "nobody"; on the command line the user of the system.
        name: of the token.
        source: the address that it came from.
        outcome: the status of the answer.
        about: ids of what was changed; a secret is not among them.
    """
    ids = {key: str(value)[:MAX_AUDITED] for key, value in about.items()}
    structlog.get_logger(AUDIT).info("audit", what=what, who=who, name=name, source=source, outcome=outcome, **ids)


def _hide_named_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {name: _STARS if _is_secret(name) else value for name, value in event.items()}


@lru_cache(maxsize=1_024)  # the same few names in every line
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _to_words(logger: object, method: str, event: EventDict) -> str:
    """What a person did, for that person's terminal: `audit: create_token by root, a592f9767a ci write: done`. Else a line."""
    if event.get("logger") != AUDIT:
        return _to_line(logger, method, event)
    known = ("what", "who", "name", "source", "outcome", "event", "level", "logger", "timestamp")
    about = " ".join(str(value) for key, value in event.items() if key not in known)
    return "".join(filter(str.isprintable, f"audit: {event['what']} by {event['who']}, {about}: {event['outcome']}"))


def _to_line(logger: object, method: str, event: EventDict) -> str:
    """One JSON object; credentials inside any URL, however deep it stands, become stars."""
    line = str(structlog.processors.JSONRenderer()(logger, method, event))
    return _URL_CREDENTIALS.sub(rf"\1{_STARS}@", line)

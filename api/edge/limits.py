"""Rate limits: how often a token, or an address without one, may ask; counted on the broker's server, by all API processes.

While that server is away each process counts for itself. Without any token this machine asks as often as it likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from flask import Flask, Response, request
from flask_limiter import ApplicationLimit, HeaderNames, Limiter

from api.edge.context import Services
from api.edge.identity import has_tried, is_reading, known_caller
from api.edge.policy import current_policy
from shared.config.settings import Settings
from shared.drivers.redis_server import counting_on, redis_server
from shared.errors import BrokerAway

FREE_IN = "X-RateLimit-Free-In"
TOO_MANY = 429
NOWHERE = "nowhere"  # stands for the endpoint of unknown addresses and methods

log = structlog.get_logger(__name__)


def register(app: Flask, services: Services) -> None:
    """Limit the requests of this application; to be called when it is known who asks, before strangers are refused."""
    limits = list(_limits(services.settings))
    if not limits:
        return
    place, options = _storage(services)
    limiter = Limiter(
        _who,
        application_limits=limits,  # type: ignore[arg-type] # its own class of limits is meant, as its documentation shows
        strategy="moving-window",
        storage_uri=place,
        storage_options=options,
        in_memory_fallback_enabled=True,
        headers_enabled=True,
        header_name_mapping={HeaderNames.RETRY_AFTER: FREE_IN},
        key_prefix="queuecast",
        request_identifier=lambda: request.endpoint or NOWHERE,  # requests without a name are not counted
    )
    limiter.request_filter(_is_free)
    app.after_request(_say_when)  # Flask runs these in reverse order: the limiter's, registered next, comes before
    limiter.init_app(app)


def _limits(settings: Settings) -> Iterator[ApplicationLimit]:
    if settings.rate_limit != "off":
        yield ApplicationLimit(settings.rate_limit, scope="all")
    if settings.write_rate_limit != "off":
        yield ApplicationLimit(settings.write_rate_limit, scope="writes", exempt_when=is_reading)
    if settings.failure_rate_limit != "off":
        yield ApplicationLimit(
            settings.failure_rate_limit, scope="failures", key_function=_address, exempt_when=lambda: not has_tried()
        )


def _storage(services: Services) -> tuple[str, dict[str, Any]]:
    """Where to count: on the broker's server; in memory for a process that starts before the embedded broker."""
    try:
        return counting_on(redis_server(services.settings))
    except BrokerAway as error:
        services.outages.met(error)
        log.info("requests are counted by this process alone, as long as it lives")
        return "memory://", {}


def _say_when(answer: Response) -> Response:
    """Set Retry-After on 429 only; a 503 has one of its own."""
    seconds = answer.headers.pop(FREE_IN, None)
    if answer.status_code == TOO_MANY and seconds is not None:
        answer.headers["Retry-After"] = seconds
    return answer


def _is_free() -> bool:
    policy, who = current_policy(), known_caller()
    return (policy is not None and not policy.is_limited) or (who is not None and who.is_local)


def _who() -> str:
    who = known_caller()
    return who.caller_id if who is not None else _address()


def _address() -> str:
    return request.remote_addr or "unknown"

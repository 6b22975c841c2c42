"""Forwarded headers: used when a trusted proxy has sent them, removed when anybody else has.

A proxy is known by its address (QUEUECAST_PROXY_ADDRESSES). Of its headers X-Forwarded-For and X-Forwarded-Proto count, as many
steps back as there are proxies (QUEUECAST_TRUSTED_PROXIES); the host is always that of the header Host, and there is no prefix.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from werkzeug.middleware.proxy_fix import ProxyFix

from api.edge.sparing import SparingLog
from shared.config.settings import Settings

FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_", "HTTP_X_REAL_IP", "HTTP_X_SCRIPT_NAME", "HTTP_SCRIPT_NAME")  # how they begin

sparing = SparingLog(structlog.get_logger(__name__))


def is_proxy(host: str, settings: Settings) -> bool:
    """Whether the address is one of a trusted proxy."""
    if not settings.trusted_proxies:
        return False
    address = _address(host)
    return address is not None and any(address in network for network in settings.proxy_addresses)


def behind_proxies(application: WSGIApplication, settings: Settings) -> WSGIApplication:
    """The application with the right REMOTE_ADDR: the client of a trusted proxy, or whoever has connected."""
    steps = settings.trusted_proxies
    believing = ProxyFix(_of_known_address(application), x_for=steps, x_proto=steps)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if is_proxy(peer, settings):
            return believing(environ, start_response)
        claims = [name for name in environ if name.startswith(FORWARDED)]
        for name in claims:
            del environ[name]
        if claims and steps:
            sparing.warning("forwarded headers are not believed: not from one of QUEUECAST_PROXY_ADDRESSES", address=peer)
        return application(environ, start_response)

    return answer


def _of_known_address(application: WSGIApplication) -> WSGIApplication:
    """The application with a valid REMOTE_ADDR: ProxyFix takes any text for an address, and some proxies add a port."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        named = _address(environ["REMOTE_ADDR"])
        environ["REMOTE_ADDR"] = str(named) if named else environ["werkzeug.proxy_fix.orig"]["REMOTE_ADDR"]
        return application(environ, start_response)

    return answer


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address in `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]:80`; None = it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

"""Addresses of machines: which of them reach no further than this one, and which names a browser may have been led here by."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from shared.errors import SetupError


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address, or has sent from it."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


STARS = "**********"  # as pydantic shows a secret


@contextmanager
def having_address(option: str, host: str, port: int, *, hint: str = "") -> Iterator[None]:
    """Who cannot listen there raises SetupError. `option`: which named the port; `hint`: what else one may do."""
    try:
        yield
    except OSError as error:
        raise SetupError(f"{option} {port} on {host} cannot be had ({error.strerror or error}); name another{hint}") from error


def host_of(header: str) -> str:
    """The name or address in a Host header, without its port; "" for one that holds neither."""
    try:
        return (urlsplit(f"//{header}").hostname or "") if header.isprintable() and "@" not in header else ""
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    """Whether it is an IP address: no page can lead a browser here by a name of its own (DNS rebinding)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def masked_url(url: str) -> str:
    """A path as it is; of any other URL only what cannot be secret: no user, no password, no options."""
    if url.startswith("sqlite:"):
        return url
    scheme, is_url, rest = url.partition("://")
    user, _, address = rest.rpartition("@")
    return f"{scheme}://{STARS + '@' if user else ''}{address.partition('?')[0]}" if is_url else STARS

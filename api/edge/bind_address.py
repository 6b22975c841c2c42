"""Where the service may listen: on this machine alone while no token exists, anywhere once there is one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from shared.config.addresses import having_address, is_address, is_loopback
from shared.config.data_folder import is_noted, token_note
from shared.errors import SetupError, StoreAway

if TYPE_CHECKING:
    from shared.config.settings import Settings

OPEN = "no token exists, so everybody on this machine may do everything; `queuecast token create` ends that"


def check_address(host: str, settings: Settings, tell: Callable[[str], None]) -> str:
    """What a person should know of who will be let in; "" = nothing, tokens exist. Raises SetupError: others could, without any.

    A store of a release before is led on first, and how far that is goes to `tell`: no request could wait so long. A store that
    is away is no reason not to start: the service itself lets nobody in before it has asked.
    """
    from shared.store import lead_on

    if (":" in host or host.rpartition(".")[2].isdigit()) and not is_address(host):
        raise SetupError(f"--host {host} is no address; accepted is one of this machine, such as 127.0.0.1 or ::1")
    try:
        lead_on(settings.store_location, tell)
        has_tokens = is_noted(token_note(settings)) or _has_tokens(settings.store_location)
    except StoreAway as error:
        return f"{error}; nobody is let in before it says which tokens there are"
    if not has_tokens and not is_loopback(host):
        raise SetupError(
            f"--host {host}: others could reach it and no token exists; make one with `queuecast token create`, "
            "or listen on a loopback address"
        )
    return "" if has_tokens else OPEN


def bind(host: str, port: int) -> socket.socket:
    """A socket with this address, on which nobody listens yet; raises SetupError when it cannot be had."""
    with having_address("--port", host, port), ExitStack() as on_failure:
        sock = on_failure.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        on_failure.pop_all()
    return sock


def _has_tokens(store_url: str) -> bool:
    from shared.store import is_new, open_store

    if is_new(store_url):
        return False  # looking into it would make it
    with closing(open_store(store_url)) as store:
        return store.tokens.were_made()

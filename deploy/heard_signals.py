"""Signals as something that a process waits for, whichever of its threads the system gives them to."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def heard(*numbers: signal.Signals) -> Iterator[Callable[[], int]]:
    """Gives what waits for the next of these signals, and tells which one came; inside they do nothing else.

    `sigwait` would need them to be blocked before there is any thread, and libraries start some of their own.
    """
    ours, written = socket.socketpair()
    written.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    descriptor = signal.set_wakeup_fd(written.fileno())
    try:
        yield lambda: ours.recv(1)[0]
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        written.close()

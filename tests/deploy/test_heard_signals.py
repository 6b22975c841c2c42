"""A signal is heard also where another thread than the one that waits is given it."""

from __future__ import annotations

import signal
from threading import Thread

from deploy.heard_signals import heard


def test_a_signal_that_another_thread_is_given_is_heard_and_does_nothing_else() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    told: list[int] = []

    def send() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.raise_signal(signal.SIGUSR1)  # to this very thread

    with heard(signal.SIGUSR1, signal.SIGUSR2) as next_signal:
        for _ in range(2):
            thread = Thread(target=send)
            thread.start()
            told.append(next_signal())
            thread.join()
        signal.raise_signal(signal.SIGUSR2)
        assert [*told, next_signal()] == [signal.SIGUSR1, signal.SIGUSR1, signal.SIGUSR2]
    assert signal.getsignal(signal.SIGUSR1) is before

"""What was computed last, as long as all of it fits in a room: whoever asks again need not compute it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, of one process; threads may share it. Nobody changes a value that was remembered.

    >>> squares = Remembered[int](room=2)
    >>> [squares.get(number, lambda number=number: number**2, size=lambda value: 1) for number in (1, 2, 3)]
    [1, 4, 9]
    >>> len(squares)
    2
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._taken = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value of this key, made where it is not known; those that nobody has asked for longest go for it.

        Args:
            size: of a value, in what the room is counted in; a value larger than the room is not kept.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()  # two threads at once both do, and get the same
        with self._lock:
            self._taken -= self._kept.pop(key, (value, 0))[1]
            self._kept[key] = value, size(value)
            self._taken += self._kept[key][1]
            while self._taken > self._room:
                self._taken -= self._kept.popitem(last=False)[1][1]
        return value

"""How old a remembered answer of the store may be, and what counts while the store is away."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from api.edge.remembered import LIFE_SECONDS, STALE_SECONDS, Remembered
from shared.errors import StoreAway


@dataclass
class Place:
    """A store of texts that counts how often it is read, may go away, and has a clock of its own."""

    texts: dict[str, str] = field(default_factory=dict)
    seconds: float = 1_000.0
    reads: int = 0
    is_away: bool = False

    def read(self, key: str) -> str | None:
        self.reads += 1
        if self.is_away:
            raise StoreAway("as told")
        return self.texts.get(key)


@pytest.fixture
def place() -> Place:
    return Place({"a": "old"})


@pytest.fixture
def remembered(place: Place) -> Remembered[str]:
    return Remembered(place.read, lambda: place.seconds)


def test_one_read_is_good_for_all_requests_of_its_time(place: Place, remembered: Remembered[str]) -> None:
    assert [remembered.get("a") for _ in range(10)] == ["old"] * 10
    assert place.reads == 1
    place.texts["a"] = "new"
    place.seconds += LIFE_SECONDS - 0.5
    assert (remembered.get("a"), remembered.get("a", 0.25)) == ("old", "new")


def test_what_is_not_there_is_looked_for_each_time(place: Place, remembered: Remembered[str]) -> None:
    assert remembered.get("b") is None
    place.texts["b"] = "new"
    assert remembered.get("b") == "new"


def test_while_the_store_is_away_its_last_answer_counts_and_few_requests_ask_it(
    place: Place, remembered: Remembered[str]
) -> None:
    remembered.get("a")
    place.is_away, place.reads = True, 0
    place.seconds += LIFE_SECONDS
    assert [remembered.get("a") for _ in range(10)] == ["old"] * 10
    assert place.reads == 1
    place.seconds += STALE_SECONDS
    with pytest.raises(StoreAway):
        remembered.get("a")
    place.is_away = False
    assert remembered.get("a") == "old"


def test_what_is_forgotten_while_it_is_read_is_not_remembered(place: Place) -> None:
    def read(key: str) -> str | None:
        text = place.read(key)
        if place.reads == 1:
            del place.texts[key]
            remembered.forget(key)
        return text

    remembered: Remembered[str] = Remembered(read, lambda: place.seconds)
    assert (remembered.get("a"), remembered.get("a")) == ("old", None)

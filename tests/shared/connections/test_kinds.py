"""What a kind of connection says of itself, and what becomes of that in requests and records."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import SecretStr

from shared.config.connection import Connection, PlaceField, kinds, place_form
from shared.connections.mongodb import MongodbConnection
from shared.domain.codec import from_json, to_json
from shared.domain.jobs import DataPlaces
from shared.domain.places import Place
from shared.domain.texts import SHORT
from shared.errors import InvalidRequest


class Shelf(Connection):
    """A made-up kind, only read."""

    asks: ClassVar = {"path": PlaceField(accepts=Annotated[str, SHORT])}

    kind: Literal["shelf"] = "shelf"


def test_a_kind_is_not_used_in_a_role_that_it_does_not_have() -> None:
    Shelf().check_place(Place(name="s", path="x"), "source")
    with pytest.raises(InvalidRequest, match="s is no destination: a connection of kind shelf"):
        Shelf().check_place(Place(name="s"), "destination")


def test_kinds_that_ask_for_a_name_accept_the_same_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(place_form()) == {name for kind in kinds for name in kinds[kind].asks}
    monkeypatch.setitem(kinds._classes, "shelf", Shelf)
    with pytest.raises(TypeError, match=r"files, .*shelf, .*ask for 'path' and do not accept the same"):
        place_form()


def test_a_second_class_of_one_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'files' is registered twice in shared\.connections"):
        kinds.register("files")(Shelf)


def test_each_kind_says_for_itself_what_a_name_means(monkeypatch: pytest.MonkeyPatch) -> None:
    box = type("Box", (Shelf,), {"asks": {"path": replace(kinds["files"].asks["path"], hint="of a box")}})
    monkeypatch.setitem(kinds._classes, "box", box)
    field: Any = place_form()["path"][1]
    assert "box, source: of a box; files" in field.description


def test_what_a_kind_says_of_a_place_stands_beside_the_name_in_records() -> None:
    table = Place(name="sql", database="yarn", others={"table": "usage"})
    places = DataPlaces(source=(table, Place(name="files")), destination=table)
    assert '"path":null,"table":"usage"' in to_json(places)
    assert from_json(DataPlaces, to_json(places)) == places
    assert table.given == {"database": "yarn", "table": "usage"}


def test_a_place_of_an_older_record_is_read() -> None:
    old = '{"name":"m","database":null,"collection":"c","document":null,"measurement":null,"path":null}'
    assert from_json(Place, old) == Place(name="m", collection="c")
    assert to_json(Place(name="m", collection="c")) == old


def test_a_place_that_says_too_little_or_what_no_kind_knows_is_refused() -> None:
    mongo = MongodbConnection(url=SecretStr("mongodb://localhost/yarn"))
    with pytest.raises(InvalidRequest, match="a source of kind mongodb needs collection"):
        mongo.check_place(Place(name="m"), "source")
    with pytest.raises(InvalidRequest, match="has no table; accepted: collection, document, database"):
        mongo.check_place(Place(name="m", collection="c", others={"table": "t"}), "source")

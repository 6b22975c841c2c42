"""A made-up kind of connection: waves of a shape that requests name, and a file that takes forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from shared.config.connection import BOTH, Connection, Look, PlaceField, Role, kinds
from shared.domain.places import Place
from shared.domain.texts import Text
from shared.errors import InvalidRequest

Shape = Annotated[str, Text("[a-z]+", 20, "small letters")]


@kinds.register("waves")
class WavesConnection(Connection):
    """As a source, a queue of one height; as a destination, a line a forecast."""

    roles = BOTH
    asks: ClassVar = {"shape": PlaceField(accepts=Shape, is_needed=True, roles=("source",), hint="sine or square")}

    kind: Literal["waves"] = "waves"
    height: float = Field(50, gt=0)
    key: SecretStr
    taken: Path

    def check_reach(self, place: Place, role: Role) -> None:
        if role == "source" and place.given["shape"] not in {"sine", "square"}:
            raise InvalidRequest("accepted are sine, square", field="data.source.shape")

    def look(self, _name: str) -> Look:
        return Look(detail=f"{self.height:g} high")

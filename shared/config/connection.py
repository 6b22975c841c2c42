"""A connection: a source or sink that an administrator has configured, and what every kind of them says of itself.

A kind is one file in shared/connections: a subclass, found by its name. Nothing else lists the kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from shared.domain.places import Place
from shared.domain.registry import Registry
from shared.domain.samples import Aggregation
from shared.domain.texts import ClusterName
from shared.domain.wording import matching
from shared.errors import (
    CredentialsRefused,
    DataError,
    ExtraMissing,
    InvalidRequest,
    InvalidSettings,
    QueuecastError,
    ServiceError,
    SourceNotFound,
)

Role = Literal["source", "destination"]
BOTH: tuple[Role, ...] = ("source", "destination")


class State(Enum):
    """How a connection was when it was looked at, and what its administrator could do about that."""

    WELL = ""
    AWAY = "wait until it answers"  # what that means is told by its kind
    REFUSED = "mend its credentials, or what they may do there"
    MISSING = "make it there, or correct the connection"
    UNFIT = "correct the connection"


STATES: dict[type[QueuecastError], State] = {
    ServiceError: State.AWAY,
    CredentialsRefused: State.REFUSED,
    SourceNotFound: State.MISSING,
    InvalidSettings: State.UNFIT,
    InvalidRequest: State.UNFIT,  # it leads to our own store
    DataError: State.UNFIT,  # what answers there is something else
    ExtraMissing: State.UNFIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a connection has shown: `detail` in words for people, `advice` what they could do."""

    state: State = State.WELL
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceField:
    """What a request says of a place beside the connection's name.

    accepts: which texts, as pydantic has it: `Annotated[str, …]`. Kinds that share a field's name share this, too.
    """

    accepts: Any
    is_needed: bool = False
    roles: tuple[Role, ...] = BOTH
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is forecast of places of a kind where nobody says it."""

    target: str = "used_capacity"
    aggregation: Aggregation = Aggregation.MEAN


class Connection(BaseModel):
    """What requests may name. A kind adds its fields, credentials as `SecretStr`, and says what it is in the class variables.

    roles: whether it is a source, a destination or both; for each there is a class in worker/sources or worker/sinks.
    asks: what a request says of a place there, by name.
    meant: what a request means whose first source is of this kind, where it does not say it.
    when_away: what becomes of its work while it is away.
    takes_samples: whether a collector may keep there what it sees of clusters.
    taken_from: field → the setting that fills it. When the first of them is set, there is a connection with the kind's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: ClassVar[tuple[Role, ...]] = ("source",)
    asks: ClassVar[Mapping[str, PlaceField]] = {}
    meant: ClassVar[Meant] = Meant()
    when_away: ClassVar[str] = "jobs over it wait until it answers, up to their deadline"
    takes_samples: ClassVar[bool] = False
    taken_from: ClassVar[Mapping[str, str]] = {}

    kind: str
    cluster: ClusterName = Field("", description="whose queues it has; part of what a queue is")
    projects: tuple[str, ...] | None = Field(None, description="whose jobs may use it; none given = all")

    def serves(self, *projects: str) -> bool:
        """Whether jobs of one of these projects may use it; "" = jobs of no project."""
        return self.projects is None or any(project in self.projects for project in projects)

    @property
    def keeps_at(self) -> str:
        """Name of the connection at which is kept what is collected of this one; "" = nothing is."""
        return ""

    def without(self, keepers: Sequence[Connection]) -> Self:  # noqa: ARG002 - nothing is kept at the others
        """The same for a project for which it is not there what is collected and kept at these, which may be this one."""
        return self

    def of_project(self, project: str) -> Self:  # noqa: ARG002 - the others are the same for all
        """The same as it is for the jobs of a project."""
        return self

    @classmethod
    def asks_of(cls, role: Role) -> dict[str, PlaceField]:
        """What a request says of a place in this role; nothing where there is none."""
        return {name: field for name, field in cls.asks.items() if role in cls.roles and role in field.roles}

    def check_place(self, place: Place, role: Role) -> None:
        """Asked when a job is taken, and again where a worker connects: a schedule may come after the lists have changed.

        Raises:
            InvalidRequest: the place says too little or too much, or lies beyond what may be reached; with what is accepted.
        """
        this, fields = f"a {role} of kind {self.kind}", self.asks_of(role)
        if role not in self.roles:
            raise InvalidRequest(f"{place.name} is no {role}: a connection of kind {self.kind}", field=f"data.{role}.name")
        for name, field in fields.items():
            if field.is_needed and name not in place.given:
                raise InvalidRequest(f"{this} needs {name}", field=f"data.{role}.{name}")
        for name in place.given:
            if name not in fields:
                accepted = ", ".join(fields) or "nothing but name"
                raise InvalidRequest(f"{this} has no {name}; accepted: {accepted}", field=f"data.{role}.{name}")
        self.check_reach(place, role)

    def check_reach(self, place: Place, role: Role) -> None:
        """Whether this place may be read, or written to; raises InvalidRequest with what may."""

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - the others have places
        """Where the place is: what has one of these in common is the same. No credentials, none of our own folder's path."""
        return frozenset()

    def every_address(self, name: str, data_dir: Path) -> frozenset[str]:
        """All that its places may lead to, whether or not they name a database."""
        return self.leads_to(Place(name=name), data_dir) | self.leads_to(Place(name=name, database=""), data_dir)

    def look(self, name: str) -> Look:  # noqa: ARG002 - the others say their name in errors
        """What `queuecast doctor` sees there; raises SourceAway, CredentialsRefused, SourceNotFound, InvalidSettings."""
        return Look(detail="is not looked at")

    def let_go(self) -> None:
        """Close what this process has open for it: it was changed or removed, and none of its work goes on here."""

    def trespass(self, data_dir: Path) -> str:  # noqa: ARG002 - only files lie beside ours
        """What of our own it would give away, in words; "" = nothing."""
        return ""

    def clash(self, name: str, every: Mapping[str, Connection]) -> str:  # noqa: ARG002 - most stand for themselves
        """What of it does not fit to the other connections, in words; "" = nothing. `every`: by name, itself among them."""
        return ""


def look_at(name: str, connection: Connection) -> Look:
    """What a look at the connection shows, whatever becomes of it."""
    try:
        return connection.look(name)
    except QueuecastError as error:
        state = next((state for family, state in STATES.items() if isinstance(error, family)), None)
        if state is None:
            raise
        return Look(state=state, detail=str(error), advice=connection.when_away if state is State.AWAY else state.value)


def faults_in(every: Mapping[str, Connection], data_dir: Path) -> list[str]:
    """Which of all connections would give away what is ours, or do not fit to the others, with why."""
    found = ((name, each.trespass(data_dir) or each.clash(name, every)) for name, each in every.items())
    return [f"the connection {name} {fault}" for name, fault in found if fault]


kinds: Registry[Connection] = Registry("shared.connections", InvalidSettings)


def _of_its_kind(given: object) -> object:
    """The connection, checked by the class of its kind."""
    if not isinstance(given, Mapping):
        return given
    if (kind := str(given.get("kind"))) not in kinds:
        raise ValueError(f"its kind is not accepted; accepted are {', '.join(kinds)}")
    return kinds[kind].model_validate(given)


ConnectionName = Annotated[
    str, AfterValidator(matching("[a-z][a-z0-9_-]{0,62}", "small letters, digits, - and _, beginning with a letter"))
]
AnyConnection = Annotated[SerializeAsAny[Connection], BeforeValidator(_of_its_kind)]


def place_form() -> dict[str, tuple[object, object]]:
    """What all kinds ask of a place, as the fields of a form: name → the values and their description."""
    asked: dict[str, dict[str, PlaceField]] = {}
    for kind in kinds:
        for name, field in kinds[kind].asks.items():
            asked.setdefault(name, {})[kind] = field
    return {name: _form_field(name, by_kind) for name, by_kind in sorted(asked.items())}


def _form_field(name: str, by_kind: Mapping[str, PlaceField]) -> tuple[object, object]:
    first, *others = by_kind.values()
    if any(other.accepts != first.accepts for other in others):
        raise TypeError(f"the kinds of connection {', '.join(by_kind)} ask for {name!r} and do not accept the same")
    kinds_by_text: dict[str, list[str]] = {}
    for kind, field in by_kind.items():
        roles = "" if field.roles == BOTH else f", {' or '.join(field.roles)}"
        hint = f": {field.hint}" if field.hint else ""
        kinds_by_text.setdefault(roles + hint, []).append(kind)
    description = "; ".join(", ".join(names) + text for text, names in kinds_by_text.items())
    return first.accepts | None, Field(None, description=description)

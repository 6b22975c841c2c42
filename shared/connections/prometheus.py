"""Metrics of a Prometheus, or of another server that answers its HTTP API."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.config.connection import Connection, Look, PlaceField, Role, kinds
from shared.config.setting_kinds import CaFile
from shared.domain.identifiers import MAX_NAME, first_of
from shared.domain.places import Place
from shared.domain.texts import Text
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.drivers.prometheus import PrometheusServer

METRIC, METRIC_LABEL = "metric", "metric_label"
MAX_SHOWN = 10  # patterns that a message names
PORTS = {"http": 80, "https": 443}
NO_URL = "accepted is http://host:port or https://host/path, without user, password, query and /api/v1"

MetricName = Annotated[
    str,
    Text("[a-zA-Z_:][a-zA-Z0-9_:]*", MAX_NAME, "names of metrics: letters, digits, _ and :, beginning with none of the digits"),
]
LabelName = Annotated[
    str,
    Text("_?[a-zA-Z][a-zA-Z0-9_]*", MAX_NAME, "names of labels: letters, digits and _, but none that begin with __ or a digit"),
]


@kinds.register("prometheus")
class PrometheusConnection(Connection):
    """It is only read: forecasts are written nowhere there."""

    asks: ClassVar = {
        METRIC: PlaceField(accepts=MetricName, is_needed=True, roles=("source",), hint="its name is the column's"),
        METRIC_LABEL: PlaceField(
            accepts=LabelName,
            roles=("source",),
            hint="the label whose values are the columns, where they are no metrics of their own",
        ),
    }

    kind: Literal["prometheus"] = "prometheus"
    url: SecretStr = Field(
        description="http or https, with the path before /api/v1 where there is one; it is secret as those of others are"
    )
    token: SecretStr | None = Field(None, description="sent as a bearer token")
    username: str | None = Field(None, description="with `password`, instead of a token")
    password: SecretStr | None = None
    ca_file: CaFile | None = Field(
        None, description="PEM file that vouches for its certificate; none given = whom the system trusts"
    )
    readable: tuple[str, ...] | None = Field(None, description="globs of the metrics that may be read; none given = all")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value().rstrip("/"))
            has_place = parts.scheme in PORTS and parts.hostname and parts.port != 0
        except ValueError:
            raise ValueError(NO_URL) from None
        has_more = parts.query or parts.fragment or "@" in parts.netloc or parts.path.endswith("/api/v1")
        if not has_place or has_more or not parts.geturl().isprintable():
            raise ValueError(NO_URL)
        return SecretStr(parts.geturl())

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        text = "none" if token is None else token.get_secret_value()
        if not (text and text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("accepted are letters, digits and signs of ASCII, without blanks and line ends")
        return token

    @model_validator(mode="after")
    def _says_who_we_are_once(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("accepted are `username` and `password` together")
        if self.token is not None and self.username is not None:
            raise ValueError("accepted is either a `token`, or `username` and `password`")
        if self.username is not None and ":" in self.username:
            raise ValueError("a `username` has no colon in it: a password begins behind one")
        if self.ca_file is not None and not self.url.get_secret_value().startswith("https:"):
            raise ValueError("`ca_file` is for an address that begins with https://")
        return self

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - the place is part of a series anyway
        """The server, with its port and path."""
        parts = urlsplit(self.url.get_secret_value())
        return frozenset({f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}{parts.path}"})

    def may_read(self, metric: str) -> bool:
        """Whether requests may read the metric of this name."""
        return self.readable is None or any(fnmatchcase(metric, pattern) for pattern in self.readable)

    def check_reach(self, place: Place, role: Role) -> None:
        """Whether this metric may be read; raises InvalidRequest with what may."""
        if not self.may_read(place.given[METRIC]):
            found = f"found {place.given[METRIC]!r}; {place.name} is read in {self.reach}"
            raise InvalidRequest(found, field=f"data.{role}.{METRIC}")

    @property
    def reach(self) -> str:
        """What may be read, in words."""
        return first_of(self.readable or (), MAX_SHOWN) or "nothing"

    def server(self) -> PrometheusServer:
        """The server as the driver knows it."""
        from shared.drivers.prometheus import PrometheusServer, authorization

        token, password = (None if secret is None else secret.get_secret_value() for secret in (self.token, self.password))
        return PrometheusServer(
            url=self.url.get_secret_value(),
            authorization=authorization(token, self.username, password),
            ca_file=str(self.ca_file) if self.ca_file else None,
        )

    def look(self, _name: str) -> Look:
        """A real question, and the names of its metrics."""
        from shared.drivers.prometheus import names, reach

        server = self.server()
        reach(server)
        metrics = names(server, "__name__")
        count = sum(map(self.may_read, metrics))
        advice = "" if count else f"nothing of it can be read: {'it has none' if not metrics else f'`readable` is {self.reach}'}"
        return Look(detail=f"answers, {count} metrics", advice=advice)

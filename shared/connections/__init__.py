"""A connection: a source or sink that an administrator has configured, and what of it requests may reach."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator


def _folder(path: Path) -> Path:
    """Absolute, `~` taken for the home."""
    if "\0" in str(path):
        raise ValueError("a folder's name holds no zero character")
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("the home folder that `~` stands for is not known; name an absolute path") from error


ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Folder = Annotated[Path, AfterValidator(_folder)]
InfluxVersion = Annotated[Literal["1", "2", "3"], BeforeValidator(str)]  # in TOML a number is as good


class Connection(BaseModel):
    """A source or sink that requests may name. `url` may hold credentials, hence secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["files", "mongodb", "influxdb"]
    url: SecretStr | None = None
    path: Folder | None = Field(None, description="kind files: the folder whose CSV and Parquet files requests may read")
    token: SecretStr | None = None
    org: str | None = None
    version: InfluxVersion | None = None
    database: str | None = Field(None, description="the database of requests that name none; default: the one in the URL")
    databases: tuple[str, ...] = Field((), description="further databases that a request may name")
    projects: tuple[str, ...] | None = Field(None, description="whose jobs may use it; none given = all")
    readable: tuple[str, ...] | None = Field(
        None,
        description="globs of what may be read: names in the databases above, or database.name; kind files: paths;"
        " none given = all that is in the databases above, or in the folder",
    )
    writable: tuple[str, ...] | None = Field(None, description="likewise where forecasts may be written to")
    writable_databases: tuple[str, ...] | None = Field(
        None, description="globs of the databases in which names of `writable` are meant; none given = the databases above"
    )
    document_field: str = Field("document", description="kind mongodb: the discriminator field behind `document`")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        needed = "path" if self.kind == "files" else "url"
        if getattr(self, needed) is None:
            raise ValueError(f"a connection of kind {self.kind} needs {needed!r}")
        if self.kind == "files" and (self.writable, self.writable_databases) != (None, None):
            raise ValueError("a connection of kind files is written to nowhere but into the store; it has no 'writable'")
        return self

    def serves(self, *projects: str) -> bool:
        """Whether jobs of one of these projects may use it; "" = jobs of no project."""
        return self.projects is None or any(project in self.projects for project in projects)

    @property
    def own_database(self) -> str | None:
        """The database of requests that name none: `database`, or the one in the URL of a MongoDB."""
        if self.database or self.kind != "mongodb" or self.url is None:
            return self.database
        _scheme, _, rest = self.url.get_secret_value().partition("://")
        path = rest.partition("?")[0].partition("/")[2]
        return unquote(path).partition(".")[0] or None  # as MongoDB reads it: after a dot stands a collection

    @property
    def own_databases(self) -> tuple[str, ...]:
        """Every database that the connection names."""
        return (*([self.own_database] if self.own_database else []), *self.databases)


def reading_ours(connections: Mapping[str, Connection], data_dir: Path) -> list[str]:
    """What is wrong with folders of files that are, hold or lie in the data folder, links followed; but `files`."""
    accepted = "accepted are the data folder's own folder `files`, and folders outside of it"
    return [
        f"the connection {name} reads {each.path}, where the store and other files of ours lie; {accepted}"
        for name, each in connections.items()
        if each.path is not None and _holds_ours(each.path, data_dir)
    ]


def _holds_ours(path: Path, data_dir: Path) -> bool:
    real, ours = path.resolve(), data_dir.resolve()
    if ours.is_relative_to(real):
        return True
    return real.is_relative_to(ours) and not real.is_relative_to(ours / "files")

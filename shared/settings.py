"""One frozen Settings: constructor > environment > secrets folder > TOML file; all problems reported at once.

Read in the entry points (api/app.py, worker/app.py, the command lines) and nowhere below them: from there values travel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from shared.errors import InvalidSettings, UnknownConnection

PREFIX = "QUEUECAST_"
CONFIG_FILE = "QUEUECAST_CONFIG_FILE"  # where the TOML file lies; read before the settings themselves
SECRETS_DIR = "QUEUECAST_SECRETS_DIR"  # a folder with one file per secret setting, as container platforms mount them

ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Connection(BaseModel):
    """A source or sink that requests may name. `url` may hold credentials, hence secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["files", "mongodb", "influxdb"]
    url: SecretStr | None = None
    path: Path | None = Field(None, description="kind files: the folder whose CSV and Parquet files requests may read")
    token: SecretStr | None = None
    org: str | None = None
    version: Literal["1", "2", "3"] | None = None
    database: str | None = Field(None, description="the database of requests that name none")
    databases: tuple[str, ...] = Field((), description="further databases that a request may name")
    document_field: str = Field("document", description="kind mongodb: the discriminator field behind `document`")


def default_data_dir() -> Path:
    """The platform's folder for application data."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "queuecast"


class Settings(BaseSettings):
    """All settings, each replaceable by `QUEUECAST_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="store, embedded broker, logs and files")
    files_dir: Path | None = Field(None, description="folder of the connection `files`; default: <data folder>/files")
    broker_url: SecretStr | None = Field(None, description="redis://, rediss:// or redis+socket://; default: embedded Valkey")
    result_backend_url: SecretStr | None = Field(None, description="default: database 1 of the broker's server")
    store_url: SecretStr | None = Field(None, description="default: sqlite:///<data folder>/queuecast.db")
    mongodb_url: SecretStr | None = Field(None, description="makes the connection `mongodb` exist")
    influxdb_url: SecretStr | None = Field(None, description="makes the connection `influxdb` exist")
    influxdb_token: SecretStr | None = Field(None, description="version 1: user:password")
    influxdb_org: str | None = Field(None, description="organisation, version 2")
    influxdb_version: Literal["1", "2", "3"] = Field("2", description="of the InfluxDB server")
    connections: Mapping[ConnectionName, Connection] = Field(
        default_factory=dict, description="further connections, from queuecast.toml"
    )
    instance_name: str = Field("Queuecast", description="shown where several instances could be mixed up")
    max_body_bytes: int = Field(1_048_576, ge=1_024, description="largest accepted request body")
    api_threads: int = Field(8, ge=1, le=64, description="request threads of the API")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level of a log line")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of the contract; a `.env` file is not among the sources."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=Path(os.environ.get(CONFIG_FILE, "queuecast.toml")))
        return init_settings, env_settings, file_secret_settings, toml

    @property
    def store_location(self) -> str:
        """The store's URL, the default filled in."""
        return self.store_url.get_secret_value() if self.store_url else f"sqlite:///{self.data_dir / 'queuecast.db'}"

    @property
    def all_connections(self) -> dict[str, Connection]:
        """Every connection that exists: `files`, those of the URLs, those of the TOML file."""
        built_in = {"files": Connection(kind="files", path=self.files_dir or self.data_dir / "files")}
        if self.mongodb_url:
            built_in["mongodb"] = Connection(kind="mongodb", url=self.mongodb_url)
        if self.influxdb_url:
            built_in["influxdb"] = Connection(
                kind="influxdb",
                url=self.influxdb_url,
                token=self.influxdb_token,
                org=self.influxdb_org,
                version=self.influxdb_version,
            )
        return built_in | dict(self.connections)

    def connection(self, name: str) -> Connection:
        """The connection of this name; raises UnknownConnection with the known ones."""
        known = self.all_connections
        if name not in known:
            hint = f"; set {PREFIX}{name.upper()}_URL to have it" if name in {"mongodb", "influxdb"} else ""
            raise UnknownConnection(f"found {name!r}, known are {', '.join(sorted(known))}{hint}")
        return known[name]

    def masked(self) -> dict[str, Any]:
        """All settings as they may be shown: secrets are stars."""
        shown: dict[str, Any] = self.model_dump(mode="json")
        return shown | {"data_dir": str(self.data_dir), "store_url": _masked_url(self.store_location)}


def _masked_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}**********@{rest.rpartition('@')[2]}" if "@" in rest else url


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """The `QUEUECAST_*` names that no setting reads; pydantic-settings would ignore them silently."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_FILE, SECRETS_DIR}
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises InvalidSettings that names every problem at once.

    Args:
        overrides: win over environment, secrets and file; None = not given.
    """
    problems = [f"{name} is no setting" for name in unknown_names(os.environ)]
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(_secrets_dir=os.environ.get(SECRETS_DIR), **given)
    except ValidationError as error:
        problems += [
            f"{PREFIX}{'__'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors(include_input=False)
        ]
        raise InvalidSettings("; ".join(problems)) from None
    except ValueError as error:  # a TOML file that cannot be read
        raise InvalidSettings("; ".join([*problems, str(error)])) from error
    if problems:
        known = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        raise InvalidSettings("; ".join(problems) + f"; known are {known}")
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})

"""One frozen Settings: constructor > environment > secrets folder > TOML file; all problems reported at once.

Read in the entry points (worker/app.py, the command lines) and nowhere below them: from there values travel.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from pydantic_settings.sources import PydanticBaseSettingsSource, TomlConfigSettingsSource

from shared.config.addresses import masked_url
from shared.config.connection import AnyConnection, Connection, ConnectionName, faults_in, kinds
from shared.config.origins import CONFIG_FILE, SECRETS_DIR, config_file, default_data_dir, foreign_file
from shared.config.retired import warn_of_retired
from shared.config.setting_kinds import (
    LOOPBACK,
    BrokerCaFile,
    Folder,
    InfluxdbUrl,
    InfluxVersion,
    KeptFor,
    Level,
    MongodbUrl,
    Most,
    Networks,
    RateLimit,
    RedisUrl,
    StoreUrl,
    TaskSeconds,
    TimeZoneName,
    WebAddress,
)
from shared.config.setting_problems import no_json, problem_of
from shared.domain.allowances import Allowance
from shared.domain.durations import Duration
from shared.domain.jobs import JobRequest
from shared.domain.lanes import MAX_TASK_SECONDS, SOFT_LIMIT_SECONDS, TaskLimits
from shared.errors import InvalidSettings, UnknownConnection

PREFIX = "QUEUECAST_"
UPLOADS = "uploads"  # a folder in the data folder


class Settings(BaseSettings):
    """All settings, each replaceable by `QUEUECAST_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Folder = Field(default_factory=default_data_dir, description="store, embedded broker, logs and files")
    files_dir: Folder | None = Field(None, description="folder of the connection `files`; default: <data folder>/files")
    broker_url: RedisUrl | None = Field(
        None, description="redis://, rediss://, sentinel:// or redis+socket://; default: embedded Valkey"
    )
    result_backend_url: RedisUrl | None = Field(None, description="default: database 1 of the broker's server")
    broker_ca_file: BrokerCaFile | None = Field(None, description="PEM file that vouches for the broker's TLS certificate")
    store_url: StoreUrl | None = Field(None, description="default: sqlite:///<data folder>/queuecast.db")
    mongodb_url: MongodbUrl | None = Field(None, description="makes the connection `mongodb` exist")
    influxdb_url: InfluxdbUrl | None = Field(None, description="makes the connection `influxdb` exist")
    influxdb_token: SecretStr | None = Field(None, description="version 1: user:password")
    influxdb_org: str | None = Field(None, description="organisation, version 2")
    influxdb_database: str | None = Field(None, description="database or bucket that may be read, and of requests that name none")
    influxdb_version: InfluxVersion = Field("2", description="of the InfluxDB server")
    connections: Mapping[ConnectionName, AnyConnection] = Field(
        default_factory=dict, description="further connections, from queuecast.toml"
    )
    instance_name: str = Field("Queuecast", description="shown where several instances could be mixed up")
    display_timezone: TimeZoneName = Field("UTC", description="in which the dashboard shows times, such as Europe/Berlin")
    mark_levels: tuple[Level, ...] = Field(
        (80.0, 100.0),
        description="per cent of a queue's limit (its maximum, else its share); only the dashboard marks who may pass one",
    )
    flower_url: WebAddress | None = Field(None, description="where the dashboard's link to Flower leads")
    flower_tasks: int = Field(500, ge=100, le=20_000, description="that went well, which Flower remembers beside all others")
    max_body_bytes: int = Field(1_048_576, ge=1_024, description="largest accepted request body")
    api_threads: int = Field(8, ge=1, le=64, description="request threads of the API")
    session_secret: SecretStr | None = Field(None, description="does nothing any more, and goes with the next release")
    rate_limit: RateLimit = Field("300/minute", description="requests of one token, or of one address without a token; or off")
    write_rate_limit: RateLimit = Field("60/minute", description="of these, requests that change something; or off")
    failure_rate_limit: RateLimit = Field("10/minute", description="wrong tokens and logins of one address; or off")
    most_open_jobs: Most = Field(100, description="jobs of one project that have not ended; or off")
    most_candidates: Most = Field(200_000, description="candidates that these may ask for, by their max_candidates; or off")
    most_schedules: Most = Field(1_000, description="schedules of one project; or off")
    task_soft_seconds: int = Field(SOFT_LIMIT_SECONDS, ge=40, le=3_600, description="a candidate or step that takes longer fails")
    task_seconds: TaskSeconds = Field(MAX_TASK_SECONDS, le=4_000, description="then it is killed; both are equal in a fleet")
    child_memory_mb: int | None = Field(None, ge=400, description="a worker's child that had more is replaced; else its share")
    threads: int = Field(1, ge=1, le=256, description="of the libraries in each worker's child")
    max_connections: int = Field(1_000, ge=16, le=100_000, description="of the API, at a time")
    max_connections_per_address: int = Field(64, ge=8, le=100_000, description="of these, of an address that is no trusted proxy")
    trusted_proxies: int = Field(0, ge=0, le=5, description="proxies in front of the API whose X-Forwarded-… headers are true")
    proxy_addresses: Networks = Field(LOOPBACK, description="of trusted proxies; networks too")
    token: SecretStr | None = Field(None, description="of the commands that ask a service, such as `queuecast submit`")
    keep_jobs: KeptFor = Field(Duration(400, "d"), description="jobs with their leaderboards, since their request; or forever")
    keep_forecasts: KeptFor = Field(Duration(400, "d"), description="forecasts and their accuracy, trees of queues; or forever")
    keep_actuals: KeptFor = Field(Duration(400, "d"), description="actual values of the queues; or forever")
    keep_keys: KeptFor = Field(Duration(1, "d"), description="an Idempotency-Key means the same job; or forever")
    uploads: Literal["on", "off"] | None = Field(None, description="of CSV files; default: on where all is embedded, else off")
    keep_uploads: KeptFor = Field(Duration(30, "d"), description="uploaded files, since they were uploaded; or forever")
    decisions: Literal["on", "off"] = Field("on", description="off: none is made when a job ends; by hand they still are")
    apply: Literal["on", "off"] = Field(
        "on",
        description="off: no decision is applied to any cluster, whatever connections may; in the file it is taken up at once",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level of a log line")

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_flag(cls, value: object) -> object:
        if any(isinstance(each, bool) for each in (value if isinstance(value, list) else [value])):
            raise ValueError("accepted is neither true nor false")  # of a file; as a number they would be 1 and 0
        return value

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
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, file_secret_settings, toml

    @property
    def allowance(self) -> Allowance:
        """What a project may have at a time."""
        return Allowance(open_jobs=self.most_open_jobs, candidates=self.most_candidates, schedules=self.most_schedules)

    @property
    def task_limits(self) -> TaskLimits:
        """How long a task may take."""
        return TaskLimits(soft_seconds=self.task_soft_seconds, seconds=self.task_seconds)

    @property
    def store_location(self) -> str:
        """The store's URL, the default filled in."""
        return self.store_url.get_secret_value() if self.store_url else f"sqlite://{self.data_dir / 'queuecast.db'}"

    @property
    def files_folder(self) -> Path:
        """Of the connection `files`, the default filled in."""
        return self.files_dir or self.data_dir / "files"

    @property
    def uploads_folder(self) -> Path | None:
        """Of the connection `uploads`; None = nobody may upload anything, and what was uploaded is not read."""
        is_on = self.uploads == "on" or (self.uploads is None and self.broker_url is None and self.store_url is None)
        return self.data_dir / UPLOADS if is_on else None

    @property
    def needs_data_folder(self) -> bool:
        """Whether the broker or the store lies in the data folder."""
        return self.broker_url is None or self.store_url is None

    @property
    def all_connections(self) -> dict[str, Connection]:
        """Every connection that exists: those that have settings of their own, such as `files`, and those of the TOML file."""
        built_in: dict[str, Connection] = {}
        for kind in kinds:
            given = {field: getattr(self, setting) for field, setting in kinds[kind].taken_from.items()}
            if next(iter(given.values()), None) is not None:
                built_in[kind] = kinds[kind].model_validate({"kind": kind} | given)
        return built_in | dict(self.connections)

    def connection(self, name: str, *, project: str | None = None) -> Connection:
        """The connection of this name.

        Args:
            project: whose job wants it, "" = that of no project; None = nobody's, an administrator does. What is collected of
                clusters whose connections a project may not use is not there for it.

        Raises:
            UnknownConnection: with those that are known; whose jobs may not use a connection, for them it is not there.
        """
        every = self.all_connections
        known = {own: connection for own, connection in every.items() if project is None or connection.serves(project)}
        if name not in known:
            setting = next(iter(kinds[name].taken_from.values()), "") if name in kinds else ""
            hint = f"; set {PREFIX}{setting.upper()} to have it" if setting in Settings.model_fields else ""
            whose = f" for the project {project!r}" if project else ""
            raise UnknownConnection(f"found {name!r}{whose}, known are {', '.join(sorted(known)) or 'none'}{hint}")
        others = [each.keeps_at for own, each in every.items() if own not in known]
        mine = known[name] if project is None else known[name].of_project(project)
        return mine.without([every[keeper] for keeper in others if keeper in every])

    def with_cluster(self, request: JobRequest) -> JobRequest:
        """The request with the cluster that its source's connection names, unless it names one itself."""
        connection = self.all_connections.get(request.data.sources[0].name)
        return replace(request, cluster=connection.cluster) if connection and not request.cluster else request

    def masked(self) -> dict[str, object]:
        """All settings as they may be shown: secrets are stars, and connections are all that exist."""
        connections = {name: connection.model_dump(mode="json") for name, connection in self.all_connections.items()}
        return self.model_dump(mode="json") | {"store_url": masked_url(self.store_location), "connections": connections}


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """The `QUEUECAST_*` names that no setting reads; pydantic-settings would ignore them silently."""
    known = {*_known_names(), CONFIG_FILE, SECRETS_DIR, PREFIX + "URL"}  # the last: of commands
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises InvalidSettings that names every problem at once, and no value, which may be secret.

    Args:
        overrides: win over environment, secrets and file; None = not given.
    """
    problems = [f"{name} is no setting (known are {', '.join(_known_names())})" for name in unknown_names(os.environ)]
    problems += foreign_file()
    secrets_dir = os.environ.get(SECRETS_DIR) or None
    if secrets_dir and not Path(secrets_dir).is_dir():
        problems.append(f"{SECRETS_DIR} names {secrets_dir}, which is no folder")
        secrets_dir = None
    try:
        settings = Settings(_secrets_dir=secrets_dir, **{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems += [problem_of(item, Settings) for item in error.errors(include_input=False)]
    except SettingsError as error:  # a variable that should hold JSON
        problems.append(no_json(str(error), Settings))
    except (OSError, ValueError, RecursionError) as error:  # the last: brackets in brackets in brackets
        problems.append(f"{config_file()} cannot be read: {error}")
    else:
        if not (problems := problems + faults_in(settings.all_connections, settings.data_dir)):
            warn_of_retired(PREFIX, dict(settings))
            return settings
    raise InvalidSettings(*problems)


def _known_names() -> list[str]:
    return [PREFIX + name.upper() for name in Settings.model_fields]

"""The sink of samples that a connection's name means."""

from __future__ import annotations

from shared.config.settings import Settings
from shared.connections.files import FilesConnection
from shared.connections.influxdb import InfluxdbConnection
from shared.connections.mongodb import MongodbConnection
from shared.errors import InvalidSettings
from worker.collect.sinks.base import SampleSink


def open_samples(settings: Settings, name: str, *, is_apart: bool = True) -> SampleSink:
    """Raises UnknownConnection, and InvalidSettings for one that takes no samples.

    is_apart: whether files are put together by a process of their own, which no look waits for.

    What is not needed is not loaded: whoever keeps samples in a database needs no Arrow.
    """
    match settings.connection(name):
        case FilesConnection() as connection:
            from worker.collect.sinks.parquet import ParquetSamples

            return ParquetSamples(connection.path, has_day_maker=is_apart)
        case MongodbConnection() as connection:
            from worker.collect.sinks.mongo import MongoSamples

            return MongoSamples(connection, name)
        case InfluxdbConnection() as connection:
            from worker.collect.sinks.influx import InfluxSamples

            return InfluxSamples(connection, name)
        case other:
            raise InvalidSettings(
                f"{name!r} is of kind {other.kind}; samples are kept by connections of kind files, mongodb, influxdb"
            )

"""Sinks: somebody's database that we write. One file per kind; `sinks["files"]` opens one."""

from shared.domain.registry import Registry
from shared.errors import UnknownConnection
from worker.sinks.base import Sink

sinks: Registry[Sink] = Registry("worker.sinks", UnknownConnection)

__all__ = ["sinks"]

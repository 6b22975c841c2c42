"""Sinks: somebody's database that we write. One file per kind; `sinks["files"]` opens one."""

from shared.errors import UnknownConnection
from worker.registry import Registry
from worker.sinks.base import Sink

sinks: Registry[Sink] = Registry("worker.sinks", UnknownConnection)

__all__ = ["sinks"]

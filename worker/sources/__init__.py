"""Sources: somebody's database that we read. One file per kind; `sources["files"]` opens one."""

from shared.domain.registry import Registry
from shared.errors import UnknownConnection
from worker.sources.base import Source

sources: Registry[Source] = Registry("worker.sources", UnknownConnection)

__all__ = ["sources"]

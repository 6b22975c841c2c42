"""UploadsSource: what a project has uploaded, read as any other folder of files."""

from __future__ import annotations

from worker.sources import sources
from worker.sources.file_source import FileSource


@sources.register("uploads")
class UploadsSource(FileSource):
    """The connection leads to the folder of the request's project alone."""

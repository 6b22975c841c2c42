"""Uploads: CSV files that people send, kept for their project, and read by jobs over the connection `uploads`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from flask import Response, request
from pydantic import Field
from werkzeug.exceptions import RequestEntityTooLarge

from api.edge.context import Services
from api.edge.document import Answers
from api.edge.policy import READ, WRITE
from api.edge.projects import project_of_the_caller
from api.edge.routing import route
from api.schema.answers import Answer
from api.schema.queries import ProjectQuery
from shared.config.settings import Settings
from shared.drivers.uploads_folder import MAX_BYTES, Upload, UploadsFolder
from shared.errors import UploadsOff

PART = 65_536  # bytes that are read at a time
TAKES_FILE = replace(WRITE, max_body_bytes=MAX_BYTES)


class UploadAnswer(Answer):
    """One file. Jobs name it as `path` of the connection `uploads`."""

    name: str
    size: int = Field(description="bytes")
    uploaded_at: datetime
    ends_at: datetime | None = Field(description="when it is removed; null = never")
    project: str


class UploadList(Answer):
    """The files of a project, by name."""

    uploads: list[UploadAnswer]


@route("GET", "/v1/uploads", READ, Answers(UploadList, refuses=(409,)))
def list_uploads(services: Services, query: ProjectQuery) -> UploadList:
    """List what a project has uploaded."""
    project = project_of_the_caller(query.project)
    return UploadList(uploads=uploads_of(services, project))


@route("PUT", "/v1/uploads/<upload>", TAKES_FILE, Answers(UploadAnswer, refuses=(409, 413, 422)))
def put_upload(services: Services, upload: str, query: ProjectQuery) -> UploadAnswer:
    """Keep a CSV file of up to 20 MB, which is the body, in the place of one of the same name."""
    project, folder = project_of_the_caller(query.project), _folder(services.settings)
    kept = folder.keep(project, upload, _parts())
    return _answer(services, kept, project)


@route("DELETE", "/v1/uploads/<upload>", WRITE, Answers(None, 204, refuses=(409, 422)))
def remove_upload(services: Services, upload: str, query: ProjectQuery) -> Response:
    """Remove a file; jobs that have read it keep their forecasts."""
    _folder(services.settings).remove(project_of_the_caller(query.project), upload)
    return Response(status=204)


def uploads_of(services: Services, project: str) -> list[UploadAnswer]:
    """What the project has uploaded, by name; raises UploadsOff."""
    return [_answer(services, each, project) for each in _folder(services.settings).all(project)]


def _folder(settings: Settings) -> UploadsFolder:
    """Where they are kept; raises UploadsOff."""
    if settings.uploads_folder is None:
        raise UploadsOff("an administrator switches them on by QUEUECAST_UPLOADS=on")
    return UploadsFolder(settings.uploads_folder)


def _parts() -> Iterator[bytes]:
    """The body, counted while it is read: its length may not be told, or not be true."""
    size = 0
    while content := request.stream.read(PART):
        size += len(content)
        if size > MAX_BYTES:
            raise RequestEntityTooLarge
        yield content


def _answer(services: Services, kept_file: Upload, project: str) -> UploadAnswer:
    kept = services.settings.keep_uploads
    ends_at = kept.after(kept_file.uploaded_at) if kept else None
    return UploadAnswer.showing(kept_file, ends_at=ends_at, project=project)

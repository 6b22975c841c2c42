"""The folder of files that people have uploaded: below it one folder for each project, whose name tells nothing.

It is ours alone, and no request names a path in it: names of files keep to a pattern, and folders are called by a digest of their
project. A file is there as a whole or not at all. Whoever shares the folder between machines shares what is uploaded.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from shared.errors import AllowanceUsedUp, InvalidRequest, UploadNotFound, UploadsAway

MAX_BYTES = 20_000_000  # of a file
MAX_FILES = 50  # of a project
MAX_BYTES_OF_PROJECT = 200_000_000
MAX_BYTES_OF_ALL = 2_000_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,94}\.csv")
ACCEPTED_NAMES = "letters, digits, dots, - and _, beginning with a letter or digit and ending in .csv, at most 99 characters"
TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, in which every other byte may be 0
LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that is kept."""

    name: str
    size: int  # bytes
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class UploadsFolder:
    """Files by project and name. Raises UploadsAway where the folder cannot be read or written to."""

    path: Path

    def of_project(self, project: str) -> Path:
        """The folder of a project; "" is one, too."""
        return self.path / sha256(project.encode()).hexdigest()[:32]

    def keep(self, project: str, name: str, parts: Iterable[bytes]) -> Upload:
        """Write a file, in the place of one of the same name.

        Raises:
            InvalidRequest: its name is not accepted, it is empty, too large or no text.
            AllowanceUsedUp: the project, or all of them, have as much as they may.
        """
        path = self._path(project, name)
        with _translated():
            for folder in (self.path, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            part = path.with_name(f".{name}.{secrets.token_hex(8)}.part")
            try:
                _write(part, parts)
                with self._locked():
                    self._check_room(path, part.stat().st_size)
                    part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            return _upload(path)

    def all(self, project: str) -> list[Upload]:
        """Those of a project, by name."""
        with _translated():
            return [_upload(path) for path in sorted(_files(self.of_project(project)))]

    def remove(self, project: str, name: str) -> None:
        """Remove one; raises UploadNotFound."""
        path = self._path(project, name)
        with _translated():
            try:
                path.unlink()
            except FileNotFoundError:
                raise UploadNotFound(f"found no {name!r}") from None

    def forget(self, before: datetime) -> int:
        """Remove what was uploaded before, and what was left half written; gives how many went."""
        gone = 0
        with _translated():
            for folder in _folders(self.path):
                for path in [each for each in folder.iterdir() if not each.is_dir()]:
                    with suppress(FileNotFoundError):
                        if path.lstat().st_mtime < before.timestamp():
                            path.unlink()
                            gone += 1
        return gone

    def _path(self, project: str, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InvalidRequest(f"found the name {name[:60]!r}; accepted are {ACCEPTED_NAMES}", field="name")
        return self.of_project(project) / name

    def _check_room(self, path: Path, size: int) -> None:
        """Raises AllowanceUsedUp where one file more, of so many bytes, in the place of what is there, is too much."""
        others = {each: each.lstat().st_size for folder in _folders(self.path) for each in _files(folder) if each != path}
        own = [bytes_ for each, bytes_ in others.items() if each.parent == path.parent]
        if len(own) >= MAX_FILES:
            raise AllowanceUsedUp(f"the project has {len(own)} uploaded files, accepted are {MAX_FILES}; remove one")
        if sum(own) + size > MAX_BYTES_OF_PROJECT:
            raise AllowanceUsedUp(f"uploads of a project may have {MAX_BYTES_OF_PROJECT // 10**6} MB in all; remove one")
        if sum(others.values()) + size > MAX_BYTES_OF_ALL:
            raise AllowanceUsedUp("the uploads of all projects have no more room; remove one, or ask an administrator")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Inside, nobody else puts a file in its place: else two that are let in might have no room together."""
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _write(part: Path, parts: Iterable[bytes]) -> None:
    """Write all of them, and see to it that they are on the disk; raises InvalidRequest for what is no text, or too large."""
    size = 0
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor, for its mode
        is_wide = False
        for content in parts:
            is_wide = content.startswith(TEXT_MARKS) if not size else is_wide
            size += len(content)
            if size > MAX_BYTES:
                raise InvalidRequest(f"the file is larger than the accepted {MAX_BYTES // 10**6} MB")
            if b"\0" in content and not is_wide:
                raise InvalidRequest("the file is no text; accepted is CSV in UTF-8 or UTF-16 with a header line")
            file.write(content)
        if not size:
            raise InvalidRequest("the file is empty; accepted is CSV with a header line")
        file.flush()
        os.fsync(file.fileno())


def _files(folder: Path) -> Iterator[Path]:
    """Whole files of a project's folder; nothing where there is none."""
    if folder.is_dir() and not folder.is_symlink():
        yield from (path for path in folder.iterdir() if NAME.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode))


def _folders(path: Path) -> list[Path]:
    """Of all projects that have had something."""
    return [each for each in path.iterdir() if each.is_dir() and not each.is_symlink()] if path.is_dir() else []


def _upload(path: Path) -> Upload:
    status = path.lstat()
    return Upload(name=path.name, size=status.st_size, uploaded_at=datetime.fromtimestamp(status.st_mtime, UTC))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UploadsAway(f"{error.strerror}") from error

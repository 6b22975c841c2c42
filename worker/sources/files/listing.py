"""Which files a request means: a glob inside the connection's folder, and never anything outside it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Literal

from shared.connections.files import FilesConnection
from shared.domain.collected import KEPT_NAMES
from shared.domain.identifiers import MAX_DEPTHS, control_in, is_quick_glob, listed
from shared.errors import InvalidRequest, SourceNotFound, UnreadableData

SUFFIXES = (".csv", ".parquet")
UNREAD = (
    *(".gz", ".bz2", ".xz", ".zst", ".zip", ".7z"),
    *(".tsv", ".jsonl", ".ndjson", ".xls", ".xlsx", ".ods", ".orc", ".avro", ".feather"),
)
MAX_LOOKED_AT = 100_000  # names in folders; links to folders may multiply the ways through a tree without end
MAX_LINKS_NAMED = 3
UNREADABLE = "files that are packed, or neither CSV nor Parquet"
ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a glob means.

    folder: real, without links. paths: name for messages (the path inside the folder) → path, sorted.
    left_out: links out of the folder, by name: where they lead is told to nobody.
    unnamed: names with control characters, or that are no UTF-8.
    unread: packed files, and data of other formats.
    collected: folders of what is collected of clusters, which the request does not name.
    """

    folder: Path
    paths: dict[str, Path]
    left_out: tuple[str, ...]
    unnamed: tuple[str, ...]
    unread: tuple[str, ...]
    collected: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in plain words."""
        kinds = (
            ("links that leave the connection's folder", self.left_out),
            ("names with control characters, or that are no UTF-8", self.unnamed),
        )
        return tuple(f"{what}: left out {listed(names, MAX_LINKS_NAMED)}" for what, names in kinds if names)

    @property
    def advice(self) -> tuple[str, ...]:
        """What may have rows and was not read, and what to do."""
        if not self.unread:
            return ()
        found = f"{UNREADABLE}: {len(self.unread):,} left out, {listed(self.unread, MAX_LINKS_NAMED)}"
        return (f"{found}; unpack or convert them, or say in `path` which files are meant",)


@dataclass(slots=True)
class _Walk:
    """A look for the files of a glob.

    folder: real, without links. hides: whether a folder is not there for whoever asks. seen: how many names were looked at.
    found: files, by their path inside the folder. unread: data that are not read. outside: links out of it.
    collected, unnamed: as in Files. targets: link → where it leads.
    """

    folder: Path
    hides: Callable[[Path], bool]
    seen: int = 0
    found: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    collected: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    targets: dict[str, Path] = field(default_factory=dict)

    def look(self, parts: tuple[str, ...], inside: str = "", real: Path | None = None) -> None:
        """Add the files that `parts` match below a folder; a folder that they match means all that is below it.

        Args:
            inside: the folder, as the request knows it: its path in `folder`, "" = that itself.
            real: the same without links.
        """
        real = real or self.folder
        first, rest = (parts[0], parts[1:]) if parts else (ANY_DEPTH, ())
        is_any = first == ANY_DEPTH
        if is_any and rest:
            self.look(rest, inside, real)
        for entry in self._entries(real):
            if not (is_any or _pattern(first).match(entry.name)):
                continue
            name, kind = f"{inside}/{entry.name}" if inside else entry.name, _kind(entry)
            if kind is None or (kind != "folder" and rest) or not self._is_within(entry, name, real):
                continue
            is_unasked = kind == "folder" and name in KEPT_NAMES and not first.strip("*")
            if is_unasked and not self.hides(self._target(entry)):
                self.collected.add(name)
            elif kind == "folder":
                self.look(parts if is_any else rest, name, self._target(entry))
            else:
                (self.found if kind == "file" else self.unread).add(name)

    def _entries(self, real: Path) -> Iterator[os.DirEntry[str]]:
        """What lies in a folder, but for what is hidden; nothing where we may not look."""
        if self.hides(real):
            return
        try:
            entries = list(os.scandir(real))
        except OSError:
            return
        self.seen += len(entries)
        if self.seen > MAX_LOOKED_AT:
            raise InvalidRequest(f"there are more than {MAX_LOOKED_AT:,} names to look at; say which folder", field="path")
        self.unnamed |= {entry.name for entry in entries if control_in(entry.name)}
        yield from (entry for entry in entries if not entry.name.startswith(".") and entry.name not in self.unnamed)

    def _is_within(self, entry: os.DirEntry[str], name: str, real_parent: Path) -> bool:
        """Whether it is no link, or one to something in the folder that is not above it: that way would have no end."""
        if not entry.is_symlink():
            return True
        real = self._target(entry)
        if not real.is_relative_to(self.folder):
            self.outside.add(name)
            return False
        return not real_parent.is_relative_to(real)

    def _target(self, entry: os.DirEntry[str]) -> Path:
        """What it is without links; its own folder is."""
        if not entry.is_symlink():
            return Path(entry.path)
        if entry.path not in self.targets:
            self.targets[entry.path] = Path(os.path.realpath(entry.path))
        return self.targets[entry.path]


def find_files(connection: FilesConnection, pattern: str | None) -> Files:
    """The CSV and Parquet files that `pattern` means, of those that the connection lets anybody read.

    Args:
        connection: its `path` is the folder.
        pattern: a glob; `**` stands for any depth. A folder means everything below it, None means the whole folder. Hidden files
            are left out, and links that leave the folder. A path with the folder in front is taken too.

    Raises:
        SourceNotFound: no such folder, or nothing in it matches.
        InvalidRequest: the pattern leaves the folder, or it would take too long to look for.
    """
    folder = connection.path
    if not folder.is_dir():
        raise SourceNotFound(connection.why_no_folder)
    walk = _Walk(folder.resolve(), connection.hides)
    walk.look(_parts(folder, pattern))
    files = _readable(walk, connection)
    if files.left_out and not files.paths:
        reason = f"{files.left_out[0]} is a link that leaves the connection's folder"
        raise InvalidRequest(f"{reason}; accepted are files inside it", field="path")
    if not files.paths:
        but = f"; there are {UNREADABLE}: {listed(files.unread, MAX_LINKS_NAMED)}" if files.unread else ""
        but += f"; left out is {listed(files.collected)}, unless `path` names it" if files.collected else ""
        raise SourceNotFound(f"found no CSV or Parquet file for {pattern or ANY_DEPTH!r} in the connection's folder{but}")
    return files


@contextmanager
def opened(files: Files, name: str) -> Iterator[Path]:
    """A path to the very file that was opened and found inside the folder, whatever takes its name's place meanwhile.

    Raises:
        UnreadableData: it is no file any more, has become a link, lies elsewhere, or may not be read.
    """
    try:
        file = os.open(files.paths[name], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableData(error.strerror or "it cannot be opened", file=name) from error
    try:
        own = Path(f"/proc/self/fd/{file}")
        if not stat.S_ISREG(os.fstat(file).st_mode) or not own.readlink().is_relative_to(files.folder):
            raise UnreadableData("it is no file in the connection's folder any more", file=name)
        yield own
    finally:
        os.close(file)


def _readable(walk: _Walk, connection: FilesConnection) -> Files:
    """What the connection lets anybody read of what was found: by its name, and by that of what a link leads to."""
    paths: dict[Path, str] = {}  # by what they are, so that a link beside its file is not read twice
    for name in sorted(walk.found):
        real = Path(os.path.realpath(walk.folder / name))
        own_name = str(real.relative_to(walk.folder)) if real.is_relative_to(walk.folder) else ""
        if own_name and connection.may_read(name) and connection.may_read(own_name):
            paths.setdefault(real, name)
    left_out = tuple(name for name in sorted(walk.outside) if connection.may_read(name))
    return Files(
        folder=walk.folder,
        paths={name: real for real, name in paths.items()},
        left_out=left_out,
        unnamed=tuple(sorted(walk.unnamed)) if connection.readable is None else (),
        collected=tuple(sorted(walk.collected)) if connection.readable is None else (),
        unread=tuple(name for name in sorted(walk.unread) if connection.may_read(name)),
    )


def _parts(folder: Path, pattern: str | None) -> tuple[str, ...]:
    """The pattern, folder by folder; raises InvalidRequest for one that leads out, or takes too long."""
    path = folder / (pattern or ANY_DEPTH)
    if not path.is_relative_to(folder) or ".." in path.parts or "\0" in str(path):
        raise InvalidRequest(
            f"found {pattern!r}, which leaves the connection's folder; accepted is a glob inside it", field="path"
        )
    if not is_quick_glob(pattern or ""):
        raise InvalidRequest(f"found {pattern!r}, accepted are at most {MAX_DEPTHS} `**`", field="path")
    return path.relative_to(folder).parts


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "file", "unread"] | None:
    """What it is, also behind a link; None: what is never read, such as a pipe, a socket, a device, a link that leads nowhere."""
    try:
        if entry.is_dir():
            return "folder"
        suffix = Path(entry.name).suffix.lower()
        kind: Literal["file", "unread"] | None = "file" if suffix in SUFFIXES else "unread" if suffix in UNREAD else None
        return kind if kind and entry.is_file() else None
    except OSError:  # links in a circle
        return None


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob))


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where it is gone, or may not be looked at: that is told where it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0

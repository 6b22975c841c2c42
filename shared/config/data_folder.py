"""The data folder, for this user alone: it holds everybody's forecasts, the digests of tokens and the broker's messages.

Every process that needs the folder makes it, or narrows what an earlier release or another tool has left open in it. Links are
never followed, and only what has one of our names is touched: the folder may be somebody's home.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.wording import counted
from shared.errors import SetupError

if TYPE_CHECKING:
    from shared.config.settings import Settings

OTHERS = 0o077  # the modes by which others may do anything; as umask: nothing
ROOT = 0
MADE_NOTE = "tokens.made"  # of tokens, see token_note
INBOX = "files"  # people put what requests shall read there; whose it is, is their business
DATABASES = ("queuecast.db", "forecasts.db")
OURS = (
    *(f"{name}{suffix}" for name in DATABASES for suffix in ("", "-wal", "-shm", "-journal", ".made")),
    *("broker", "broker.socket", "broker.new", "flower", "logs", "metrics", "pulse", "supervisor.lock", "uploads"),
    *(MADE_NOTE, INBOX),
)
ELSEWHERE = "name another with --data-dir or QUEUECAST_DATA_DIR"

_users_umask: list[int] = []  # of whoever called this process, before it became private


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or folder as it lies there."""

    path: Path
    owner: int
    mode: int
    is_link: bool  # a symbolic one
    has_second_name: bool  # elsewhere: a hard link, through which its mode counts, too

    @property
    def is_wide(self) -> bool:
        """Whether others may do anything with it."""
        return not self.is_link and bool(self.mode & OTHERS)

    @property
    def is_shared(self) -> bool:
        """Whether others may reach it by another name, which nobody can narrow without touching what may be somebody's."""
        return self.is_wide and self.has_second_name

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to another user, who could change it; root can change everything anyway."""
        return self.owner not in {os.geteuid(), ROOT}

    def is_strange(self, folder: Path) -> bool:
        """Whether it is foreign, and lies where nobody but Queuecast puts anything."""
        return self.is_foreign and not self.path.is_relative_to(folder / INBOX)


def keep_private() -> None:
    """Whatever this process and those that it starts will make is for this user alone."""
    before = os.umask(OTHERS)
    _users_umask[:] = _users_umask or [before]  # the first time


@contextmanager
def as_open_as_wished() -> Iterator[None]:
    """What a person has asked for by name is as open as their own umask says."""
    before = os.umask(OTHERS)
    os.umask(_users_umask[0] if _users_umask else before)
    try:
        yield
    finally:
        os.umask(before)


def open_data_folder(settings: Settings, *, is_needed: bool = False) -> str:
    """Make the data folder and narrow what others can reach in it; gives what a person should know, or "".

    Args:
        settings: of this process. With a broker and a store elsewhere they need no folder, and it is left alone.
        is_needed: the process writes to it whatever the settings say.

    Raises:
        SetupError: it cannot be made or written to, or another user could change what is in it.
    """
    if not is_needed and not settings.needs_data_folder:
        return ""
    folder = settings.data_dir
    if problem := problem_with(folder):
        raise SetupError(problem)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(_cannot_be_made(folder, str(error.strerror))) from error
    return _narrow(folder)


def problem_with(folder: Path) -> str:
    """Why this user cannot make the data folder, or must not use it; "" = they can. Changes nothing."""
    try:
        status = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _problem_of_making(folder)
    except OSError as error:  # a name that is too long, a circle of links, a folder above it that must not be entered
        return _cannot_be_made(folder, str(error.strerror))
    if not stat.S_ISDIR(status.st_mode):
        return _cannot_be_made(folder, "a file is in its place")
    me = user_name(os.geteuid())
    if status.st_uid not in {os.geteuid(), ROOT}:
        return f"the data folder {folder} belongs to {user_name(status.st_uid)}, and this process is run by {me}; {ELSEWHERE}"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"the data folder {folder} cannot be written to by {me}; {ELSEWHERE}"
    return ""


def entries(folder: Path) -> Iterator[Entry]:
    """The folder itself, and all of ours that is in it; what goes meanwhile is left out."""
    yield _entry(folder, folder.stat())
    for name in OURS:
        with suppress(FileNotFoundError):
            yield _entry(folder / name, (folder / name).lstat())
        for place, folders, files in os.walk(folder / name) if not (folder / name).is_symlink() else ():
            for path in (Path(place, below) for below in (*folders, *files)):
                with suppress(FileNotFoundError):
                    yield _entry(path, path.lstat())


def token_note(settings: Settings) -> Path | None:
    """Where it is noted that tokens were made in a store that is a server: dropped, it would look as if none ever was.

    None = nowhere: a store in SQLite has a note of its own beside its file. To begin anew on purpose, remove the note as well.
    """
    is_server = not settings.store_location.startswith("sqlite:")
    return settings.data_dir / MADE_NOTE if is_server and settings.data_dir.is_dir() else None


def is_noted(note: Path | None) -> bool:
    """Whether the note is there."""
    return note is not None and note.exists()


def user_name(uid: int) -> str:
    """The user as the system calls them; in a container there may be no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _problem_of_making(folder: Path) -> str:
    if folder.is_symlink():
        return _cannot_be_made(folder, "a link that leads nowhere is in its place")
    above = next(parent for parent in folder.parents if os.path.lexists(parent))
    if not above.is_dir():
        return _cannot_be_made(folder, f"{above} is no folder")
    if not os.access(above, os.W_OK | os.X_OK):
        return _cannot_be_made(folder, f"{user_name(os.geteuid())} may not write to {above}")
    return ""


def _cannot_be_made(folder: Path, reason: str) -> str:
    return f"the data folder {folder} cannot be made: {reason}; {ELSEWHERE}"


def _narrow(folder: Path) -> str:
    """From the top, so that nobody else gets inside while the rest is looked at."""
    narrowed, left = 0, list[Entry]()  # how many, and those that could not be
    for entry in entries(folder):
        if entry.is_strange(folder):
            owner, me = user_name(entry.owner), user_name(os.geteuid())
            raise SetupError(f"{entry.path} belongs to {owner}, who could change it; give it to {me}, or remove it")
        if entry.is_shared and not entry.path.is_relative_to(folder / INBOX):
            raise SetupError(f"{entry.path} is open to others and has a second name elsewhere; put a copy in its place")
        if entry.is_wide and not entry.is_foreign and not entry.has_second_name:
            narrowed, left = (narrowed + 1, left) if _is_narrowed(entry) else (narrowed, [*left, entry])
    if left:
        first = left[0]
        return (
            f"{first.path} (mode {first.mode:04o}, of {user_name(first.owner)}) is open to others and cannot be narrowed; "
            "let nobody else run where it can be reached"
        )
    if not narrowed:
        return ""
    found = counted(narrowed, "file or folder is", "files and folders are")
    return f"{folder} was open to others on this machine: {found} not any more"


def _is_narrowed(entry: Entry) -> bool:
    """Whether it could be done: not to a folder that a container was given, nor to one that all users share, such as /tmp."""
    if entry.mode & stat.S_ISVTX:
        return False
    try:
        entry.path.chmod(entry.mode & ~OTHERS)
    except OSError:
        return not entry.path.exists()
    return True


def _entry(path: Path, status: os.stat_result) -> Entry:
    is_folder = stat.S_ISDIR(status.st_mode)
    return Entry(
        path=path,
        owner=status.st_uid,
        mode=stat.S_IMODE(status.st_mode),
        is_link=stat.S_ISLNK(status.st_mode),
        has_second_name=not is_folder and status.st_nlink > 1,
    )

"""Which files a request means: a glob inside the connection's folder, and never anything outside it."""

from __future__ import annotations

import glob
from pathlib import Path

from shared.errors import InvalidRequest, SourceNotFound
from shared.names import MOST_DEPTHS, is_quick_glob

SUFFIXES = (".csv", ".parquet")


def find_files(folder: Path, pattern: str | None) -> dict[str, Path]:
    """The CSV and Parquet files that `pattern` means, sorted: name for messages (its path inside the folder) → path.

    Args:
        folder: the connection's, absolute.
        pattern: a glob; `**` stands for any depth. A folder means everything below it, None means the whole folder. Hidden files
            are left out. A path with the folder in front is taken too.

    Raises:
        SourceNotFound: no such folder, or nothing in it matches.
        InvalidRequest: the pattern, or a link that it meets, leaves the folder; or it would take too long to look for.
    """
    if not folder.is_dir():
        raise SourceNotFound(f"found no folder {folder}; it is where this connection's CSV and Parquet files lie")
    wanted = folder / (pattern or "**")
    if not wanted.is_relative_to(folder) or ".." in wanted.parts or "\0" in str(wanted):
        raise InvalidRequest(
            f"found {pattern!r}, which leaves the connection's folder; accepted is a glob inside it", field="path"
        )
    if not is_quick_glob(pattern or ""):
        raise InvalidRequest(f"found {pattern!r}, accepted are at most {MOST_DEPTHS} `**`", field="path")
    files: dict[Path, str] = {}  # by what they are, so that a link beside its file is not read twice
    for name in _matches(folder, str(wanted.relative_to(folder))):
        files.setdefault(_resolved(folder, name), name)
    if not files:
        raise SourceNotFound(f"found no CSV or Parquet file for {pattern or '**'!r} in the connection's folder")
    return {name: folder / name for name in files.values()}


def _matches(folder: Path, pattern: str) -> list[str]:
    patterns = {pattern, pattern if pattern.endswith("**") else f"{pattern}/**"}
    names = {
        name
        for each in patterns
        for name in glob.glob(each, root_dir=folder, recursive=True)  # noqa: PTH207 - Path.glob takes hidden files too
    }
    return sorted(name for name in names if Path(name).suffix.lower() in SUFFIXES and (folder / name).is_file())


def _resolved(folder: Path, name: str) -> Path:
    real = (folder / name).resolve()
    if not real.is_relative_to(folder.resolve()):
        raise InvalidRequest(f"{name} is a link that leaves the connection's folder; accepted are files inside it", field="path")
    return real

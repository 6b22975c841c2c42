"""A folder of CSV and Parquet files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr

from shared.config.connection import BOTH, Connection, Look, PlaceField, State, kinds
from shared.config.setting_kinds import Folder
from shared.domain import identifiers
from shared.domain.collected import KEPT_NAMES
from shared.domain.places import Place
from shared.domain.texts import CONTROL, Text


def _inside(path: str) -> str:
    """A glob that cannot leave the connection's folder; the worker looks at links."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in path:
        raise ValueError(f"{path[:60]!r} may leave the connection's folder; accepted is a path or glob below it, such as *.csv")
    if not identifiers.is_quick_glob(path):
        raise ValueError(f"{path[:60]!r} has more than the accepted {identifiers.MAX_DEPTHS} `**`")
    return path


FilePath = Annotated[str, Text(f"[^{CONTROL}]+", 500, "paths without control characters"), AfterValidator(_inside)]


@kinds.register("files")
class FilesConnection(Connection):
    """As a destination it means the store's own tables, so forecasts are written nowhere in the folder."""

    roles = BOTH
    asks: ClassVar = {"path": PlaceField(accepts=FilePath, roles=("source",), hint="path or glob below the connection's folder")}
    taken_from: ClassVar = {"path": "files_folder"}

    takes_samples: ClassVar = True

    kind: Literal["files"] = "files"
    path: Folder = Field(description="the folder whose CSV and Parquet files requests may read")
    readable: tuple[str, ...] | None = Field(None, description="globs of the paths that may be read; none given = all")
    _hidden: tuple[Path, ...] = PrivateAttr(())  # folders of others, by what they are without links

    @property
    def why_no_folder(self) -> str:
        """What is said where the folder is not there."""
        lies = "where this connection's CSV and Parquet files lie"
        return f"found no folder {self.path.name!r}, {lies}; `queuecast config show` says its path"

    def may_read(self, path: str) -> bool:
        """Whether requests may read the file with this path inside the folder; here `*` stands for `/` too."""
        is_open = self.readable is None or any(fnmatchcase(path, pattern) for pattern in self.readable)
        return is_open and not self.hides(self.path / path)

    def hides(self, path: Path) -> bool:
        """Whether it is, or lies in, a folder that for whoever asks is not there."""
        return bool(self._hidden) and any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in self._hidden)

    def without(self, keepers: Sequence[Connection]) -> Self:
        """The same for a project for which the collector's folders are not there, whichever connection leads to them."""
        folders = [
            os.path.realpath(each.path / name) for each in keepers if isinstance(each, FilesConnection) for name in KEPT_NAMES
        ]
        limited = self.model_copy()
        limited._hidden = tuple(map(Path, folders))
        return limited

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - the place is part of a series anyway
        """The folder as it is called: a link may lead to each day's copy. One inside the data folder moves with that."""
        path, ours = self.path.absolute(), data_dir.absolute()
        return frozenset({str(path.relative_to(ours) if path.is_relative_to(ours) else path)})

    def look(self, _name: str) -> Look:
        """Whether the folder can be read."""
        if os.access(self.path, os.R_OK | os.X_OK):
            return Look(detail=f"{self.path} is readable")
        advice = "jobs over this connection fail until the folder is there, with CSV or Parquet files in it"
        return Look(state=State.MISSING, detail=f"{self.path} is not there or not readable", advice=advice)

    def trespass(self, data_dir: Path) -> str:
        """Whether the folder is, holds or lies in the data folder, links followed; but `files` there."""
        real, ours = (Path(os.path.realpath(path)) for path in (self.path, data_dir))  # links in a circle lead nowhere
        is_beside = real.is_relative_to(ours) and not real.is_relative_to(ours / "files")
        if not (is_beside or ours.is_relative_to(real)):
            return ""
        accepted = "accepted are the data folder's own folder `files`, and folders outside of it"
        return f"reads {self.path}, where the store and other files of ours lie; {accepted}"

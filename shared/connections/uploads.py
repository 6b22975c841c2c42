"""What people have uploaded: CSV files in a folder of ours, of which each project has a part of its own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from shared.config.connection import Look, Role, kinds
from shared.connections.files import FilesConnection
from shared.domain.places import Place
from shared.drivers.uploads_folder import UploadsFolder


@kinds.register("uploads")
class UploadsConnection(FilesConnection):
    """It is there by a setting, and for a project it is its own folder, whatever a request says."""

    roles: ClassVar[tuple[Role, ...]] = ("source",)
    taken_from: ClassVar = {"path": "uploads_folder"}
    takes_samples: ClassVar = False

    kind: Literal["uploads"] = "uploads"  # type: ignore[assignment] # the kind tells them apart

    def of_project(self, project: str) -> Self:
        """The same for the jobs of a project: what the others have is not there."""
        folder = UploadsFolder(self.path).of_project(project)
        return self.model_copy(update={"path": folder})

    @property
    def why_no_folder(self) -> str:
        """The folder is made by the first upload."""
        return "nothing was uploaded for this project, or not to a folder that this worker shares"

    def leads_to(self, place: Place, data_dir: Path) -> frozenset[str]:  # noqa: ARG002 - one folder, wherever the data folder is
        """The folder as a whole: the project is part of a series anyway."""
        return frozenset({"uploads"})

    def look(self, _name: str) -> Look:
        """What is there, and since the folder is made by the first upload, nothing may be."""
        return Look(detail=f"uploads are kept in {self.path}" if self.path.is_dir() else "nothing was uploaded yet")

    def trespass(self, data_dir: Path) -> str:
        """Nothing, as long as it is the folder that the setting names."""
        ours = data_dir / "uploads"
        return "" if self.path == ours else f"is of kind uploads, which the setting `uploads` makes; accepted is {ours}"

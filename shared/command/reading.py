"""Settings, as verbs read them: when one runs, since whatever reads them takes longer to load than all verbs' help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.config.settings import Settings


def load_settings(*, data_dir: Path | None = None) -> Settings:
    """As `shared.config.settings.load_settings`; raises InvalidSettings."""
    from shared.config.settings import load_settings as load

    return load(data_dir=data_dir)

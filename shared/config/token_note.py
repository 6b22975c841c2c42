"""A note on this machine that tokens were made in a store that is a server: dropped, it would look as if none ever was."""

from __future__ import annotations

from pathlib import Path

from shared.config.settings import Settings


def token_note(settings: Settings) -> Path | None:
    """Where it is noted; None = nowhere.

    To begin anew on purpose, remove the note as well. The SQLite store has a note of its own beside its file.
    """
    is_server = not settings.store_location.startswith("sqlite:")
    return settings.data_dir / "tokens.made" if is_server and settings.data_dir.is_dir() else None


def is_noted(note: Path | None) -> bool:
    """Whether the note is there."""
    return note is not None and note.exists()

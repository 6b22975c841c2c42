"""Our own records, for a verb that looks at them itself instead of asking a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shared.command.reading import load_settings
from shared.command.terminal import notice
from shared.config.data_folder import open_data_folder, problem_with
from shared.errors import SetupError, StoreAway

if TYPE_CHECKING:
    from shared.store import Store


@contextmanager
def opened_store(data_dir: Path | None, *, may_make: bool = False) -> Iterator[Store]:
    """The store of these settings, for as long as the block lasts.

    Args:
        may_make: the verb keeps something new. Others find a mistyped folder so, instead of making an empty store there.

    Raises:
        SetupError: the data folder cannot be had.
        StoreAway: nothing was ever kept there.
    """
    from shared.store import is_new, open_store

    settings = load_settings(data_dir=data_dir)
    if settings.store_url is None and (problem := problem_with(settings.data_dir)):
        raise SetupError(problem)
    if not may_make and is_new(settings.store_location):
        raise StoreAway("nothing was ever kept there; opening it would make an empty one", store=settings.masked()["store_url"])
    if note := open_data_folder(settings):
        notice(note, style="yellow")
    with closing(open_store(settings.store_location)) as store:
        yield store

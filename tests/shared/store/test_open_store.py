from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.config.settings import Settings
from shared.errors import InvalidSettings
from shared.store import ACCEPTED, is_new, open_store


@pytest.mark.parametrize(
    "slashes", ["//", "///"]
)  # an absolute path after sqlite://, or, as SQLAlchemy writes it, after sqlite:///
def test_an_sqlite_url_names_a_file_by_its_absolute_path_taken_as_it_is(tmp_path: Path, slashes: str) -> None:
    path = tmp_path / "a folder, 100%20 new?" / "store.db"
    store = open_store(f"sqlite:{slashes}{path}")
    assert not path.parent.exists()  # nothing is opened before the first use
    store.check()
    assert path.exists()


def test_the_default_store_of_the_settings_can_be_opened(tmp_path: Path) -> None:
    open_store(Settings(data_dir=tmp_path / "data").store_location).check()
    assert (tmp_path / "data" / "queuecast.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://ann:secret@db/queuecast", f"'postgresql'; accepted is {ACCEPTED}"),
        ("memory:", f"scheme 'memory'; accepted is {ACCEPTED}"),
        ("secret", "accepted is"),
        ("", "accepted is"),
        ("sqlite://queuecast.db", "names no file by an absolute path"),
        ("sqlite:queuecast.db", "names no file by an absolute path"),
        ("sqlite:///", "names no file by an absolute path"),
        ("sqlite:///var/lib/", "names no file by an absolute path"),
    ],
)
def test_any_other_url_is_refused_with_what_is_accepted(url: str, message: str) -> None:
    with pytest.raises(InvalidSettings, match=re.escape(message)) as refusal:
        open_store(url)
    assert "ann" not in str(refusal.value)  # neither name nor password of a URL is shown


def test_a_store_is_new_until_it_was_opened_and_looking_does_not_make_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "queuecast.db"
    assert is_new(f"sqlite://{path}")
    assert not path.parent.exists()
    open_store(f"sqlite://{path}").check()
    path.unlink()
    assert not is_new(f"sqlite://{path}")  # it is gone, which is something else
    assert not is_new("mongodb://127.0.0.1:1/queuecast")

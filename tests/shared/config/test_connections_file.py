"""Connections as code: what the file becomes, and that all else in it stays as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from shared.config.addresses import STARS
from shared.config.connections_file import ConnectionsPlan, plan, write
from shared.errors import InvalidSettings, SetupError

BY_HAND = """\
# ours
instance_name = "Prod"   # shown

[connections.archive]   # old
kind = "files"
path = "/srv/archive"
readable = [
  "yarn/*",  # all
  "*.parquet",
]

# of the capacity team
[connections.charts]
kind = "influxdb"
url = "http://10.0.0.1:8086"
token = "old-secret"
"""
FILES = {"kind": "files", "path": "/srv/other"}
CHARTS = {"kind": "influxdb", "url": "http://10.0.0.1:8086", "token": "new-secret", "version": "1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "queuecast.toml"
    path.write_text(BY_HAND)
    path.chmod(0o644)
    return path


def applied(path: Path, *, set_name: str = "default", prune: bool = False, **wanted: dict[str, Any]) -> ConnectionsPlan:
    made = plan(path, wanted, set_name, prune=prune, data_dir=None)
    write(made)
    return made


def actions(made: ConnectionsPlan) -> dict[str, str]:
    return {step.name: step.action.value for step in made.steps}


def test_what_is_written_is_read_again_and_all_else_stays_to_the_letter(path: Path) -> None:
    path.write_text(BY_HAND.replace("[connections.archive]   # old", "[connections.archive]"))
    strange = {"kind": "files", "path": '/srv/"odd"\\ \x7f\té😀', "readable": ["a*", "b]"], "projects": []}
    made = applied(path, strange=strange, charts=CHARTS)
    assert actions(made) == {"strange": "added", "charts": "changed"}
    text = path.read_text()
    assert tomllib.loads(text)["connections"] == tomllib.loads(BY_HAND)["connections"] | {"strange": strange, "charts": CHARTS}
    kept, _, rest = text.partition("# queuecast apply, set default")
    assert kept == BY_HAND.partition("[connections.charts]")[0].replace("   # old", "")
    assert "[connections.charts]" in rest
    again = applied(path, strange=strange, charts=CHARTS)
    assert set(actions(again).values()) == {"unchanged"}
    assert path.read_text() == text


def test_only_what_the_same_set_has_made_goes_and_only_when_asked(path: Path) -> None:
    applied(path, one=FILES, two=FILES)
    applied(path, set_name="others", three=FILES)
    assert actions(applied(path, one=FILES)) == {"one": "unchanged"}
    assert actions(applied(path, one=FILES, prune=True)) == {"one": "unchanged", "two": "removed"}
    assert sorted(tomllib.loads(path.read_text())["connections"]) == ["archive", "charts", "one", "three"]
    with pytest.raises(InvalidSettings, match=r"another set .* three \(set others\)"):
        plan(path, {"three": FILES}, "default", prune=False, data_dir=None)
    assert path.read_text().startswith(BY_HAND)


def test_the_difference_names_fields_and_shows_no_secret(path: Path) -> None:
    [step] = plan(path, {"charts": CHARTS}, "default", prune=False, data_dir=None).steps
    assert step.changes == (("token", STARS, STARS), ("version", None, "1"), ("managed_by", "", "default"))
    [step] = plan(path, {"new": CHARTS}, "default", prune=False, data_dir=None).steps
    assert "new-secret" not in str(step)
    assert "10.0.0.1" not in str(step)  # an address may hold a password


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"a": {"kind": "s3"}}, "its kind is not accepted"),
        ({"a": FILES | {"colour": "hunter2"}, "b": {"kind": "mongodb"}}, "connections.a.colour .*connections.b.url"),
        ({"Not A Name": FILES}, "small letters"),
    ],
)
def test_what_is_not_accepted_changes_nothing_and_is_told_whole(path: Path, wanted: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSettings, match=told) as raised:
        plan(path, {"fine": FILES} | wanted, "default", prune=False, data_dir=None)
    assert "hunter2" not in str(raised.value)
    assert path.read_text() == BY_HAND
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text", ['connections = {a = {kind = "files", path = "/a"}}\n', '[connections]\na.kind = "files"\na.path = "/a"\n']
)
def test_connections_in_a_form_that_no_program_writes_are_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(SetupError, match=r"accepted is a table \[connections.NAME\] for each"):
        plan(path, {"a": FILES}, "default", prune=False, data_dir=None)
    assert path.read_text() == text


def test_the_file_is_for_its_user_alone_and_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    applied(path, one=FILES)
    assert path.stat().st_mode & 0o777 == 0o640
    link = tmp_path / "etc" / "queuecast.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    applied(link, two=FILES)
    assert link.is_symlink()
    assert "two" in tomllib.loads(path.read_text())["connections"]
    new = tmp_path / "new.toml"
    applied(new, one=FILES)
    assert new.stat().st_mode & 0o777 == 0o600


def test_what_somebody_has_written_meanwhile_is_not_overwritten(path: Path) -> None:
    made = plan(path, {"one": FILES}, "default", prune=False, data_dir=None)
    path.write_text(BY_HAND + "# mine\n")
    with pytest.raises(SetupError, match="changed meanwhile"):
        write(made)
    assert path.read_text().endswith("# mine\n")

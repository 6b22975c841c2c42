"""The files of a proposal: applied by hand they are accepted, their inverse brings back every byte, and no name is a command."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deploy.fake_cluster import FakeCluster, simulated
from deploy.fake_rm import Fleet, running
from shared.domain.property_change import PropertyChange
from shared.domain.proposals import Proposal
from shared.domain.queue_tree import Queue, QueueTree
from shared.drivers.bounded_http import Answer, fetch
from shared.errors import UnwritableChange
from shared.yarn.answers import properties_of
from shared.yarn.configuration import tree_of
from shared.yarn.constraints import violations
from shared.yarn.patch import changes_between
from shared.yarn.patch_file import edited
from shared.yarn.scheduler_conf import read_configuration
from tests.decisions import a_proposal, a_proposed_change, a_recommendation
from tests.shared.yarn.trees import as_file, properties, trees
from worker.decisions.handover import NAMES, NamedFile, files_of

CONF = "/ws/v1/cluster/scheduler-conf"
HOSTILE = "root.x'$(touch hacked)\"&<b>"
ETL = "yarn.scheduler.capacity.root.etl.capacity"


def sent(fleet: Fleet, body: bytes | None) -> Answer:
    """What curl would be answered."""
    method, kind = ("GET", "") if body is None else ("PUT", "application/xml" if body[:1] == b"<" else "application/json")
    headers = {"Content-Type": kind} if kind else {}
    return fetch(f"{fleet.urls[0]}{CONF}", headers, method=method, body=body, seconds=10.0, max_bytes=1 << 22)


def exchanged(tree: QueueTree, data: st.DataObject) -> QueueTree:
    """The tree with what some siblings have given to each other, in one partition."""
    places = [(queue.path, at) for queue in tree.queues for at in range(len(tree.root.shares)) if _differ(tree, queue.path, at)]
    assume(places)
    parent, place = data.draw(st.sampled_from(places))
    children = tree.children(parent)
    turns = data.draw(st.integers(1, len(children) - 1))  # whoever draws any order draws mostly the one that is there
    given_to = dict(zip([child.path for child in children], [*children[turns:], *children[:turns]], strict=True))

    def with_shares(queue: Queue) -> Queue:
        other = given_to.get(queue.path, queue).shares[place]
        own = replace(queue.shares[place], capacity=other.capacity, maximum=other.maximum)
        return replace(queue, shares=(*queue.shares[:place], own, *queue.shares[place + 1 :]))

    return replace(tree, queues=tuple(map(with_shares, tree.queues)))


def _differ(tree: QueueTree, parent: str, place: int) -> bool:
    return len({child.shares[place].capacity for child in tree.children(parent)}) > 1


def of_patch(*patch: PropertyChange) -> Proposal:
    return a_proposal(patch=patch)


@settings(max_examples=40, deadline=None)
@given(trees(), st.data())
def test_every_plan_is_accepted_and_its_inverse_brings_back_every_byte(tree: QueueTree, data: st.DataObject) -> None:
    before = properties_of(tree)
    configured = tree_of(before)
    after = exchanged(configured, data)
    changes = changes_between(configured, after, before)
    assume(changes and not violations(after))
    file = as_file(before)
    files = files_of(of_patch(*changes), NamedFile("capacity-scheduler.xml", file))
    assert tuple(files) == NAMES
    with running(FakeCluster(before), [0]) as fleet:
        first = sent(fleet, None).content
        for body, back in (("sched-conf.xml", "inverse.json"), ("sched-conf.json", "inverse.xml")):
            assert sent(fleet, files[body]).status == 200
            applied = sent(fleet, None).content
            assert read_configuration(applied) == read_configuration(edited(file, changes))
            assert sent(fleet, files[back]).status == 200
            assert sent(fleet, None).content == first


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files lie, with a `yarn` that notes what it is asked."""
    yarn = tmp_path / "bin" / "yarn"
    yarn.parent.mkdir()
    yarn.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{tmp_path}/asked"\n')
    yarn.chmod(0o755)
    return tmp_path


def commands(readme: str, title: str) -> list[str]:
    """The commands of a part of README.txt."""
    part = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n[A-Z][^\n]*\n---|\Z)", readme, re.DOTALL | re.MULTILINE)
    assert part is not None
    return [line.strip() for line in part[1].splitlines() if re.match(r"  (RM=|curl |yarn |patch |cp )", line)]


def run(folder: Path, lines: list[str]) -> str:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-euc", "\n".join(lines)], cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def written(folder: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files["README.txt"].decode()


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """A cluster with a queue whose name is a command, a formula and no XML."""
    configured = properties(etl="60", bi="40") | {"yarn.scheduler.capacity.root.queues": f"etl,bi,{HOSTILE[5:]}"}
    with running(FakeCluster(configured | {f"yarn.scheduler.capacity.{HOSTILE}.capacity": "0"}), [0]) as fleet:
        yield fleet


def test_the_commands_of_the_readme_do_what_it_says(fleet: Fleet, folder: Path) -> None:
    before = dict(fleet.cluster.properties)
    patch = (
        PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5"),
        PropertyChange(queue=HOSTILE, key="capacity", before="0", after="4.5"),
        PropertyChange(queue=HOSTILE, key="maximum-capacity", before="", after="90"),
    )
    readme = written(folder, files_of(of_patch(*patch)))
    where = [f"RM={fleet.urls[0]}"]
    keeping, trying = commands(readme, "Before")[1:]
    assert "HTTP/1.1 200" in run(folder, [*where, keeping, trying])
    assert fleet.cluster.properties == before
    assert read_configuration((folder / "before.json").read_bytes()) == before
    assert "successfully applied" in run(folder, [*where, *commands(readme, "Apply")])
    assert fleet.cluster.properties[f"yarn.scheduler.capacity.{HOSTILE}.maximum-capacity"] == "90"
    assert "successfully applied" in run(folder, [*where, *commands(readme, "Undo")])
    assert fleet.cluster.properties == before
    assert (folder / "asked").read_text().splitlines() == [
        *("schedulerconf", "-update", f"root.etl:capacity=55.5;{HOSTILE}:capacity=4.5,maximum-capacity=90"),
        *("schedulerconf", "-update", f"root.etl:capacity=60;{HOSTILE}:capacity=0,maximum-capacity="),
    ]
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["capacity-scheduler.xml", "-our $(touch hacked) file.xml"])
def test_the_patches_of_a_file_are_taken_and_undone(folder: Path, ending: str, name: str) -> None:
    lines = ["<configuration>", f"  <property><name>{ETL}</name><value>60.00</value></property>", "</configuration>"]
    file = folder / name
    file.write_bytes(before := ending.join([*lines, ""]).encode())
    change = PropertyChange(queue="root.etl", key="capacity", before="60", after="55.5")
    readme = written(folder, files_of(of_patch(change), NamedFile(name, before)))
    copied, tried, patched, refreshed, undone, again = commands(readme, "A cluster whose configuration is a file")
    run(folder, [copied, tried, patched, refreshed])
    assert file.read_bytes() == before.replace(b"60.00", b"55.5")
    run(folder, [undone, again])
    assert file.read_bytes() == before == (folder / f"{name}.before").read_bytes()
    assert (folder / "asked").read_text().split() == ["rmadmin", "-refreshQueues"] * 2
    assert not (folder / "hacked").exists()


def test_a_file_that_says_something_else_has_no_patch_and_the_readme_says_why() -> None:
    files = files_of(a_proposal(), NamedFile("capacity-scheduler.xml", as_file({ETL: "41"})))
    assert not [name for name in files if name.endswith(".patch")]
    readme = " ".join(files["README.txt"].decode().split())
    assert "There is no patch of its file: the file has 41, and the tree 40" in readme
    assert "yarn.scheduler.capacity.root.adhoc.capacity: 60 -> 54" in readme


def test_what_hadoops_own_command_cannot_say_is_left_out() -> None:
    change = PropertyChange(queue="root.etl", key="capacity", before="[memory=1,vcores=1]", after="[memory=2,vcores=1]")
    readme = files_of(of_patch(change))["README.txt"].decode()
    assert "schedulerconf -update" not in readme
    assert "has no way to write" in readme


def test_queues_without_a_tree_get_a_text_and_a_table() -> None:
    name = '=cmd|"/c calc"!A1'
    change = replace(a_proposed_change(name, 40.0, 46.0), mode=None, donors=())
    kept = a_recommendation("@other", 1024.0, 1024.0)
    why = ("etl: a timetable would have cost 78 % of one constant a day: 00:00-06:00 120 GB.",)
    files = files_of(a_proposal(parent="", project="web", patch=(), changes=(change,), kept=(kept,), because=why))
    assert [*files] == ["README.txt", "changes.csv"]
    rows = [*csv.DictReader(files["changes.csv"].decode().splitlines())]
    assert [(row["queue"], row["action"], row["present"], row["proposed"]) for row in rows] == [
        (f"'{name}", "raise", "40.0", "46.0"),
        ("'@other", "keep", "1024.0", "1024.0"),
    ]
    readme = files["README.txt"].decode()
    assert "queues without a tree" in readme
    assert "Set these capacities where you set them." in " ".join(readme.split())
    assert why[0] in " ".join(readme.split())
    assert "0 min above it" in readme
    assert "curl" not in readme
    assert "  @other: 1 GB\n      no other capacity costs less" in readme


def test_no_file_tells_where_anything_of_ours_lies() -> None:
    files = files_of(a_proposal(), NamedFile("capacity-scheduler.xml", as_file({ETL: "40"})))
    told = b"".join(files.values()).decode()
    assert set(re.findall(r"https?://[^\s\"]+", told)) == {"http://resourcemanager:8088"}
    assert not re.findall(r"(?<![\w\"])/(?:etc|home|var|tmp|opt|root)\b", told)


def test_a_name_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(UnwritableChange, match="XML cannot hold"):
        files_of(of_patch(PropertyChange(queue="root.\ufffe", key="capacity", before="1", after="2")))


def test_names_of_all_alphabets_arrive_as_they_are() -> None:
    configured = properties(größe="60", 日本="40")
    patch = [
        PropertyChange(queue=f"root.{name}", key="capacity", before=before, after=after)
        for name, before, after in (("größe", "60", "50"), ("日本", "40", "50"))
    ]
    files = files_of(of_patch(*patch))
    assert files["sched-conf.xml"].isascii()
    with running(FakeCluster(configured), [0]) as fleet:
        assert sent(fleet, files["sched-conf.xml"]).status == 200
        assert sent(fleet, files["inverse.xml"]).status == 200
        assert fleet.cluster.properties == configured


def test_a_plan_for_a_large_parent_is_handed_over() -> None:
    configured = simulated(500)
    before = tree_of(configured)
    parent = max((queue.path for queue in before.queues), key=lambda path: len(before.children(path)))
    first, second = before.children(parent)[:2]
    capacities = {first.path: second.shares[0].capacity, second.path: first.shares[0].capacity}
    queues = (
        replace(each, shares=(replace(each.shares[0], capacity=capacities[each.path], maximum=None),))
        if each.path in capacities
        else each
        for each in before.queues
    )
    patch = changes_between(before, replace(before, queues=tuple(queues)), configured)
    with running(FakeCluster(configured), [0]) as fleet:
        files = files_of(of_patch(*patch))
        assert sent(fleet, files["sched-conf.xml"]).status == 200
        assert sent(fleet, files["inverse.json"]).status == 200
        assert fleet.cluster.properties == configured

"""Changes between trees, as requests and in files: what is written does what was meant, and is undone to the byte."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.capacities import Capacity, Mode, Part
from shared.domain.property_change import PropertyChange
from shared.domain.queue_tree import QueueTree, Scheduler, State
from shared.errors import UnwritableChange, YarnUnreadable
from shared.yarn.answers import properties_of
from shared.yarn.configuration import tree_of
from shared.yarn.hadoop_xml import read_file, values_of
from shared.yarn.patch import applied, as_json, as_xml, changes_between, inverse
from shared.yarn.patch_file import difference, edited
from shared.yarn.scheduler_conf import read_body, read_configuration
from tests.shared.yarn.trees import as_file, mb, properties, trees

ETL = "yarn.scheduler.capacity.root.etl"
FILE = f"""<?xml version="1.0"?>
<!-- kept: 60 -->
<configuration>
  <property>
    <name>yarn.scheduler.capacity.root.queues</name>\t<value>etl,bi</value>
  </property>
  <property>
    <name>
      {ETL}.capacity
    </name>
    <!-- nights -->
    <value> &#54;0<!-- was 50 --></value><final>false</final>
  </property>

  <property><value>40.0</value><name>yarn.scheduler.capacity.root.bi.capacity</name></property>
</configuration>
"""


def replaced(tree: QueueTree, path: str, **changes: object) -> QueueTree:
    """The tree with other fields of one queue, or of its default share where that has them."""
    queue = tree.by_path[path]
    share = queue.shares[0]
    if changes.keys() <= {"capacity", "maximum"}:
        changed = replace(queue, shares=(replace(share, **changes), *queue.shares[1:]))
    else:
        changed = replace(queue, **changes)
    return replace(tree, queues=tuple(changed if each is queue else each for each in tree.queues))


def moved(tree: QueueTree, data: st.DataObject) -> QueueTree:
    """The tree with other capacities and maximums, each in the mode that it has."""
    queues = []
    for queue in tree.queues:
        shares = []
        for share in queue.shares:
            amount = data.draw(st.integers(0, 10_000)) / 100
            made = {
                Mode.PERCENTAGE: Capacity.of_percent(amount),
                Mode.WEIGHT: Capacity.of_weight(amount),
                Mode.ABSOLUTE: Capacity.of_resources(mb(int(amount * 100), int(amount))),
            }[share.mode]
            changed = {} if queue.is_root or data.draw(st.booleans()) else {"capacity": made}
            if changed and data.draw(st.booleans()):
                changed["maximum"] = data.draw(st.sampled_from([Capacity.of_percent(70.5), share.maximum]))
            shares.append(replace(share, **changed))
        queues.append(replace(queue, shares=tuple(shares)))
    return replace(tree, queues=tuple(queues))


def capacities(tree: QueueTree) -> list[tuple[str, str, Capacity, Capacity | None]]:
    return [(queue.path, share.partition, share.capacity, share.maximum) for queue in tree.queues for share in queue.shares]


@settings(max_examples=50)
@given(trees(), st.data())
def test_a_plan_and_then_its_inverse_change_nothing(tree: QueueTree, data: st.DataObject) -> None:
    before = properties_of(tree)
    configured = tree_of(before)
    after = moved(configured, data)
    changes = changes_between(configured, after, before)
    planned = applied(before, changes)
    assert capacities(tree_of(planned)) == capacities(after)
    assert applied(planned, inverse(changes)) == before
    for body in (as_xml(changes), as_json(changes)):
        assert read_body(body.encode(), before) == changes
    file = as_file(before)
    new = edited(file, changes)
    assert capacities(tree_of(read_configuration(new))) == capacities(after)
    assert edited(new, inverse(changes)) == file


def test_bodies_are_what_the_documents_show() -> None:
    before = tree_of(properties(etl="60", bi="40"))
    after = tree_of(properties(etl="62.5", bi="37.5"))
    changes = changes_between(before, after)
    assert as_xml(changes).splitlines()[:6] == [
        "<sched-conf>",
        "  <update-queue>",
        "    <queue-name>root.etl</queue-name>",
        "    <params>",
        "      <entry><key>capacity</key><value>62.5</value></entry>",
        "    </params>",
    ]
    entries = json.loads(as_json(inverse(changes)))["update-queue"]
    assert entries[1] == {"queue-name": "root.bi", "params": {"entry": [{"key": "capacity", "value": "40"}]}}


def test_undoing_brings_back_the_very_texts_and_removes_what_was_not_there() -> None:
    configured = properties(etl="60.000", bi="40")
    before = tree_of(configured)
    after = replaced(before, "root.etl", capacity=Capacity.of_percent(50.0), maximum=Capacity.of_percent(90.0))
    assert [(each.key, each.after) for each in inverse(changes_between(before, after, configured))] == [
        ("capacity", "60.000"),
        ("maximum-capacity", ""),
    ]


def test_what_is_asked_of_other_resources_stays() -> None:
    before = tree_of(properties(etl="[memory=1024,vcores=2,yarn.io/gpu=4]"))
    asked = before.by_path["root.etl"].share().capacity
    [change] = changes_between(before, replaced(before, "root.etl", capacity=replace(asked, resources=mb(2_048, 3))))
    assert change.after == "[memory=2048,vcores=3,yarn.io/gpu=4]"


TREE = tree_of(properties(etl="60", bi="40", gpu="0"))
OF_GPU = Capacity(mode=Mode.MIXED, parts=(Part(resource="memory-mb", mode=Mode.WEIGHT, amount=1.0),))
MIXED = tree_of(properties(gpu="[memory=1w,vcores=2]"))
SEVERAL = tree_of(properties(etl="60", bi="40", gpu="[memory=1024]"))
ELSEWHERE = replace(TREE.queues[1].shares[0], partition="x")


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (replace(TREE, queues=TREE.queues[:-1]), "never added, removed or moved: root.gpu"),
        (replace(TREE, queues=(TREE.root, *reversed(TREE.queues[1:]))), "their order differs"),
        (replaced(TREE, "root", capacity=Capacity.of_percent(90.0)), "the root is all of the cluster"),
        (replaced(TREE, "root.etl", capacity=Capacity.of_weight(2.0)), "its mode stays percentage"),
        (replaced(TREE, "root.etl", state=State.STOPPED), "nothing but capacities is ever changed, not state"),
        (replaced(TREE, "root.etl", user_limit_factor=9.0, max_apps=2), "not user_limit_factor, max_apps"),
        (replaced(TREE, "root.etl", shares=(*TREE.queues[1].shares, ELSEWHERE)), "a partition"),
    ],
)
def test_anything_but_a_capacity_is_refused(after: QueueTree, why: str) -> None:
    with pytest.raises(UnwritableChange, match=why):
        changes_between(TREE, after)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (MIXED, replaced(MIXED, "root.gpu", capacity=OF_GPU), "its capacity is mixed"),
        (SEVERAL, replaced(SEVERAL, "root.etl", capacity=Capacity.of_percent(50.0)), "several modes"),
    ],
)
def test_nothing_is_proposed_where_modes_are_mixed(before: QueueTree, after: QueueTree, why: str) -> None:
    with pytest.raises(UnwritableChange, match=why):
        changes_between(before, after)


def test_queues_of_a_template_and_the_fair_scheduler_are_refused() -> None:
    dynamic = replaced(TREE, "root.etl", is_dynamic=True)
    for before, why in ((dynamic, "its parent's template"), (replace(TREE, scheduler=Scheduler.FAIR), "file of allocations")):
        with pytest.raises(UnwritableChange, match=why):
            changes_between(before, replaced(before, "root.etl", capacity=Capacity.of_percent(1.0)))
    assert changes_between(TREE, TREE) == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"add-queue": [{"queue-name": "root.x"}], "update-queue": []}', "not add-queue"),
        (b"<sched-conf><global-updates><entry><key>a</key></entry></global-updates></sched-conf>", "not global-updates"),
        (b'{"update-queue": {"queue-name": "root.x", "params": {"entry": {"value": "1"}}}}', "a queue and a key"),
    ],
)
def test_a_request_for_anything_else_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(UnwritableChange, match=why):
        read_body(body, {})


def change(key: str = "capacity", before: str = "60", after: str = "55.5", queue: str = "root.etl") -> PropertyChange:
    return PropertyChange(queue=queue, key=key, before=before, after=after)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["\n", ""], ids=["with a last newline", "without"])
def test_a_file_keeps_every_byte_but_those_of_the_values(ending: str, last: str) -> None:
    text = (FILE.rstrip("\n") + last).replace("\n", ending)
    changes = [change(), change(before="40.0", after="44.5", queue="root.bi"), change("maximum-capacity", "", "90")]
    new = edited(text.encode(), changes)
    added = f"\n  <property>\n    <name>{ETL}.maximum-capacity</name>\n    <value>90</value>\n  </property>".replace("\n", ending)
    expected = text.replace("&#54;0<!--", "55.5<!--").replace("40.0", "44.5")
    end = expected.index("</property>", expected.index("false</final>")) + len("</property>")
    assert new.decode() == expected[:end] + added + expected[end:]
    assert values_of(read_file(new))[f"{ETL}.capacity"].strip() == "55.5"
    assert edited(new, inverse(changes)).decode() == text.replace("&#54;", "6")


def test_a_difference_is_taken_by_git_and_undone_by_its_inverse(tmp_path: Path) -> None:
    before = FILE.rstrip("\n").encode()
    after = edited(before, [change(), change("maximum-capacity", "", "90")])
    file = tmp_path / "capacity-scheduler.xml"
    file.write_bytes(before)
    for there, expected in (((before, after), after), ((after, before), before)):
        told = difference(file.name, *there)
        subprocess.run(["git", "apply", "-p0", "-"], input=told, cwd=tmp_path, check=True, capture_output=True)
        assert file.read_bytes() == expected
    assert difference(file.name, before, before) == b""
    with pytest.raises(UnwritableChange, match="cannot be named"):
        difference("a\nb", before, after)


def one(inner: str) -> bytes:
    return f"<configuration>{inner}</configuration>".encode()


def of_etl(value: str = "60", more: str = "") -> str:
    return f"<property><name>{ETL}.capacity</name><value>{value}</value>{more}</property>"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (one(of_etl() + of_etl()), "set 2 times, in the lines 1, 1"),
        (one(of_etl("61")), "the file has 61, and the tree 60"),
        (one(""), "the file has none, and the tree 60"),
        (one(f'<property name="{ETL}.capacity" value="60"/>'), "as an attribute"),
        (one(of_etl("6<!-- -->0")), "in pieces"),
        (one(of_etl().replace("<value>60</value>", "<value/>")), "the file has none, and the tree 60"),
    ],
)
def test_a_file_that_says_something_else_is_left_alone(file: bytes, why: str) -> None:
    with pytest.raises(UnwritableChange, match=re.escape(why)):
        edited(file, [change()])


@pytest.mark.parametrize(
    ("file", "value"),
    [
        (one(of_etl("<![CDATA[60]]>")), "<![CDATA[55.5]]>"),
        (one(of_etl("\n  60.0\t")), "<value>\n  55.5\t</value>"),
        (one(of_etl("${nights}") + "<property><name>nights</name><value>60</value></property>"), "<value>55.5</value>"),
        (one(of_etl("60", "<final>true</final>")), "<value>55.5</value><final>true</final>"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- \xe9 -->' + one(of_etl()), "<!-- \xe9 -->"),
    ],
)
def test_values_are_found_however_they_are_written(file: bytes, value: str) -> None:
    assert value in edited(file, [change()]).decode("latin-1")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "&b;">]><configuration/>', "line 1 has a document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><configuration/>', "document type"),
        (one('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="more.xml"/>'), "<xi:include>"),
        (one('<include href="more.xml"/>'), "<include>"),
        (one("<property><name>&etl;</name></property>"), "no XML"),
        (b"<sched-conf/>", "accepted is <configuration>"),
        (b"", "no XML"),
        ("<configuration/>".encode("utf-16"), "UTF-16"),
        (b'<?xml version="1.0" encoding="cp037"?><configuration/>', "encoding"),
        (b"<configuration>" + b"<a>" * 30, "20 elements"),
        (one(of_etl("${a}") + "<property><name>a</name><value>${a}</value></property>"), "variables in variables"),
        (b"<configuration>" + b" " * 17_000_000, "bytes; accepted are"),
    ],
)
def test_a_file_that_is_more_than_its_own_text_is_refused(file: bytes, why: str) -> None:
    with pytest.raises(YarnUnreadable, match=why):
        values_of(read_file(file))


def test_of_a_property_that_is_set_twice_the_last_counts_unless_one_is_final() -> None:
    assert values_of(read_file(one(of_etl("1") + of_etl("2"))))[f"{ETL}.capacity"] == "2"
    assert values_of(read_file(one(of_etl("1", "<final>true</final>") + of_etl("2"))))[f"{ETL}.capacity"] == "1"
    assert values_of(read_file(one(of_etl("1", "<value>2</value>"))))[f"{ETL}.capacity"] == "2"


@settings(max_examples=80)
@given(st.data())
def test_a_file_with_anything_anywhere_is_read_or_our_error(data: st.DataObject) -> None:
    text = FILE.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    pieces = st.binary(max_size=8) | st.sampled_from([b"<", b"</value>", b"<value>", b"]]>", b"&", b"<!--"])
    broken = text[:start] + data.draw(pieces) + text[end:]
    try:
        file = read_file(broken)
    except YarnUnreadable:
        return
    for each in file.properties:
        assert broken[each.start : each.start + 9] == b"<property"
        assert broken[each.end - 1 : each.end] == b">"
